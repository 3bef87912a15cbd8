"""Files that a gateway or its adapter reads: replaced whole, never seen half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from gatewatch.ports.gateways import GatewayAwayError

__all__ = ["Memory", "read", "replace"]

_READABLE = 0o644
"""A gateway runs as another user; there is no secret in what it reads."""
_OWNER_ONLY = 0o600
T = TypeVar("T", bound=msgspec.Struct)


def read(path: Path) -> bytes | None:
    """None when it is not there. Raises GatewayAwayError when it can't be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GatewayAwayError(f"can't read {path}: {error.strerror}") from error


def replace(path: Path, content: bytes | None, *, mode: int = _READABLE) -> None:
    """Durable, by rename within the directory; None removes it. Raises GatewayAwayError."""
    try:
        if content is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".gatewatch-")
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            Path(name).chmod(mode)
            Path(name).replace(path)
            _settle(path.parent)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GatewayAwayError(
            f"can't write {path}: {error.strerror}", cure="Let Gatewatch's user write this directory."
        ) from error


def _settle(directory: Path) -> None:
    """The new name is on the disk, too."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class Memory(Generic[T]):
    """What an adapter has to remember over restarts, where its gateway has no place for it. Owner only."""

    def __init__(self, path: Path, kind: type[T]) -> None:
        """`kind`: a struct that can be made of nothing; opens nothing."""
        self._path, self._kind = path, kind

    def read(self) -> T:
        """As kept; empty at first. Raises GatewayAwayError."""
        content = read(self._path)
        try:
            return msgspec.json.decode(content, type=self._kind) if content else self._kind()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayAwayError(f"can't read {self._path}", cure="Restore it from a backup.") from error

    def write(self, kept: T) -> None:
        """Durable; nothing is written when nothing changed. Raises GatewayAwayError."""
        content = msgspec.json.encode(kept, order="deterministic")
        if read(self._path) != content:
            replace(self._path, content, mode=_OWNER_ONLY)
