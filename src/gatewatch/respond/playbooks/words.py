"""Values that stand in playbook files in many places: durations, names, expressions, texts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

__all__ = ["Duration", "Expression", "Name", "Option", "Text", "duration_text"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_MOST_WAIT_S = 30 * 86_400.0


def _seconds(value: object) -> object:
    """`90s`, `5m`, `2h`, `1d` or a number of seconds."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("is no duration: write 90s, 5m, 2h or 1d")
        return float(match.group(1)) * _UNITS[match.group(2)]
    return value


def duration_text(seconds: float) -> str:
    """As people write it: `90m`, `1h`; the largest unit that needs no fraction."""
    for unit, length in reversed(_UNITS.items()):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:g}s"


_NUMBER = {"type": "number", "exclusiveMinimum": 0}
Duration = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(gt=0, le=_MOST_WAIT_S),
    WithJsonSchema({"anyOf": [_NUMBER, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[smhd]$"}]}),
]
"""Seconds, or `90s`, `5m`, `2h`, `1d`; at most 30 days."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
"""Of steps, inputs and variables: as CEL can write it."""
Option = Annotated[str, Field(pattern=r"^[\w .,+-]{1,60}$")]
Expression = Annotated[str, Field(min_length=1, max_length=4000)]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
