"""A playbook of ten steps, killed at every boundary there is: resumed, nothing repeated, nothing lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.playbook_process import EFFECTS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


class Receiver(ThreadingHTTPServer):
    """The other system: counts what it is sent, and can be asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.effects: Counter[tuple[str, str]] = Counter()


class _Answers(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.effects[self.path, text] += 1
        self._answer(201)

    def do_GET(self) -> None:
        self._answer(200 if any(path == self.path for path, _ in self.server.effects) else 404)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_killed_at_every_boundary(tmp_path: Path, receiver: Receiver) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.playbook_process", str(tmp_path), str(receiver.server_address[1])],
        capture_output=True,
        text=True,
        timeout=1700,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    killed = [line.removeprefix("killed ") for line in lines if line.startswith("killed ")]
    assert lines[-1] == "state succeeded ", done.stdout
    assert sorted(text for _, text in receiver.effects) == EFFECTS, "nothing is lost"
    assert set(receiver.effects.values()) == {1}, "nothing is repeated"
    assert len(killed) == len(set(killed))
    for text in EFFECTS:
        assert {f"{text}: before sending", f"{text}: after sending"} <= set(killed)
    assert len([name for name in killed if name.endswith("not journalled")]) >= 40
