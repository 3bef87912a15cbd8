"""One order for all writers of alerts, incidents and activities, and the log of what they changed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from gatewatch.model.difference import Difference
from gatewatch.ports.changes import Change, ChangeKind
from gatewatch.store.engine import readers
from gatewatch.store.tables import changes, counters

__all__ = ["ChangeTable", "append_changes", "take_numbers", "take_turn"]


def take_turn(connection: Connection) -> None:
    """Wait for other writers. First in every transaction that appends changes: so numbers appear in order of commit."""
    connection.execute(update(counters).where(counters.c.name == "case").values(value=counters.c.value + 1))


def take_numbers(connection: Connection, name: str, count: int) -> int:
    """The first of `count` new numbers."""
    wanted = update(counters).where(counters.c.name == name).values(value=counters.c.value + count)
    return int(connection.execute(wanted.returning(counters.c.value)).scalar_one()) - count + 1


_DIFFERENCE = msgspec.msgpack.Decoder(Difference)


def append_changes(
    connection: Connection,
    kind: ChangeKind,
    subjects: Sequence[str],
    at: float,
    differences: Sequence[Difference | None] = (),
) -> None:
    """Remember what changed, and what was different then: one per subject, or none at all."""
    if subjects:
        told = [_packed(one) for one in differences] or [None] * len(subjects)
        first = take_numbers(connection, "change", len(subjects))
        rows = [
            {"seq": first + index, "kind": kind.value, "subject": subject, "at": at, "difference": told[index]}
            for index, subject in enumerate(subjects)
        ]
        connection.execute(insert(changes), rows)


def _packed(difference: Difference | None) -> bytes | None:
    return None if difference is None or difference.empty else msgspec.msgpack.encode(difference)


class ChangeTable:
    """Implements `ports.changes.ChangeLog`."""

    def __init__(self, engine: Engine) -> None:
        """Reads wait for nobody."""
        self._engine, self._readers = engine, readers(engine)

    def changes(self, after: int, limit: int) -> list[Change]:
        """The next ones."""
        query = select(changes).where(changes.c.seq > after).order_by(changes.c.seq).limit(limit)
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Change(
                seq=row.seq,
                kind=ChangeKind(row.kind),
                subject=row.subject,
                at=row.at,
                difference=_DIFFERENCE.decode(row.difference) if row.difference is not None else None,
            )
            for row in rows
        ]

    def head(self) -> int:
        """The newest number."""
        with self._readers.connect() as connection:
            return int(connection.execute(select(func.max(changes.c.seq))).scalar() or 0)

    def forget_changes(self, before: float) -> int:
        """Old ones go; the newest stays, so that numbers go on."""
        newest = select(func.max(changes.c.seq)).scalar_subquery()
        with self._engine.begin() as connection:
            wanted = delete(changes).where(changes.c.at < before, changes.c.seq < newest)
            return int(connection.execute(wanted).rowcount)
