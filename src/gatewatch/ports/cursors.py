"""Opaque cursors for keyset pagination."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from gatewatch.errors import InputError

__all__ = ["read_cursor", "write_cursor"]


def write_cursor(*keys: float | str) -> str:
    """The sort keys of the last item shown."""
    return urlsafe_b64encode(msgspec.msgpack.encode(keys)).decode().rstrip("=")


def read_cursor(cursor: str, kinds: tuple[type[float | int | str], ...]) -> tuple[float | int | str, ...]:
    """The sort keys of a cursor. Raises InputError for one that this list did not give."""
    try:
        found = msgspec.msgpack.decode(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InputError("the cursor is not one of this list", cure="Begin again without a cursor.") from error
    if not isinstance(found, list) or [type(key) for key in found] != list(kinds):
        raise InputError("the cursor is not one of this list", cure="Begin again without a cursor.")
    return tuple(found)
