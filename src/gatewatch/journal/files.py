"""The journal on files: acknowledged means on disk, group fsync, bounded, sealed."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import msgspec

from gatewatch.errors import JournalFullError, StoreError
from gatewatch.journal.sealing import Seal
from gatewatch.journal.segments import Segment, framed, sync_directory
from gatewatch.ports.journal import Checkpoint, JournalRecord, StoredRecord

__all__ = ["FileJournal"]

_RECORD = msgspec.msgpack.Decoder(JournalRecord)
_CHECKPOINT = msgspec.json.Decoder(Checkpoint)
_RETRY_AFTER_S = 5


class FileJournal:
    """Implements `ports.journal.Journal`. One per directory and process; thread-safe."""

    def __init__(self, directory: Path, key: bytes, *, max_bytes: int, segment_bytes: int) -> None:
        """Open or make the journal; a torn tail is repaired (`repaired_bytes`). Raises StoreError when it is locked."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory, self._seal = directory, Seal(key)
        self._max_bytes, self._segment_bytes = max_bytes, segment_bytes
        self._lock_file = _locked(directory / "lock")
        self._lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._durable = threading.Condition()
        self._broken = ""
        self.refusing = False
        with ExitStack() as undo:
            undo.callback(self._lock_file.close)
            self._open(undo)
            undo.pop_all()

    def _open(self, undo: ExitStack) -> None:
        self._checkpoint = self._read_checkpoint()
        self._segments = Segment.all(self._directory)
        self.repaired_bytes = self._segments[-1].repair() if self._segments else 0
        if not self._segments:
            self._segments = [Segment.create(self._directory, self._checkpoint.consumed)]
        self._file = self._segments[-1].path.open("ab", buffering=0)
        undo.callback(self._file.close)
        self._written = self._synced = self._segments[-1].end
        self._received = {entry.source: entry.received for entry in self._checkpoint.ledger}
        for stored in self._stored(self._checkpoint.consumed):
            self._count(stored.record)

    def _read_checkpoint(self) -> Checkpoint:
        try:
            return _CHECKPOINT.decode((self._directory / "checkpoint.json").read_bytes())
        except FileNotFoundError:
            return Checkpoint()
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(f"the journal's checkpoint can't be read: {error}") from error

    def _count(self, record: JournalRecord) -> None:
        self._received[record.source] = self._received.get(record.source, 0) + record.count

    def append(self, records: Sequence[JournalRecord]) -> int:
        """Write and fsync; concurrent callers share one fsync.

        Raises JournalFullError when the journal or the disk is full, StoreError when the disk failed to keep something.
        """
        data = b"".join(framed(self._seal.close(msgspec.msgpack.encode(record))) for record in records)
        with self._lock:
            self.refusing = True  # until this one is written
            if self.used_bytes() + len(data) > self._max_bytes:
                raise JournalFullError(
                    f"the journal is full: {self.used_bytes()} of {self._max_bytes} octets",
                    retry_after_s=_RETRY_AFTER_S,
                )
            if self._segments[-1].size >= self._segment_bytes:
                self._roll()
            self._write(data)
            self._segments[-1].size += len(data)
            self._written += len(data)
            end = self._written
            self.refusing = False
            for record in records:
                self._count(record)
        self._sync(end)
        return end

    def _write(self, data: bytes) -> None:
        """All of it or nothing: half a frame in the middle of a segment would be damage."""
        if self._broken:
            raise StoreError(f"the journal takes nothing more: {self._broken}", cure="Mend the disk, then restart.")
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            os.ftruncate(self._file.fileno(), self._segments[-1].size)
            raise JournalFullError(
                f"the disk under the journal takes no more: {error.strerror}", retry_after_s=_RETRY_AFTER_S
            ) from error

    def _roll(self) -> None:
        self._fsync(self._file.fileno())
        self._file.close()
        self._segments.append(Segment.create(self._directory, self._written))
        self._file = self._segments[-1].path.open("ab", buffering=0)

    def _fsync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as error:
            # The kernel forgets what it could not write and says so once (fsync(2)): a later success proves nothing.
            self._broken = f"fsync failed: {error.strerror}"
            raise StoreError(f"the journal could not be made durable: {error.strerror}") from error

    def _sync(self, end: int) -> None:
        with self._sync_lock:
            if self._synced >= end:
                return
            with self._lock:
                target, descriptor = self._written, os.dup(self._file.fileno())
            try:
                self._fsync(descriptor)
            finally:
                os.close(descriptor)
            self._synced = target
        with self._durable:
            self._durable.notify_all()

    def _stored(self, offset: int) -> Iterator[StoredRecord]:
        """Durable records from an offset on, one at a time."""
        with self._lock:
            segments = [segment for segment in self._segments if segment.end > offset]
        for segment in segments:
            for start, end, sealed in segment.frames(max(offset, segment.base), until=self._synced):
                yield StoredRecord(offset=start, end=end, record=_RECORD.decode(self._seal.open(sealed)))

    def read(self, offset: int, *, max_bytes: int) -> list[StoredRecord]:
        """Durable records from an offset on."""
        found: list[StoredRecord] = []
        size = 0
        for stored in self._stored(offset):
            size += stored.end - stored.offset
            if found and size > max_bytes:
                break
            found.append(stored)
        return found

    def wait(self, offset: int, timeout_s: float) -> bool:
        """Until something durable lies at the offset."""
        with self._durable:
            return self._durable.wait_for(lambda: self._synced > offset, timeout_s)

    def checkpoint(self) -> Checkpoint:
        """The last one committed."""
        return self._checkpoint

    def commit(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint atomically, then drop what it has consumed."""
        path, fresh = self._directory / "checkpoint.json", self._directory / "checkpoint.json.new"
        with fresh.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(msgspec.json.encode(checkpoint))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_directory(self._directory)
        self._checkpoint = checkpoint
        with self._lock:
            while len(self._segments) > 1 and self._segments[0].end <= checkpoint.consumed:
                self._segments.pop(0).path.unlink()
            last = self._segments[0]
            # An idle journal keeps no payload: the only segment is replaced once all of it is consumed.
            if (
                len(self._segments) == 1
                and last.size
                and last.end <= checkpoint.consumed
                and self._synced == self._written
            ):
                self._roll()
                self._segments.pop(0).path.unlink()

    def received(self) -> dict[str, int]:
        """Per source, since ever."""
        with self._lock:
            return dict(self._received)

    def end(self) -> int:
        """After the last durable record."""
        return self._synced

    def used_bytes(self) -> int:
        """On disk."""
        return sum(segment.size for segment in self._segments)

    def close(self) -> None:
        """Flush, fsync, release the lock."""
        with self._lock:
            os.fsync(self._file.fileno())
            self._file.close()
        self._lock_file.close()


def _locked(path: Path) -> TextIO:
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StoreError(f"another process uses the journal in {path.parent}", cure="Stop it first.") from error
    return file
