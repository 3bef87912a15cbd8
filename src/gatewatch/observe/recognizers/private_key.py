"""Private keys."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["PrivateKey"]

_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\s*(?:\\n)?[\w+/=\s\\:,-]{40,}")


class PrivateKey(Recognizer):
    """PEM, OpenSSH and PGP private keys."""

    meta = PatternMeta(
        id="private_key", title="Private key", references=("RFC 7468",), known_misses="DER without PEM armour."
    )
    expressions = (rb"-----BEGIN ([A-Z0-9]+ ){0,3}PRIVATE KEY",)

    def recognise(self, value: MatchValue) -> bool:
        """The armour must be followed by key material."""
        return _PEM.search(value.text) is not None
