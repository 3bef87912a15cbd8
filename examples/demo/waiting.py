"""Waiting for what Gatewatch does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["until"]

_LONGEST_S = 180.0
"""Much more than it takes, also on a slow machine that does something else besides."""
_POLL_S = 0.3
T = TypeVar("T")


def until(wanted: Callable[[], T]) -> T | None:
    """What `wanted` gives as soon as that is something; None when it never was."""
    end = time.monotonic() + _LONGEST_S
    while time.monotonic() < end:
        if found := wanted():
            return found
        time.sleep(_POLL_S)
    return None
