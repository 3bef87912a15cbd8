"""Taking input: split to records, count, append. What is returned is durable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO

from gatewatch.errors import InputError, NotFoundError
from gatewatch.ports.clock import Clock
from gatewatch.ports.journal import DeadLetters, Journal, JournalRecord
from gatewatch.ports.wire import WireFormat

__all__ = ["Ingest"]

_RECORD_BYTES = 1024 * 1024


class Ingest:
    """The door for pushed input."""

    def __init__(self, journal: Journal, letters: DeadLetters, formats: Mapping[str, WireFormat], clock: Clock) -> None:
        """`formats` by id."""
        self._journal, self._letters, self._formats, self._clock = journal, letters, formats, clock

    def accept(self, source: str, format_id: str, body: bytes) -> int:
        """Transactions acknowledged. Raises InputError for an unknown format, JournalFullError having taken nothing."""
        format_ = self._formats.get(format_id)
        if format_ is None:
            raise InputError(f"no format `{format_id}`", cure=f"Known formats: {', '.join(sorted(self._formats))}.")
        now = self._clock.now()
        records = [
            JournalRecord(
                source=source,
                format=format_id,
                received_at=now,
                first_line=first,
                count=count,
                payload=piece,
            )
            for piece, first in format_.payloads(BytesIO(body), max_bytes=_RECORD_BYTES)
            if (count := format_.count(piece))
        ]
        if records:
            self._journal.append(records)
        return sum(record.count for record in records)

    def resubmit(self, ids: Sequence[str]) -> int:
        """Send dead letters through again; they are dropped once they are in the journal. Raises NotFoundError."""
        letters = self._letters.get(ids)
        if len(letters) < len(set(ids)):
            missing = sorted(set(ids) - {letter.id for letter in letters})
            raise NotFoundError(f"no dead letter {missing[0]}")
        now = self._clock.now()
        whole = [letter for letter in letters if letter.rejection.raw]
        records = [
            JournalRecord(
                source=letter.source,
                format=letter.format,
                position=f"letter-{letter.id}",
                first_line=letter.rejection.line,
                received_at=now,
                count=max(1, self._formats[letter.format].count(letter.rejection.raw)),
                payload=letter.rejection.raw,
            )
            for letter in whole
            if letter.format in self._formats
        ]
        if records:
            self._journal.append(records)
        self._letters.drop([letter.id for letter in whole])
        return len(records)
