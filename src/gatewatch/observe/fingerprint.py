"""Keyed fingerprints: equal values give equal numbers within one installation, and the number tells nothing else."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["Fingerprinter"]

_REMEMBERED = 65_536


class Fingerprinter:
    """BLAKE2b under the installation's key, 64 bit. Not reversible without the key; collisions at about 2^32 values."""

    __slots__ = ("_keyed", "_known")

    def __init__(self, key: bytes) -> None:
        """`key`: 16 to 64 octets."""
        self._keyed = blake2b(key=key, digest_size=8)
        self._known: dict[str, int] = {}

    def __call__(self, value: str) -> int:
        """Unsigned 64-bit fingerprint, never 0."""
        known = self._known.get(value)
        if known is not None:
            return known
        digest = self._keyed.copy()
        digest.update(value.encode("utf-8", "surrogatepass"))
        number = int.from_bytes(digest.digest(), "big") or 1
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[value] = number
        return number
