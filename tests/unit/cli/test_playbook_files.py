"""`gatewatch playbooks check` and `schema`: offline, every mistake at its place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gatewatch.cli.app import app, run

GOOD = "schema: gatewatch.playbook/v1\nname: good-book\ntitle: Good\nsteps:\n  - {id: one, wait: {for: 5m}}\n"
FILES: dict[str, tuple[str, list[str]]] = {
    "a good one": (GOOD, []),
    "no YAML": ("steps: [", ["1:"]),
    "nothing": ("", ["1:1: is empty"]),
    "an unknown key and a wrong duration": (
        GOOD.replace("5m", "soon") + "colour: red\n",
        ["5:27: steps[0].wait.for: is no duration: write 90s, 5m, 2h or 1d", "6:9: colour: is not known here"],
    ),
    "an expression about nothing": (
        GOOD + "  - {id: two, when: 'vars.x == 1', wait: {for: 1s}}\n",
        ["6:21: steps[1].when: `x` is no variable set before"],
    ),
    "a connection is checked by the server only": (
        GOOD + "  - {id: two, action: {connection: anything, do: send}}\n",
        [],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_every_mistake_is_told_with_its_place(tmp_path: Path, name: str) -> None:
    text, expected = FILES[name]
    file = tmp_path / "book.yaml"
    file.write_text(text)
    done = CliRunner().invoke(app, ["playbooks", "check", str(file)])
    assert done.exit_code == (2 if expected else 0)
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected)
    for line, beginning in zip(lines, expected, strict=True):
        assert line.startswith(f"{file}:{beginning}"), line
    asked = CliRunner().invoke(app, ["playbooks", "check", str(file), "--json"])
    assert asked.exit_code == done.exit_code
    assert len(json.loads(asked.stdout)["problems"]) == len(expected)


def test_the_playbook_of_the_how_to_is_right(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/automate-with-playbooks.md").read_text()
    file = tmp_path / "book.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0])
    done = CliRunner().invoke(app, ["playbooks", "check", str(file)])
    assert done.exit_code == 0, done.stderr


def test_a_file_that_is_not_there_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["playbooks", "check", str(tmp_path / "none.yaml"), "--json"]) == 2
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "input"


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["playbooks", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Gatewatch playbook"


def test_help_loads_neither_the_engine_nor_expressions() -> None:
    told = "import sys; from gatewatch.cli.app import run; run(['--help']); print(sorted({'dbos', 'cel', 'pydantic', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
