"""Follows log files through rotation, truncation and restarts."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

import msgspec

from gatewatch.config.settings import TailSettings
from gatewatch.errors import ConfigurationError, JournalFullError
from gatewatch.ports.clock import Clock
from gatewatch.ports.journal import Intake, JournalRecord
from gatewatch.ports.wire import WireFormat
from gatewatch.telemetry.logs import Log

__all__ = ["FileFollower"]

_POLL_S = 0.25
_READ_BYTES = 1024 * 1024
_LINGER_S = 5.0
"""How long a replaced file must be quiet; `nginx -s reopen` takes milliseconds, logrotate's script perhaps a second."""
_ROTATED_SUFFIX = r"[.-][0-9][0-9T_.:-]*"
"""logrotate: `.1`, `-20261120`, `.2026-11-20`; compressed ones are not read again."""


class _Position(msgspec.Struct):
    inode: int = 0
    offset: int = 0


class FileFollower:
    """Journals whole lines of one file. A position is inode and offset; it is kept after each append.

    After a crash between append and keeping the position the same lines come again with the same positions, so that
    they are recognised as duplicates.
    """

    def __init__(
        self,
        settings: TailSettings,
        data_dir: str,
        journal: Intake,
        formats: Mapping[str, WireFormat],
        clock: Clock,
        log: Log,
    ) -> None:
        """Raises ConfigurationError for an unknown format."""
        if settings.format != "auto" and settings.format not in formats:
            raise ConfigurationError(f"tail of {settings.path}: no format `{settings.format}`")
        self._settings, self._journal, self._formats = settings, journal, formats
        self._clock, self._log = clock, log
        self._path = Path(settings.path)
        mark = blake2b(f"{settings.source}\0{settings.path}".encode(), digest_size=8).hexdigest()
        self._state = Path(data_dir) / "tail" / mark
        self._state.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._position = self._load()
        self._format: WireFormat | None = formats.get(settings.format)
        self._file: BinaryIO | None = None
        self._quiet: tuple[int, float] | None = None
        """Size of a file that was replaced, and since when it has it."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"tail-{settings.source}", daemon=True)

    def start(self) -> None:
        """Begin; a file that is not there yet is waited for."""
        self._thread.start()

    def stop(self) -> None:
        """End; the position is kept."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                moved = self.poll()
            except OSError as error:
                self._log.warning("tail_can_not_read", path=str(self._path), why=error.strerror)
                moved = False
            if not moved:
                self._stopping.wait(_POLL_S)

    def poll(self) -> bool:
        """Take what is there now; whether there was anything."""
        file = self._open()
        if file is None:
            return False
        size = os.fstat(file.fileno()).st_size
        if size < self._position.offset:
            self._log.info("tail_truncated", path=str(self._path))
            self._position.offset = 0
        file.seek(self._position.offset)
        data = file.read(_READ_BYTES)
        # A piece without any line end is taken as it is (and rejected): waiting for its end could be for ever.
        end = data.rfind(b"\n") + 1 or (len(data) if len(data) == _READ_BYTES else 0)
        if end:
            return self._append(data[:end])
        if not self._left(file, size) or (data and not self._append(data)):
            return False
        self._follow_next(file)
        return True

    def _open(self) -> BinaryIO | None:
        if self._file is None:
            known = self._renamed() if self._position.inode else None
            path = known or self._path
            if not path.exists():
                return None
            self._use(path.open("rb"))
        return self._file

    def _use(self, file: BinaryIO) -> None:
        self._file, self._quiet = file, None
        inode = os.fstat(file.fileno()).st_ino
        if inode != self._position.inode:
            self._position = _Position(inode, 0)

    def _renamed(self) -> Path | None:
        """The rotated file that we had not finished before a restart."""
        for path in (self._path, *self._rotated()):
            if path.exists() and path.stat().st_ino == self._position.inode:
                return path
        return None

    def _rotated(self) -> list[Path]:
        """What the file was renamed to, oldest first; other logs whose names begin alike are none of it."""
        name = re.compile(re.escape(self._path.name) + _ROTATED_SUFFIX)
        found = [path for path in self._path.parent.iterdir() if name.fullmatch(path.name)]
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def _left(self, file: BinaryIO, size: int) -> bool:
        """Whether nobody writes to the open file any more: another one is in its place, and it was quiet since.

        A web server goes on writing to the renamed file until it is told to open its logs again.
        """
        try:
            replaced = self._path.stat().st_ino != os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            replaced = False
        now = self._clock.now()
        if not replaced:
            self._quiet = None
        elif self._quiet is None or self._quiet[0] != size:
            self._quiet = (size, now)
        return self._quiet is not None and now - self._quiet[1] >= _LINGER_S

    def _follow_next(self, file: BinaryIO) -> None:
        """Go on with the file that came after; not at once with the newest, there may have been several rotations."""
        left = os.fstat(file.fileno())
        later = [
            path
            for path in self._rotated()
            if path.stat().st_ino != left.st_ino and path.stat().st_mtime_ns > left.st_mtime_ns
        ]
        file.close()
        self._file = None
        self._use((later[0] if later else self._path).open("rb"))

    def _append(self, data: bytes) -> bool:
        format_ = self._chosen(data)
        if format_ is None:
            return False
        count = format_.count(data)
        position = f"{self._position.inode:x}@{self._position.offset}"
        record = JournalRecord(
            source=self._settings.source,
            format=format_.meta.id,
            position=position,
            received_at=self._clock.now(),
            count=count,
            payload=data,
        )
        while count:
            try:
                self._journal.append([record])
            except JournalFullError as error:
                if self._stopping.wait(error.retry_after_s):
                    return False
                continue
            break
        self._position.offset += len(data)
        self._save()
        return True

    def _chosen(self, data: bytes) -> WireFormat | None:
        if self._format is None:
            confidence, name = max((f.sniff(data, self._path.name), name) for name, f in self._formats.items())
            if confidence <= 0:
                self._log.warning("tail_format_unknown", path=str(self._path))
                self._stopping.wait(_POLL_S)
                return None
            self._format = self._formats[name]
        return self._format

    def _load(self) -> _Position:
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=_Position)
        except (FileNotFoundError, msgspec.DecodeError):
            return _Position()

    def _save(self) -> None:
        fresh = self._state.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._position))
        fresh.replace(self._state)
