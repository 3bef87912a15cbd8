"""Time as an argument."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Clock"]


class Clock(Protocol):
    """Tells the time; tests and replays give their own."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        ...
