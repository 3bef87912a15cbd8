"""Public keys as people and programs compare them."""

from __future__ import annotations

from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from gatewatch.errors import InputError

__all__ = ["fingerprint", "public_pem", "read_fingerprint", "read_public"]

_PREFIX, _HEX = "sha256:", 64


def fingerprint(public_key: bytes) -> str:
    """`sha256:` and the SHA-256 (hex) of the 32 octets of an Ed25519 public key."""
    return _PREFIX + sha256(public_key).hexdigest()


def public_pem(public_key: bytes) -> bytes:
    """SubjectPublicKeyInfo in PEM (RFC 8410), as OpenSSL reads it."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_public(pem: bytes) -> bytes:
    """The 32 octets of a PEM public key. Raises InputError for anything but an Ed25519 key."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError("that is no public key", cure="Give a PEM file as GET /v1/signing-key has it.") from error
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("that is no Ed25519 key", cure="Give a PEM file as GET /v1/signing-key has it.")
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def read_fingerprint(text: str) -> str:
    """A whole fingerprint, however it was written (upper case, colons, blanks). Raises InputError for a part of one."""
    plain = text.strip().lower().removeprefix(_PREFIX).replace(":", "").replace(" ", "")
    if len(plain) != _HEX or not set(plain) <= set("0123456789abcdef"):
        raise InputError("that is no fingerprint", cure=f"Give all {_HEX} hex digits: a part could be made to fit.")
    return _PREFIX + plain
