"""Lines appended to a file of this machine, rotated by size."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.ports.export import Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["FileExporter", "FileSettings"]

_OWNER_ONLY = 0o600
_TAIL_BYTES = 1 << 20


class FileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one file."""

    path: str
    """Absolute; the folder must exist."""
    max_bytes: Annotated[int, msgspec.Meta(ge=4096)] = 100 * 1024 * 1024
    """A file that would become larger is put aside as `name.000001.ext`, counting up."""
    keep: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many files that were put aside stay; 0 for all."""


class FileExporter(Exporter):
    """JSONL for JSON formats, text lines for the others; a CSV file begins with its header."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="file",
        title="File of lines (JSONL, CSV, CEF, LEEF)",
        description=(
            "Appends one line per item, readable for the owner only. A full file is put aside under the next number; "
            "files that are renamed by others are left and begun anew. Half a line, as a crash leaves it, is removed "
            "before the next one is written."
        ),
        confirmation="The octets and the file's name are on disk (fsync).",
        max_items=2000,
        max_bytes=4_000_000,
    )
    settings: ClassVar[type[msgspec.Struct]] = FileSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: FileSettings = settings
        self._path, self._preamble = Path(settings.path), content.preamble
        self._file: int | None = None
        if not self._path.is_absolute():
            raise ConfigurationError("path is not absolute")

    def send(self, batch: Sequence[Delivery]) -> None:
        """One write and one fsync; a batch is never spread over two files."""
        body = b"".join(item.body + b"\n" for item in batch)
        try:
            self._append(body)
        except OSError as error:
            self.close()
            raise DeliveryError(f"can't write {self._path.name}: {error.strerror or type(error).__name__}") from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _append(self, body: bytes) -> None:
        file = self._opened()
        size = os.fstat(file).st_size
        if size and size + len(body) > self._settings.max_bytes:
            self.close()
            self._put_aside()
            file, size = self._opened(), 0
        if not size and self._preamble:
            body = self._preamble + b"\n" + body
        _write(file, body)
        os.fsync(file)

    def _opened(self) -> int:
        """The file under the configured name, also when somebody renamed the one that is open."""
        if self._file is not None and not _same(self._file, self._path):
            self.close()
        if self._file is None:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _OWNER_ONLY)
            _cut_half_line(self._file)
            _sync_folder(self._path.parent)
        return self._file

    def _put_aside(self) -> None:
        old = self._aside()
        number = old[-1][0] + 1 if old else 1
        self._path.rename(self._path.with_name(f"{self._path.stem}.{number:06d}{self._path.suffix}"))
        if self._settings.keep:
            for _, path in self._aside()[: -self._settings.keep]:
                path.unlink()
        _sync_folder(self._path.parent)

    def _aside(self) -> list[tuple[int, Path]]:
        form = re.compile(re.escape(self._path.stem) + r"\.(\d{6,})" + re.escape(self._path.suffix))
        found = [(form.fullmatch(path.name), path) for path in self._path.parent.iterdir()]
        return sorted((int(match[1]), path) for match, path in found if match)


def _same(file: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    mine = os.fstat(file)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _write(file: int, body: bytes) -> None:
    left = memoryview(body)
    while left:
        left = left[os.write(file, left) :]


def _cut_half_line(file: int) -> None:
    size = os.fstat(file).st_size
    end = size
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        found = os.pread(file, end - start, start).rfind(b"\n")
        if found >= 0:
            end = start + found + 1
            break
        end = start
    if end != size:
        os.ftruncate(file, end)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
