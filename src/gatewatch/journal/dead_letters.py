"""Rejected input, one sealed file per block, until it is re-submitted or dropped."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gatewatch.journal.sealing import Seal
from gatewatch.journal.segments import sync_directory
from gatewatch.ports.journal import DeadLetter

__all__ = ["FileDeadLetters"]

_LETTERS = msgspec.msgpack.Decoder(list[DeadLetter])
_ENDING = ".letters"
_SAFE = re.compile(r"[^A-Za-z0-9_.-]")


class FileDeadLetters:
    """Implements `ports.journal.DeadLetters`.

    Bounded: above `max_bytes` the raw input of further letters is left out; reason and position are always kept.
    """

    def __init__(self, directory: Path, key: bytes, *, max_bytes: int) -> None:
        """Make the directory when it is not there."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._directory, self._seal, self._max_bytes = directory, Seal(key), max_bytes
        self._lock = threading.Lock()

    def put(self, token: str, letters: Sequence[DeadLetter]) -> None:
        """Durable on return; nothing to do for no letters."""
        if not letters:
            return
        with self._lock:
            if self._used_bytes() > self._max_bytes:
                letters = [_without_raw(letter) for letter in letters]
            self._write(self._directory / (_SAFE.sub("_", token) + _ENDING), letters)

    def list(self, *, source: str | None = None, after: str = "", limit: int = 100) -> Sequence[DeadLetter]:
        """In order of their ids."""
        with self._lock:
            letters = [letter for path in self._files() for letter in self._read(path)]
        chosen = (item for item in letters if item.id > after and (source is None or item.source == source))
        return sorted(chosen, key=lambda letter: letter.id)[:limit]

    def get(self, ids: Sequence[str]) -> Sequence[DeadLetter]:
        """The letters with these ids that are there."""
        wanted = set(ids)
        with self._lock:
            return [letter for path in self._files() for letter in self._read(path) if letter.id in wanted]

    def drop(self, ids: Sequence[str]) -> int:
        """Forget letters."""
        wanted, dropped = set(ids), 0
        with self._lock:
            for path in self._files():
                letters = self._read(path)
                kept = [letter for letter in letters if letter.id not in wanted]
                dropped += len(letters) - len(kept)
                if not kept:
                    path.unlink()
                elif len(kept) < len(letters):
                    self._write(path, kept)
        return dropped

    def _files(self) -> Sequence[Path]:
        return sorted(self._directory.glob(f"*{_ENDING}"))

    def _used_bytes(self) -> int:
        return sum(path.stat().st_size for path in self._files())

    def _read(self, path: Path) -> Sequence[DeadLetter]:
        return _LETTERS.decode(self._seal.open(path.read_bytes()))

    def _write(self, path: Path, letters: Sequence[DeadLetter]) -> None:
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(self._seal.close(msgspec.msgpack.encode(list(letters))))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_directory(self._directory)


def _without_raw(letter: DeadLetter) -> DeadLetter:
    return msgspec.structs.replace(letter, rejection=msgspec.structs.replace(letter.rejection, raw=b""))
