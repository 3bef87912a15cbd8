"""Conditions and texts of rules and playbooks: CEL (Common Expression Language), checked when they are written.

CEL has no side effects, no loops without end and no way to anything that is not handed in, so a condition can be
evaluated wherever it comes from. `${expression}` inside a text is replaced by its value; a text that is one expression
keeps the value's type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import cel

from gatewatch.errors import InputError

__all__ = ["FUNCTIONS", "Condition", "evaluate", "expressions_of", "fill", "problem_of"]

_HOLE = re.compile(r"\$\{((?:[^{}\"']|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*)\}")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|map|filter)\s*\(\s*(\w+)\s*,(?:\s*(\w+)\s*,)?")
"""Macros bind a name of their own, which the library counts as a variable."""
_LONGEST = 4000
_OWN = frozenset(
    (
        *("size", "string", "int", "uint", "double", "bytes", "type", "dyn", "duration", "timestamp"),
        *("contains", "startsWith", "endsWith", "matches"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds"),
    )
)
"""CEL's own functions, as far as the library has them; its operators are called `_+_` and the like."""


def _join(parts: list[Any], separator: str) -> str:
    return separator.join(str(part) for part in parts)


def _first(parts: list[Any], most: int) -> list[Any]:
    return parts[:most]


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "join": _join,
    "first": _first,
    "rfc3339": _time,
    "to_json": lambda value: json.dumps(value, ensure_ascii=False, sort_keys=True),
    "lower": str.lower,
    "upper": str.upper,
}
"""Beside CEL's own: join(list, separator), first(list, n), rfc3339(unix seconds), to_json(value), lower, upper."""
_CALLABLE = _OWN | FUNCTIONS.keys()


class Condition:
    """A compiled expression that is true or false."""

    def __init__(self, source: str, known: Collection[str]) -> None:
        """Raises InputError that says what is wrong with the text."""
        why = problem_of(source, known)
        if why:
            raise InputError(why)
        self.source = source

    def holds(self, context: Mapping[str, Any]) -> bool:
        """Raises InputError when it can't be evaluated here, or is neither true nor false."""
        found = evaluate(self.source, context)
        if not isinstance(found, bool):
            raise InputError(f"`{self.source}` is {type(found).__name__}, not true or false")
        return found


def problem_of(source: str, known: Collection[str]) -> str:
    """What is wrong with an expression that may name these variables; '' when nothing is."""
    if not source.strip():
        return "the expression is empty"
    if len(source) > _LONGEST:
        return f"the expression is longer than {_LONGEST} characters"
    try:
        named = _compiled(source).references()
    except ValueError as error:
        return f"`{source}` is no CEL expression: {_brief(error)}"
    bound = {name for macro in _MACRO.finditer(source) for name in (macro.group(1), macro.group(2)) if name}
    strange = sorted(set(named["variables"]) - set(known) - bound)
    if strange:
        return f"`{source}` names {', '.join(strange)}; known are {', '.join(sorted(known))}"
    missing = sorted(name for name in named["functions"] if name.isidentifier() and name not in _CALLABLE)
    if missing:
        return f"`{source}` calls {', '.join(missing)}; functions are {', '.join(sorted(_CALLABLE))}"
    return ""


def evaluate(source: str, context: Mapping[str, Any]) -> Any:
    """The value. Raises InputError."""
    try:
        return _compiled(source).execute(cel.Context(dict(context), FUNCTIONS))
    except (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError, AttributeError) as error:
        raise InputError(f"`{source}` can't be evaluated: {_brief(error)}") from error


def fill(text: str, context: Mapping[str, Any]) -> Any:
    """A text with its `${…}` replaced. Raises InputError."""
    whole = _HOLE.fullmatch(text.strip())
    if whole:
        return evaluate(whole.group(1), context)
    return _HOLE.sub(lambda hole: _as_text(evaluate(hole.group(1), context)), text)


def expressions_of(text: str) -> list[str]:
    """Expressions inside a text."""
    return [hole.group(1) for hole in _HOLE.finditer(text)]


def _as_text(value: Any) -> str:
    if isinstance(value, bool | None | list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    return str(value)


@lru_cache(maxsize=2000)
def _compiled(source: str) -> cel.Program:
    return cel.compile(source)


def _brief(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300]
