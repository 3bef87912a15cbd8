"""Gatewatch's own logs: structured lines on standard error. Never payload, credentials or raw input."""

from __future__ import annotations

import logging
import sys
from typing import Protocol

import structlog

__all__ = ["Log", "configure"]


class Log(Protocol):
    """What services log through; an event name and plain values."""

    def info(self, event: str, **values: object) -> object:
        """Something worth knowing happened."""
        ...

    def warning(self, event: str, **values: object) -> object:
        """Something is wrong but handled."""
        ...

    def error(self, event: str, **values: object) -> object:
        """Something failed; somebody should look."""
        ...


def configure(*, level: str = "info", as_json: bool = False) -> Log:
    """Set up structlog for this process and return its root logger."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    log: Log = structlog.get_logger("gatewatch")
    return log
