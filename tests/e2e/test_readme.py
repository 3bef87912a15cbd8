"""Every command of the README does what it says, in the order of the README."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gatewatch.testing.processes import free_port

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
LOG = '203.0.113.9 - - [20/Nov/2026:10:00:{:02d} +0000] "GET /api/users/{} HTTP/1.1" 200 512 "-" "sqlmap/1.7"\n'


def commands() -> list[str]:
    blocks = BLOCK.findall((ROOT / "README.md").read_text())
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_the_readme_opens_with_the_two_commands_and_both_are_targets() -> None:
    assert commands()[:2] == ["make demo", "make test"]
    makefile = (ROOT / "Makefile").read_text()
    named = {word for line in re.findall(r"`make (\w+)", (ROOT / "README.md").read_text()) for word in line.split()}
    assert {"demo", "test", "setup"} <= named
    assert all(f"\n{target}:" in makefile for target in named)


@pytest.mark.slow
def test_every_other_command_runs(tmp_path: Path) -> None:
    """`make demo` and `make test` have tests of their own (test_demo, and the one you are reading)."""
    (tmp_path / "access.log").write_text("".join(LOG.format(n, n) for n in range(30)))
    rest = commands()[2:]
    assert "source .venv/bin/activate" in rest
    assert "gatewatch serve" in rest
    script = ["set -eu"]
    for command in rest:
        if command == "source .venv/bin/activate":
            continue  # PATH below is what it sets
        if command == "gatewatch serve":
            script += [
                "gatewatch serve > serve.log 2>&1 &",
                "server=$!",
                "trap 'kill $server' EXIT",
                "for _ in $(seq 1200); do grep -q '^token: ' serve.log && break; sleep 0.1; done",
                "for _ in $(seq 300); do ready && break; sleep 0.1; done",
            ]
        elif command.startswith("export GATEWATCH_TOKEN="):
            script.append("export GATEWATCH_TOKEN=$(sed -n 's/^token: //p' serve.log)")
        else:
            script.append(command)
    ready = (
        'ready() { python -c "import os, httpx;'
        " httpx.get(os.environ['GATEWATCH_SERVER'] + '/v1/health').raise_for_status()\" 2> /dev/null; }"
    )
    port = free_port()
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", "\n".join([ready, *script])],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GATEWATCH_DATA_DIR": str(tmp_path / "data"),
            "GATEWATCH_API__PORT": str(port),
            "GATEWATCH_SERVER": f"http://127.0.0.1:{port}",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert (tmp_path / "results" / "report.html").exists()
