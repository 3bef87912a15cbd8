"""Raw input is sealed before it touches a disk (docs/decisions/0001)."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gatewatch.errors import StoreError

__all__ = ["Seal"]

_NONCE_BYTES = 12


class Seal:
    """AES-256-GCM with a random nonce per piece; 2^32 pieces per key are safe (NIST SP 800-38D, 8.3)."""

    def __init__(self, key: bytes) -> None:
        """`key`: 32 octets."""
        self._cipher = AESGCM(key)

    def close(self, plain: bytes) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, None)

    def open(self, sealed: bytes) -> bytes:
        """The plain octets. Raises StoreError when key or data are wrong."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                "a sealed record can't be opened: wrong installation key, or the file was changed",
                cure="Restore the install.key that belongs to this data directory.",
            ) from error
