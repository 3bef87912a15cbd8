"""Durable intake."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from gatewatch.model.ledger import LedgerEntry
from gatewatch.model.rejection import Rejection

__all__ = [
    "BlockRange",
    "Checkpoint",
    "DeadLetter",
    "DeadLetters",
    "Intake",
    "Journal",
    "JournalRecord",
    "StoredRecord",
]


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One acknowledged piece of intake: raw wire bytes of `count` transactions."""

    source: str
    format: str
    """`WireFormatMeta.id`."""
    position: str = ""
    """Stable place in the source (file identity and byte offset); '' when the journal's offset shall serve."""
    first_line: int = 1
    received_at: float
    count: int
    payload: bytes


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record with its place in the journal."""

    offset: int
    end: int
    """Offset of the record after it."""
    record: JournalRecord


class BlockRange(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the journal that is stored as one block, with the token that makes storing it idempotent."""

    start: int
    end: int
    token: str
    template_version: int
    """Templates that observed it; a replay uses the same."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """How far the journal is consumed and what became of everything before. Replaced atomically."""

    consumed: int = 0
    intent: tuple[BlockRange, ...] = ()
    """Blocks begun and perhaps already stored, in order; replayed with the very same ranges and tokens."""
    ledger: tuple[LedgerEntry, ...] = ()
    """Counts at `consumed` (`received` included)."""


class Intake(Protocol):
    """What a collector needs of a journal."""

    def append(self, records: Sequence[JournalRecord]) -> int:
        """Return the end offset once all records are durable. Raises `JournalFullError`, having taken nothing."""
        ...


class Journal(Protocol):
    """Append-only, CRC-framed, sealed at rest, bounded. Thread-safe."""

    refusing: bool
    """The last append was not taken: the journal or its disk is full, or broken."""

    def append(self, records: Sequence[JournalRecord]) -> int:
        """Return the end offset once all records are durable (group fsync).

        Raises `JournalFullError`, having taken nothing.
        """
        ...

    def read(self, offset: int, *, max_bytes: int) -> list[StoredRecord]:
        """Records from `offset` on, at least one if there is one; [] at the end."""
        ...

    def wait(self, offset: int, timeout_s: float) -> bool:
        """Block until there is a durable record at `offset`; False on time-out."""
        ...

    def checkpoint(self) -> Checkpoint:
        """The last committed checkpoint."""
        ...

    def commit(self, checkpoint: Checkpoint) -> None:
        """Make the checkpoint durable, then drop segments wholly before `consumed`."""
        ...

    def received(self) -> dict[str, int]:
        """Transactions received per source since ever (checkpoint plus what lies after it)."""
        ...

    def end(self) -> int:
        """Offset after the last durable record."""
        ...

    def used_bytes(self) -> int:
        """Bytes on disk."""
        ...

    def close(self) -> None:
        """Flush and release."""
        ...


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected piece of input, kept (sealed) until it is re-submitted or dropped."""

    id: str
    source: str
    format: str
    received_at: float
    rejection: Rejection


class DeadLetters(Protocol):
    """Where rejected input waits."""

    def put(self, token: str, letters: Sequence[DeadLetter]) -> None:
        """Keep the letters of one block; the same token again replaces them (idempotent). Durable on return."""
        ...

    def list(self, *, source: str | None = None, after: str = "", limit: int = 100) -> Sequence[DeadLetter]:
        """Letters in order of their ids, after the given id."""
        ...

    def get(self, ids: Sequence[str]) -> Sequence[DeadLetter]:
        """The letters with these ids that are there."""
        ...

    def drop(self, ids: Sequence[str]) -> int:
        """Forget these; returns how many there were."""
        ...
