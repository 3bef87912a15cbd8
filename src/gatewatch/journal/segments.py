"""Segment files: frames of length, CRC and sealed record; a torn tail is cut off on start."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

from gatewatch.errors import StoreError

__all__ = ["FRAME_BYTES", "Segment", "framed", "sync_directory"]

_HEAD = Struct("<II")
FRAME_BYTES = _HEAD.size
_MAX_FRAME = 256 * 1024 * 1024
_ENDING = ".segment"


def framed(sealed: bytes) -> bytes:
    """Length, CRC-32 and the octets."""
    return _HEAD.pack(len(sealed), zlib.crc32(sealed)) + sealed


def sync_directory(directory: Path) -> None:
    """Make names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Segment:
    """One file; offsets are `base` plus the position in it."""

    def __init__(self, path: Path) -> None:
        """The base offset is the file's name."""
        self.path, self.base = path, int(path.name.removesuffix(_ENDING))
        self.size = path.stat().st_size

    @classmethod
    def create(cls, directory: Path, base: int) -> Segment:
        """An empty segment, durable by name, readable by its owner only."""
        path = directory / f"{base:020d}{_ENDING}"
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        sync_directory(directory)
        return cls(path)

    @classmethod
    def all(cls, directory: Path) -> list[Segment]:
        """Segments in order of their offsets."""
        return sorted((cls(path) for path in directory.glob(f"*{_ENDING}")), key=lambda segment: segment.base)

    @property
    def end(self) -> int:
        """Offset after its last octet."""
        return self.base + self.size

    def frames(self, offset: int, *, until: int | None = None) -> Iterator[tuple[int, int, bytes]]:
        """(offset, offset after, sealed octets) from an offset on. Raises StoreError on damage before `until`."""
        limit = self.end if until is None else min(until, self.end)
        with self.path.open("rb") as file:
            file.seek(offset - self.base)
            while offset < limit:
                head = file.read(FRAME_BYTES)
                length, crc = _HEAD.unpack(head) if len(head) == FRAME_BYTES else (0, 0)
                sealed = file.read(length) if 0 < length <= _MAX_FRAME else b""
                if len(sealed) != length or not length or zlib.crc32(sealed) != crc:
                    raise StoreError(
                        f"journal segment {self.path.name} is damaged at octet {offset - self.base}",
                        cure="Restore the file, or move it away: what it holds is then lost and the ledger says so.",
                    )
                end = offset + FRAME_BYTES + length
                yield offset, end, sealed
                offset = end

    def repair(self) -> int:
        """Cut an unfinished last frame; returns how many octets were cut.

        Only what lies behind the last whole frame is cut. A damaged frame that is followed by a whole one was not torn
        by a crash: that is damage, and `frames` will say so.
        """
        good = self._whole_until()
        torn = self.size - good
        if torn and not self._whole_frame_after(good):
            with self.path.open("r+b") as file:
                file.truncate(good)
                os.fsync(file.fileno())
            self.size = good
            return torn
        return 0

    def _whole_until(self) -> int:
        position = 0
        data = self.path.read_bytes()
        while position + FRAME_BYTES <= len(data):
            length, crc = _HEAD.unpack_from(data, position)
            end = position + FRAME_BYTES + length
            if not length or end > len(data) or zlib.crc32(data[position + FRAME_BYTES : end]) != crc:
                break
            position = end
        return position

    def _whole_frame_after(self, position: int) -> bool:
        data = self.path.read_bytes()[position:]
        if len(data) < FRAME_BYTES:
            return False
        length = _HEAD.unpack_from(data, 0)[0]
        following = data[FRAME_BYTES + length :]
        if len(following) < FRAME_BYTES:
            return False
        length, crc = _HEAD.unpack_from(following, 0)
        sealed = following[FRAME_BYTES : FRAME_BYTES + length]
        return bool(length) and len(sealed) == length and zlib.crc32(sealed) == crc
