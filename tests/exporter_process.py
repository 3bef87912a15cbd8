"""A process that does nothing but export: `python -m tests.exporter_process <store url> <settings as JSON>`."""

from __future__ import annotations

import sys
import threading
import time

import msgspec
import structlog

from gatewatch.bootstrap.exporting import exporting
from gatewatch.config.settings import ExportSettings
from gatewatch.store.sql import SqlControlStore


class Clock:
    def now(self) -> float:
        return time.time()


def main() -> None:
    control = SqlControlStore(sys.argv[1])
    settings = msgspec.json.decode(sys.argv[2], type=ExportSettings)
    service = exporting(settings, control, Clock(), structlog.get_logger())
    service.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
