"""The installation's signature."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Signer"]


class Signer(Protocol):
    """One Ed25519 key pair (RFC 8032). Thread-safe."""

    @property
    def public_key(self) -> bytes:
        """32 octets."""
        ...

    def sign(self, message: bytes) -> bytes:
        """64 octets."""
        ...
