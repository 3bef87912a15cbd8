"""The structure of a JSON answer as a number: what tells one kind of resource from another."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["shape_of"]

_DEPTH = 3
_MEMBERS = 48


def shape_of(content: object) -> int:
    """64-bit hash of sorted member names down to depth 3, arrays by their first element; 0 for scalars."""
    if not isinstance(content, dict | list) or not content:
        return 0
    text = _structure(content, _DEPTH)
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1


def _structure(value: object, depth: int) -> str:
    if isinstance(value, dict):
        if not depth:
            return "{}"
        names = sorted(value)[:_MEMBERS]
        return "{" + ",".join(f"{name}:{_structure(value[name], depth - 1)}" for name in names) + "}"
    if isinstance(value, list):
        return "[" + (_structure(value[0], depth) if value else "") + "]"
    return ""
