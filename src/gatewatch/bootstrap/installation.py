"""The data directory and the installation key."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import TextIO

from gatewatch.config.settings import Settings
from gatewatch.errors import ConfigurationError, StoreError

__all__ = ["DirectoryLock", "Installation", "SystemClock"]

_KEY_BYTES = 32
_LOCK = "gatewatch.lock"
_OWNER_ONLY = 0o600
_OWNER_DIRECTORY = 0o700


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Unix seconds, UTC."""
        return time.time()


class DirectoryLock:
    """One process per data directory; the lock ends with the process."""

    def __init__(self, directory: Path) -> None:
        """Take the lock. Raises StoreError when another process has it."""
        self._file: TextIO = (directory / _LOCK).open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise StoreError(
                f"another Gatewatch uses {directory}", cure="Stop it, or choose another --data-dir."
            ) from error

    def release(self) -> None:
        """Give the directory free."""
        self._file.close()


class Installation:
    """Paths below the data directory and keys derived from the installation key."""

    def __init__(self, settings: Settings) -> None:
        """Make the directory (0700) and the key (0600) when they are not there. Raises ConfigurationError."""
        self.directory = Path(settings.data_dir)
        try:
            self.directory.mkdir(parents=True, exist_ok=True, mode=_OWNER_DIRECTORY)
        except OSError as error:
            raise ConfigurationError(f"can't make the data directory {self.directory}: {error.strerror}") from error
        key_file = Path(settings.key_file) if settings.key_file else self.directory / "install.key"
        self._key = _key(key_file)

    @staticmethod
    def is_at(directory: str) -> bool:
        """Whether there has ever been one; looks only."""
        return Path(directory, _LOCK).is_file()

    def path(self, *parts: str) -> Path:
        """A path below the data directory."""
        return self.directory.joinpath(*parts)

    def derived_key(self, purpose: str) -> bytes:
        """32 octets for one purpose; keys of different purposes tell nothing of each other."""
        return hashlib.blake2b(purpose.encode(), key=self._key, digest_size=_KEY_BYTES).digest()


def _key(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY)
    except FileExistsError:
        return _read_key(file)
    except OSError as error:
        raise ConfigurationError(f"can't make the installation key {file}: {error.strerror}") from error
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(descriptor, "w") as out:
        out.write(key.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())
    return key


def _read_key(file: Path) -> bytes:
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"can't read the installation key {file}: {error}") from error
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(f"the installation key {file} has {len(key)} octets, not {_KEY_BYTES}")
    return key
