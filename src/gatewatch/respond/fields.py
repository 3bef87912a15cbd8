"""Names of fields in conditions, checked against the types of the context before the condition ever runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Annotated, Any, get_args, get_origin

import msgspec

__all__ = ["example_of", "field_problem", "paths_of", "without_strings"]

_STRING = re.compile(r"""[rR]?("{3}[\s\S]*?"{3}|'{3}[\s\S]*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')""")
_PATH = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*")
_MACRO = re.compile(
    r"([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)*?)\s*\.\s*(?:all|exists|exists_one|existsOne|filter|map)\s*\(\s*(\w+)\s*,"
)
_COMPARED = re.compile(r"([A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*)+)\s*[!=]=\s*\x00(\d+)\x00")
_LITERAL = re.compile(r"\x00(\d+)\x00")


def field_problem(source: str, roots: Mapping[str, Any]) -> str:
    """The first name that the types do not have, or value that a field never has; '' when all is well.

    Looks at `root.field.field` and at `==` and `!=` with a text; what is behind an index or a call is not followed.
    """
    bare, strings = without_strings(source)
    types = _with_bound(bare, roots)
    for parts, called in _paths(bare):
        why = _walk(parts, types, called=called)
        if why:
            return f"`{source}`: {why}"
    for found in _COMPARED.finditer(bare):
        parts = _split(found.group(1))
        kind = _type_at(parts, types)
        value = strings[int(found.group(2))]
        if isinstance(kind, type) and issubclass(kind, StrEnum) and value not in {one.value for one in kind}:
            known = ", ".join(one.value or "''" for one in kind)
            return f"`{source}`: {'.'.join(parts)} is never {value!r}; it is one of {known}"
    return ""


def paths_of(source: str, roots: Mapping[str, Any]) -> list[str]:
    """Fields that an expression names, without functions, in order: what it saw."""
    bare, _ = without_strings(source)
    found: dict[str, None] = {}
    for parts, called in _paths(bare):
        kept = parts[:-1] if called and len(parts) > 1 else parts
        while len(kept) > 1 and not _members(_type_at(kept[:-1], roots)):
            kept = kept[:-1]
        if kept[0] in roots and (len(kept) > 1 or get_origin(roots[kept[0]]) is list):
            found[".".join(kept)] = None
    return list(found)


def example_of(kind: Any) -> Any:
    """A made-up value of a type, from the examples in it, as plain data."""
    if get_origin(kind) is Annotated:
        inner, *metas = get_args(kind)
        examples = next((meta.examples for meta in metas if isinstance(meta, msgspec.Meta) and meta.examples), None)
        return examples[0] if examples else example_of(inner)
    if get_origin(kind) is list:
        return [example_of(get_args(kind)[0])]
    return {field.name: example_of(field.type) for field in msgspec.structs.fields(kind)}


def without_strings(source: str) -> tuple[str, list[str]]:
    """The expression with its texts replaced by numbers between zero characters; the texts."""
    strings: list[str] = []

    def put(found: re.Match[str]) -> str:
        text = found.group(1)
        quotes = 3 if text[:3] in ('"""', "'''") and len(text) >= 6 else 1
        strings.append(text[quotes:-quotes])
        return f"\x00{len(strings) - 1}\x00"

    return _STRING.sub(put, source.replace("\x00", " ")), strings


def _split(path: str) -> list[str]:
    return [part.strip() for part in path.split(".")]


def _paths(bare: str) -> Iterator[tuple[list[str], bool]]:
    """(parts, whether the last is called)."""
    for found in _PATH.finditer(_LITERAL.sub(" ", bare)):
        rest = found.string[found.end() :].lstrip()
        yield _split(found.group()), rest.startswith("(")


def _with_bound(bare: str, roots: Mapping[str, Any]) -> dict[str, Any]:
    """Names that macros bind get the type of the list's items."""
    types = dict(roots)
    for found in _MACRO.finditer(bare):
        kind = _type_at(_split(found.group(1)), types)
        types[found.group(2)] = get_args(kind)[0] if get_origin(kind) is list else None
    return types


def _walk(parts: list[str], types: Mapping[str, Any], *, called: bool) -> str:
    if parts[0] not in types:
        return ""  # a function, a literal or what `problem_of` has told already
    kind = _plain(types[parts[0]])
    path = parts[0]
    for number, part in enumerate(parts[1:], start=1):
        if kind is None or (called and number == len(parts) - 1):
            return ""
        members = _members(kind)
        if get_origin(kind) is dict:
            return ""
        if not members:
            return f"{path} has no fields, so no .{part}"
        if part not in members:
            return f"{path} has no {part}; it has {', '.join(sorted(members))}"
        kind, path = _plain(members[part]), f"{path}.{part}"
    return ""


def _type_at(parts: list[str], types: Mapping[str, Any]) -> Any:
    kind = _plain(types.get(parts[0]))
    for part in parts[1:]:
        kind = _plain(_members(kind).get(part))
    return kind


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _members(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(kind)}
    return {}
