"""The audit log in SQL: numbered, chained by digests, never changed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, insert, select

from gatewatch.errors import StoreError
from gatewatch.model.activity import Activity, ChainedActivity, Subject, chained
from gatewatch.ports.cases import ActivityFilter
from gatewatch.ports.changes import ChangeKind
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.batches import batches
from gatewatch.store.engine import readers
from gatewatch.store.order import append_changes, take_numbers
from gatewatch.store.tables import activities

__all__ = ["ActivityTable", "append_activities"]

_ACTIVITY = msgspec.msgpack.Decoder(Activity)
_PAGE, _BATCH = 1000, 400
_SUBJECT = 64
_MOST_LOOKED_AT = 20_000
"""About 50 ms."""
_CLOCKS_S = 3600.0


def append_activities(connection: Connection, new: Sequence[Activity], at: float) -> list[Activity]:
    """Number, chain and keep entries; the caller has taken its turn."""
    if not new:
        return []
    first = take_numbers(connection, "activity", len(new))
    before = connection.execute(select(activities.c.body).where(activities.c.number == first - 1)).scalar()
    digest = _ACTIVITY.decode(before).digest if before is not None else ""
    kept = []
    for number, entry in enumerate(new, start=first):
        numbered = msgspec.structs.replace(entry, number=number, digest="")
        digest = chained(digest, numbered)
        kept.append(msgspec.structs.replace(numbered, digest=digest))
    connection.execute(insert(activities), [_row(entry) for entry in kept])
    append_changes(connection, ChangeKind.AUDIT, [str(entry.number) for entry in kept], at)
    return kept


class ActivityTable:
    """Read side."""

    def __init__(self, engine: Engine) -> None:
        """Reads wait for nobody."""
        self._readers = readers(engine)

    def page(
        self, *, incident: int, subject: str, subject_id: str, cursor: str, limit: int
    ) -> tuple[list[Activity], str]:
        """Newest first."""
        query = select(activities.c.number, activities.c.body).order_by(activities.c.number.desc()).limit(limit + 1)
        if incident:
            query = query.where(activities.c.incident == incident)
        if subject:
            query = query.where(activities.c.subject == subject)
        if subject_id:
            query = query.where(activities.c.subject_id == subject_id)
        if cursor:
            (before,) = read_cursor(cursor, (int,))
            query = query.where(activities.c.number < before)
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        following = write_cursor(int(rows[limit - 1].number)) if len(rows) > limit else ""
        return [_ACTIVITY.decode(row.body) for row in rows[:limit]], following

    def audit(self, where: ActivityFilter, *, cursor: str, limit: int) -> tuple[list[Activity], str]:
        """Newest first.

        Who did it stands in the entry, which nobody may change, and in no column; so a call looks at _MOST_LOOKED_AT
        entries, and no filter reads the whole log at once.
        """
        found: list[Activity] = []
        before = int(read_cursor(cursor, (int,))[0]) if cursor else None
        with self._readers.connect() as connection:
            for _ in range(_MOST_LOOKED_AT // _PAGE):
                query = _about(where) if before is None else _about(where).where(activities.c.number < before)
                entries = [_ACTIVITY.decode(body) for body in connection.execute(query.limit(_PAGE)).scalars()]
                found += [entry for entry in entries if _holds(entry, where)]
                if len(found) > limit:
                    return found[:limit], write_cursor(found[limit - 1].number)
                # Clocks of servers differ by less: what is older still was not done since.
                old = where.since is not None and entries and entries[-1].at < where.since - _CLOCKS_S
                if len(entries) < _PAGE or old:
                    return found, ""
                before = entries[-1].number
        return found, write_cursor(before or 0)

    def comments(self, subject: Subject, ids: Collection[str]) -> dict[str, list[Activity]]:
        """Oldest first per id."""
        found: dict[str, list[Activity]] = {}
        side = activities.c
        with self._readers.connect() as connection:
            for batch in batches(sorted(set(ids)), _BATCH):
                query = select(side.body).where(side.subject == subject.value, side.subject_id.in_(batch))
                query = query.where(side.action == "comment").order_by(side.number)
                for entry in map(_ACTIVITY.decode, connection.execute(query).scalars()):
                    found.setdefault(entry.subject_id, []).append(entry)
        return found

    def chain(
        self, *, incidents: Collection[int], subject: str, subject_ids: Collection[str]
    ) -> tuple[list[ChainedActivity], int, str]:
        """All entries asked for, oldest first, each with the digest before it; number, digest of the log's newest."""
        other, side = activities.alias("other"), activities.c
        query = select(side.number, side.body, other.c.body.label("before"))
        query = query.select_from(activities.outerjoin(other, other.c.number == side.number - 1))
        if subject:
            query = query.where(side.subject == subject, side.subject_id.in_([name[:_SUBJECT] for name in subject_ids]))
        parts = [query.where(side.incident.in_(batch)) for batch in batches(sorted(set(incidents)), _BATCH)] or [query]
        newest = select(side.body).order_by(side.number.desc()).limit(1)
        with self._readers.connect() as connection:
            rows = sorted((row for part in parts for row in connection.execute(part)), key=lambda row: row.number)
            head = connection.execute(newest).scalar()
        found = [
            ChainedActivity(
                before=_ACTIVITY.decode(row.before).digest if row.before is not None else "",
                entry=_ACTIVITY.decode(row.body),
            )
            for row in rows
        ]
        last = _ACTIVITY.decode(head) if head is not None else None
        return found, last.number if last else 0, last.digest if last else ""

    def verify(self) -> int:
        """How many entries hold."""
        digest, number = "", 0
        while True:
            query = select(activities.c.body).where(activities.c.number > number).order_by(activities.c.number)
            with self._readers.connect() as connection:
                bodies = connection.execute(query.limit(_PAGE)).scalars().all()
            if not bodies:
                return number
            for body in bodies:
                entry = _ACTIVITY.decode(body)
                digest = chained(digest, entry)
                if entry.number != number + 1 or entry.digest != digest:
                    raise StoreError(f"the audit log was changed at entry {number + 1}")
                number = entry.number


def _about(where: ActivityFilter) -> Select[Any]:
    """Newest first, by what has a column."""
    side = activities.c
    given = {side.subject: where.subject, side.subject_id: where.subject_id, side.incident: where.incident}
    conditions = [column == value for column, value in {**given, side.action: where.action}.items() if value]
    return select(side.body).where(*conditions).order_by(side.number.desc())


def _holds(entry: Activity, where: ActivityFilter) -> bool:
    return (
        where.by in ("", entry.by)
        and (where.since is None or entry.at >= where.since)
        and (where.until is None or entry.at < where.until)
    )


def _row(entry: Activity) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at,
        "subject": entry.subject.value,
        "subject_id": entry.subject_id,
        "incident": entry.incident,
        "action": entry.action,
        "origin": entry.origin.value,
        "body": msgspec.msgpack.encode(entry),
    }
