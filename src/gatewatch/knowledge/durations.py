"""Lengths of time as people say them."""

from __future__ import annotations

__all__ = ["lasting"]

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def lasting(seconds: float | None) -> str:
    """The two largest units: `45 s`, `3 min 20 s`, `2 d 4 h`; `not recorded` for None."""
    if seconds is None:
        return "not recorded"
    if 0 < seconds < 1:
        return "under 1 s"
    left = round(seconds)
    for index, (size, name) in enumerate(_UNITS):
        if left >= size:
            smaller, below = _UNITS[index + 1] if index + 1 < len(_UNITS) else (1, "")
            rest = left % size // smaller if below else 0
            return f"{left // size} {name} {rest} {below}" if rest else f"{left // size} {name}"
    return "0 s"
