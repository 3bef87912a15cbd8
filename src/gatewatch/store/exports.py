"""Positions, passes and dead letters of export targets, and the things that they export."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Engine, Table, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from gatewatch.errors import NotFoundError
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert
from gatewatch.model.export import Exported, ExportKind
from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.ports.export import Letter, Progress, Walk
from gatewatch.store.batches import batches
from gatewatch.store.engine import readers
from gatewatch.store.scores import score_entries
from gatewatch.store.tables import activities, alerts, changes, export_letters, export_targets, findings, incidents

__all__ = ["ExportTable"]

_BATCH = 200
_WALK = msgspec.msgpack.Decoder(Walk)


class _Place(msgspec.Struct, frozen=True):
    """Where things of one kind are, and in what order a pass takes them."""

    table: Table
    key: Column[Any]
    order: Column[Any] | None
    """First key of the order; None: the key alone."""
    parse: Callable[[str], object]
    decode: Callable[[bytes], Exported]


_PLACES: Mapping[ExportKind, _Place] = {
    ExportKind.ALERT: _Place(alerts, alerts.c.id, alerts.c.last_seen, str, msgspec.msgpack.Decoder(Alert).decode),
    ExportKind.INCIDENT: _Place(incidents, incidents.c.id, None, int, msgspec.msgpack.Decoder(Incident).decode),
    ExportKind.FINDING: _Place(findings, findings.c.id, None, str, msgspec.msgpack.Decoder(Finding).decode),
    ExportKind.AUDIT: _Place(activities, activities.c.number, None, int, msgspec.msgpack.Decoder(Activity).decode),
}


class ExportTable:
    """Implements `ports.export.ExportStore`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine, self._readers = engine, readers(engine)

    def progress(self, target: str) -> Progress | None:
        """One target."""
        with self._readers.connect() as connection:
            query = select(export_targets).where(export_targets.c.target == target)
            row = connection.execute(query).mappings().first()
        return _progress(row) if row else None

    def begin(self, progress: Progress) -> Progress:
        """The first one to begin a target decides where."""
        values = {"target": progress.target, "position": progress.position, "week": progress.week}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(export_targets).values(**values, walk=_packed(progress.walk)))
        except IntegrityError:
            return self.progress(progress.target) or progress
        return progress

    def settle(self, progress: Progress, letters: Sequence[Letter] = ()) -> None:
        """In one transaction."""
        values = {
            "position": progress.position,
            "week": progress.week,
            "delivered": progress.delivered,
            "walk": _packed(progress.walk),
        }
        with self._engine.begin() as connection:
            connection.execute(_target(progress.target).values(values))
            for letter in letters:
                _put_letter(connection, letter)

    def pause(self, target: str, *, paused: bool) -> None:
        """People's switch."""
        self._change(target, paused=int(paused))

    def ask_walk(self, target: str, walk: Walk) -> None:
        """People's wish."""
        self._change(target, asked=_packed(walk))

    def accept_walk(self, target: str, walk: Walk) -> None:
        """Compared with what is there, so that a newer wish is not lost."""
        packed = _packed(walk)
        with self._engine.begin() as connection:
            wish = _target(target).where(export_targets.c.asked == packed)
            connection.execute(wish.values(walk=packed, asked=None))

    def _change(self, target: str, **values: object) -> None:
        with self._engine.begin() as connection:
            if not connection.execute(_target(target).values(**values)).rowcount:
                raise NotFoundError(f"no export target {target}")

    def letters(self, target: str, *, cursor: str = "", limit: int = 50) -> tuple[list[Letter], str]:
        """Newest first."""
        side = export_letters.c
        query = select(export_letters).where(side.target == target)
        if cursor:
            query = query.where(tuple_(side.refused_at, side.id) < read_cursor(cursor, (float, str)))
        found = self._letters(query.order_by(side.refused_at.desc(), side.id.desc()).limit(limit + 1))
        last = found[limit - 1] if len(found) > limit else None
        return found[:limit], write_cursor(last.refused_at, last.id) if last else ""

    def letter_count(self, target: str) -> int:
        """Counted."""
        query = select(func.count()).select_from(export_letters).where(export_letters.c.target == target)
        with self._readers.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def resend_letters(self, target: str, ids: Collection[str]) -> int:
        """Marks."""
        return self._each(ids, lambda part: update(export_letters).where(*_chosen(target, part)).values(resend=1))

    def drop_letters(self, target: str, ids: Collection[str]) -> int:
        """Deletes."""
        return self._each(ids, lambda part: delete(export_letters).where(*_chosen(target, part)))

    def forget_letters(self, ids: Collection[str]) -> None:
        """Deletes whatever target they are of."""
        self._each(ids, lambda part: delete(export_letters).where(export_letters.c.id.in_(part)))

    def _each(self, ids: Collection[str], statement: Callable[[Sequence[str]], Any]) -> int:
        with self._engine.begin() as connection:
            return sum(connection.execute(statement(part)).rowcount for part in batches(sorted(set(ids)), _BATCH))

    def wanted_letters(self, target: str, limit: int) -> list[Letter]:
        """Oldest first."""
        side = export_letters.c
        query = select(export_letters).where(side.target == target, side.resend == 1)
        return self._letters(query.order_by(side.refused_at, side.id).limit(limit))

    def _letters(self, query: Any) -> list[Letter]:
        with self._readers.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Letter(**{**row, "kind": ExportKind(row["kind"]), "resend": bool(row["resend"])}) for row in rows]

    def read(self, kind: ExportKind, subjects: Collection[str]) -> dict[str, Exported]:
        """By id."""
        with self._readers.connect() as connection:
            if kind is ExportKind.SCORE:
                return {name: one for name, one in score_entries(connection).items() if name in subjects}
            place, found = _PLACES[kind], dict[str, Exported]()
            for part in batches(sorted(set(subjects)), _BATCH):
                keys = [place.parse(subject) for subject in part]
                query = select(place.key.label("key"), place.table.c.body).where(place.key.in_(keys))
                found |= {str(row.key): place.decode(row.body) for row in connection.execute(query)}
        return found

    def walk(self, kind: ExportKind, after: tuple[float, str], limit: int) -> list[tuple[tuple[float, str], Exported]]:
        """Reads one index in its order."""
        if kind is ExportKind.SCORE:
            return self._walk_scores(after[1], limit)
        place = _PLACES[kind]
        order = place.key if place.order is None else place.order
        query = select(place.key.label("key"), order.label("place"), place.table.c.body)
        if place.order is not None:
            query = query.where(tuple_(place.order, place.key) > after).order_by(place.order, place.key)
        else:
            query = query.order_by(place.key)
            if after[1]:
                query = query.where(place.key > place.parse(after[1]))
        with self._readers.connect() as connection:
            rows = connection.execute(query.limit(limit)).all()
        ordered = place.order is not None
        return [((float(row.place) if ordered else 0.0, str(row.key)), place.decode(row.body)) for row in rows]

    def _walk_scores(self, after: str, limit: int) -> list[tuple[tuple[float, str], Exported]]:
        """The newest score's parts by name: they are in one row."""
        with self._readers.connect() as connection:
            known: list[tuple[str, Exported]] = sorted(score_entries(connection).items())
        return [((0.0, name), entry) for name, entry in known if name > after][:limit]

    def oldest_change(self) -> int:
        """From the primary key."""
        with self._readers.connect() as connection:
            return int(connection.execute(select(func.min(changes.c.seq))).scalar() or 0)

    def lag(self, position: int) -> tuple[int, float]:
        """Numbers have no gaps, so the count is a difference."""
        with self._readers.connect() as connection:
            newest = connection.execute(select(func.max(changes.c.seq))).scalar() or 0
            first = connection.execute(
                select(changes.c.at).where(changes.c.seq > position).order_by(changes.c.seq).limit(1)
            ).scalar()
        return max(0, int(newest) - position), float(first or 0.0)

    def forget_through(self, seq: int, *, before: float) -> int:
        """The newest stays, so that numbers go on."""
        newest = select(func.max(changes.c.seq)).scalar_subquery()
        wanted = delete(changes).where(changes.c.seq <= seq, changes.c.seq < newest, changes.c.at < before)
        with self._engine.begin() as connection:
            return int(connection.execute(wanted).rowcount)


def _target(target: str) -> Any:
    return update(export_targets).where(export_targets.c.target == target)


def _chosen(target: str, ids: Iterable[str]) -> tuple[Any, Any]:
    return export_letters.c.target == target, export_letters.c.id.in_(ids)


def _packed(walk: Walk | None) -> bytes | None:
    return msgspec.msgpack.encode(walk) if walk is not None else None


def _progress(row: Mapping[Any, Any]) -> Progress:
    walks = {name: _WALK.decode(row[name]) if row[name] is not None else None for name in ("walk", "asked")}
    return Progress(**{**row, "paused": bool(row["paused"]), **walks})


def _put_letter(connection: Connection, letter: Letter) -> None:
    values = msgspec.structs.asdict(letter) | {"kind": letter.kind.value, "resend": 0}
    again = {"reason": letter.reason, "refused_at": letter.refused_at, "event_id": letter.event_id, "resend": 0}
    known = update(export_letters).where(export_letters.c.id == letter.id)
    if not connection.execute(known.values(**again, attempts=export_letters.c.attempts + 1)).rowcount:
        connection.execute(insert(export_letters).values(values))
