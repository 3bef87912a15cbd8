"""The structure of a JSON answer as a number: what tells one kind of resource from another."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["shape_of"]

_DEPTH = 3
_MEMBERS = 48
_REMEMBERED = 8192
_ACKNOWLEDGEMENTS = frozenset({"ok", "status", "success", "message", "msg", "result", "error", "code", "detail"})
_MAX_ACKNOWLEDGED = 4
_SCALARS = frozenset({str, int, float, bool})
_orders: dict[tuple[str, ...], list[str]] = {}
_numbers: dict[str, int] = {}


def shape_of(content: object) -> int:
    """64-bit hash of sorted member names down to depth 3, arrays by their first element; 0 for what tells nothing.

    That are scalars and mere acknowledgements: `{"ok": true}` says that something was done and not to what.
    """
    if not isinstance(content, dict | list) or not content:
        return 0
    if type(content) is dict and len(content) <= _MAX_ACKNOWLEDGED and _acknowledges(content):
        return 0
    text = _structure(content, _DEPTH)
    number = _numbers.get(text)
    if number is None:
        if len(_numbers) >= _REMEMBERED:
            _numbers.clear()
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        number = _numbers[text] = int.from_bytes(digest, "big") or 1
    return number


def _acknowledges(content: dict[str, object]) -> bool:
    return all(name in _ACKNOWLEDGEMENTS and (item is None or type(item) in _SCALARS) for name, item in content.items())


def _structure(value: object, depth: int) -> str:
    if type(value) is dict:
        if not depth:
            return "{}"
        parts = []
        for name in _order(value):
            item = value[name]
            inner = _structure(item, depth - 1) if type(item) is dict or type(item) is list else ""
            parts.append(name + ":" + inner)
        return "{" + ",".join(parts) + "}"
    if type(value) is list:
        return "[" + (_structure(value[0], depth) if value else "") + "]"
    return ""


def _order(value: dict[str, object]) -> list[str]:
    """Names in order; the same few documents come again and again."""
    names = tuple(value)
    found = _orders.get(names)
    if found is None:
        if len(_orders) >= _REMEMBERED:
            _orders.clear()
        found = _orders[names] = sorted(names)[:_MEMBERS]
    return found
