"""Files that a gateway reads: replaced whole, never seen half."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gatewatch.ports.gateways import GatewayAwayError

__all__ = ["read", "replace"]

_READABLE = 0o644
"""A gateway runs as another user; there is no secret in what it reads."""


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
