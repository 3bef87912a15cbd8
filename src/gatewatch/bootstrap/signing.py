"""The installation's signing key: made on first use, kept in the data directory, never sent anywhere."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from gatewatch.bootstrap.installation import Installation
from gatewatch.config.settings import Settings
from gatewatch.errors import ConfigurationError

__all__ = ["FileSigner", "signing_key"]

_OWNER_ONLY = 0o600


def signing_key(settings: Settings, installation: Installation) -> Path:
    """Where the key of an installation is."""
    return Path(settings.signing_key_file) if settings.signing_key_file else installation.path("signing.key")


class FileSigner:
    """Implements `ports.signing.Signer` with a PEM file (PKCS #8, not encrypted, mode 0600)."""

    def __init__(self, file: Path) -> None:
        """Make the key when it is not there. Raises ConfigurationError for a file that is no Ed25519 key."""
        self._key = _loaded(file)

    @property
    def public_key(self) -> bytes:
        """32 octets."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        """64 octets."""
        return self._key.sign(message)


def _loaded(file: Path) -> Ed25519PrivateKey:
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise ConfigurationError(f"can't make the signing key {file}: {error.strerror}") from error
    key = Ed25519PrivateKey.generate()
    with os.fdopen(descriptor, "wb") as out:
        out.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        out.flush()
        os.fsync(out.fileno())
    return key


def _read(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"can't read the signing key {file}: {type(error).__name__}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"the signing key {file} is no Ed25519 key")
    return key
