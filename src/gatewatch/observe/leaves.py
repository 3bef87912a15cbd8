"""The leaves of a body: dotted path and value, within hard limits."""

from __future__ import annotations

import re
from typing import cast

import msgspec

from gatewatch.model.observe_settings import LimitSettings
from gatewatch.observe.value_types import classify, looks_random

__all__ = ["Cuts", "Leaf", "flatten", "safe_name"]

_MAX_NAME = 64
_UNSAFE = re.compile(r"[^\w$@:. \-\[\]/]")
_TYPED_NAMES = frozenset(
    {
        "int",
        "uuid",
        "ulid",
        "objectid",
        "hash",
        "email",
        "jwt",
        "token",
        "base64",
        "ip",
        "phone",
        "date",
        "datetime",
        "url",
    }
)


class Leaf(msgspec.Struct, gc=False):
    """One scalar of a body; `value` is text, `kind` its type in the body: string, int, float, bool, null, bytes."""

    path: str
    value: str
    kind: str


class Cuts(msgspec.Struct):
    """What limits removed, gathered while decoding."""

    names: set[str] = set()

    def add(self, name: str) -> None:
        """Remember one cut."""
        self.names.add(name)


_names: dict[str, str] = {}
_REMEMBERED = 32_768


def safe_name(name: str) -> str:
    """A member or parameter name fit to be stored: one that is itself data becomes `{key}`."""
    known = _names.get(name)
    if known is None:
        if len(_names) >= _REMEMBERED:
            _names.clear()
        data = len(name) > _MAX_NAME or classify(name) in _TYPED_NAMES or looks_random(name) or _UNSAFE.search(name)
        known = _names[name] = "{key}" if data else name
    return known


def flatten(value: object, limits: LimitSettings, cuts: Cuts) -> list[Leaf]:
    """Leaves of decoded JSON in document order."""
    found: list[Leaf] = []
    if not _leaf_of(value, "", found):
        _walk(value, "", 0, found, limits, cuts)
    if len(found) > limits.members:
        cuts.add("members")
        del found[limits.members :]
    return found


def _walk(value: object, path: str, depth: int, found: list[Leaf], limits: LimitSettings, cuts: Cuts) -> None:
    """Into a dictionary or a list."""
    if depth >= limits.depth:
        cuts.add("depth")
        return
    if type(value) is dict:
        if not value and "$" in path:
            found.append(Leaf(path, "", "null"))
        prefix = path + "." if path else ""
        for name, item in cast("dict[str, object]", value).items():
            inner = prefix + (_names.get(name) or safe_name(name))
            if type(item) is str:
                found.append(Leaf(inner, item, "string"))
            elif not _leaf_of(item, inner, found):
                _walk(item, inner, depth + 1, found, limits, cuts)
    else:
        inner = path + "[]"
        if not value and "$" in path:
            found.append(Leaf(path, "", "null"))
        for item in cast("list[object]", value):
            if not _leaf_of(item, inner, found):
                _walk(item, inner, depth + 1, found, limits, cuts)
            if len(found) > limits.members:
                return


def _leaf_of(item: object, path: str, found: list[Leaf]) -> bool:
    """Append a scalar; False for what has members."""
    kind = type(item)
    if kind is str:
        found.append(Leaf(path, cast("str", item), "string"))
    elif kind is int:
        found.append(Leaf(path, str(item), "int"))
    elif kind is dict or kind is list:
        return False
    elif item is None:
        found.append(Leaf(path, "", "null"))
    elif kind is bool:
        found.append(Leaf(path, "true" if item else "false", "bool"))
    else:
        found.append(Leaf(path, str(item), "float"))
    return True
