"""A process that does nothing but run automation rules: `python -m tests.rules_process <store url> <file of starts>`."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import structlog

from gatewatch.bootstrap.automation import automation
from gatewatch.ports.playbooks import RunRequest
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore


class Clock:
    def now(self) -> float:
        return time.time()


class FileStarter:
    """Writes down what it is asked for; the key is the run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, request: RunRequest) -> str:
        with self._path.open("a") as file:
            file.write(f"{request.key} {request.subject.id}\n")
        return request.key


def main() -> None:
    control = SqlControlStore(sys.argv[1])
    starter = FileStarter(Path(sys.argv[2]))
    parts = automation(control, Summing(lambda _: {}, dict), starter, Clock(), structlog.get_logger())
    parts.dispatching.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
