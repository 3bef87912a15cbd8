"""What can be wrong with a bundle."""

from __future__ import annotations

import msgspec

__all__ = ["Fault"]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing.

    `code` is stable: not-a-bundle, too-large, unsafe-name, duplicate, unreadable, missing, extra, size, hash, key,
    other-key, signature, manifest, chain, review.
    """

    code: str
    file: str
    text: str
