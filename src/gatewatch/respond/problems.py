"""Everything that is wrong with a definition, told at once and located."""

from __future__ import annotations

from collections.abc import Sequence
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from gatewatch.errors import InputError

__all__ = ["Problem", "ProblemsError", "built"]

T = TypeVar("T")


class Problem(msgspec.Struct, frozen=True, order=True):
    """One mistake."""

    at: str
    """`actions[1].tags[0]`; '' for the whole."""
    message: str

    def told(self) -> str:
        """In one line."""
        return f"{self.at}: {self.message}" if self.at else self.message


class ProblemsError(InputError):
    """Several mistakes in one definition."""

    code = "definition"

    def __init__(self, problems: Sequence[Problem], *, what: str = "", cure: str = "") -> None:
        """`what` names the definition."""
        lines = [f"{what}: {one.told()}" if what else one.told() for one in problems]
        super().__init__("\n".join(lines), cure=cure)
        self.problems = tuple(problems)


def built(data: object, kind: type[T], problems: list[Problem], at: str = "") -> T | None:
    """Plain data as a struct; None with everything that is wrong appended to `problems`."""
    before = len(problems)
    value = _value(data, kind, problems, at)
    return value if len(problems) == before else None


def _value(data: object, kind: Any, problems: list[Problem], at: str) -> Any:
    arguments = get_args(kind)
    structs = [one for one in arguments if isinstance(one, type) and issubclass(one, msgspec.Struct)]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(data, kind, problems, at)
    if get_origin(kind) in (Union, UnionType) and len(structs) > 1:
        return _tagged(data, structs, problems, at)
    if get_origin(kind) is tuple and len(arguments) == 2 and isinstance(data, list):
        return tuple(_value(one, arguments[0], problems, f"{at}[{n}]") for n, one in enumerate(data))
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        problems.append(Problem(at, _brief(error)))
        return None


def _tagged(data: object, kinds: Sequence[type[msgspec.Struct]], problems: list[Problem], at: str) -> Any:
    field = str(kinds[0].__struct_config__.tag_field)
    known = {str(kind.__struct_config__.tag): kind for kind in kinds}
    if isinstance(data, str) and data in known:
        data = {field: data}
    if not isinstance(data, dict) or not isinstance(data.get(field), str):
        problems.append(Problem(at, f"needs `{field}`: one of {', '.join(known)}"))
        return None
    if data[field] not in known:
        problems.append(Problem(f"{at}.{field}", f"{data[field]!r} is unknown; known are {', '.join(known)}"))
        return None
    return _struct({key: value for key, value in data.items() if key != field}, known[data[field]], problems, at)


def _struct(data: object, kind: type[msgspec.Struct], problems: list[Problem], at: str) -> Any:
    if not isinstance(data, dict):
        problems.append(Problem(at, "has to be a mapping of names and values"))
        return None
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    before, values, dot = len(problems), {}, "." if at else ""
    for name in data:
        if name not in fields:
            known = ", ".join(fields) or "nothing"
            problems.append(Problem(f"{at}{dot}{name}", f"is unknown; there may be {known}"))
    for name, field in fields.items():
        if name in data:
            values[name] = _value(data[name], field.type, problems, f"{at}{dot}{name}")
        elif field.required:
            problems.append(Problem(f"{at}{dot}{name}", "is missing"))
    return kind(**values) if len(problems) == before else None


def _brief(error: msgspec.ValidationError) -> str:
    text, _, place = str(error).partition(" - at ")
    inner = place.strip("`").removeprefix("$")
    return f"{inner}: {text}" if inner else text
