"""Alerts in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, Select, and_, delete, exists, func, insert, or_, select, tuple_, update

from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.alert import Alert, AlertStatus
from gatewatch.ports.control import AlertFilter
from gatewatch.store.cursors import read_cursor, write_cursor
from gatewatch.store.tables import alert_subjects, alerts

__all__ = ["AlertTable"]

_ALERT = msgspec.msgpack.Decoder(Alert)
T = TypeVar("T")
_BATCH = 200
_MAX_SUBJECT = 512


class AlertTable:
    """The alert side of the control store."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine = engine

    def upsert(self, changed: Sequence[Alert]) -> int:
        """New ones in, known ones updated but for status; equal ones untouched. Returns how many rows changed."""
        count = 0
        with self._engine.begin() as connection:
            for batch in _batches(list({alert.id: alert for alert in changed}.values()), _BATCH):
                count += self._upsert_batch(connection, batch)
        return count

    def _upsert_batch(self, connection: Connection, batch: Sequence[Alert]) -> int:
        rows = connection.execute(select(alerts.c.id, alerts.c.body).where(alerts.c.id.in_([a.id for a in batch])))
        known = {row.id: _ALERT.decode(row.body) for row in rows}
        fresh = [alert for alert in batch if alert.id not in known]
        renewed = [
            new for alert in batch if alert.id in known and (new := _renewed(known[alert.id], alert)) is not None
        ]
        if fresh:
            connection.execute(insert(alerts), [_row(alert) for alert in fresh])
        for alert in renewed:
            connection.execute(update(alerts).where(alerts.c.id == alert.id).values(_row(alert)))
        self._index(connection, [*fresh, *renewed])
        return len(fresh) + len(renewed)

    def _index(self, connection: Connection, changed: Sequence[Alert]) -> None:
        if changed:
            ids = [alert.id for alert in changed]
            connection.execute(delete(alert_subjects).where(alert_subjects.c.alert_id.in_(ids)))
            subjects = [row for alert in changed for row in _subjects(alert)]
            if subjects:
                connection.execute(insert(alert_subjects), subjects)

    def latest(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Alert]:
        """Newest alert per (detector, key)."""
        found: dict[tuple[str, str], Alert] = {}
        with self._engine.connect() as connection:
            for batch in _batches(list(keys), _BATCH):
                wanted = tuple_(alerts.c.detector, alerts.c.key).in_(batch)
                query = (
                    select(alerts.c.detector, alerts.c.key, alerts.c.body).where(wanted).order_by(alerts.c.first_seen)
                )
                for row in connection.execute(query):
                    found[row.detector, row.key] = _ALERT.decode(row.body)
        return found

    def get(self, alert_id: str) -> Alert:
        """One alert."""
        with self._engine.connect() as connection:
            body = connection.execute(select(alerts.c.body).where(alerts.c.id == alert_id)).scalar()
        if body is None:
            raise NotFoundError(f"no alert {alert_id}")
        return _ALERT.decode(body)

    def page(self, where: AlertFilter, cursor: str, limit: int) -> tuple[list[Alert], str]:
        """Newest last_seen first."""
        query = _filtered(select(alerts.c.body, alerts.c.last_seen, alerts.c.id), where)
        if cursor:
            last_seen, alert_id = read_cursor(cursor, (float, str))
            before = or_(alerts.c.last_seen < last_seen, and_(alerts.c.last_seen == last_seen, alerts.c.id < alert_id))
            query = query.where(before)
        query = query.order_by(alerts.c.last_seen.desc(), alerts.c.id.desc()).limit(limit + 1)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        more = len(rows) > limit
        shown = rows[:limit]
        following = write_cursor(float(shown[-1].last_seen), shown[-1].id) if more else ""
        return [_ALERT.decode(row.body) for row in shown], following

    def count(self, where: AlertFilter) -> int:
        """How many match."""
        with self._engine.connect() as connection:
            inner = _filtered(select(alerts.c.id), where).subquery()
            return int(connection.execute(select(func.count()).select_from(inner)).scalar() or 0)

    def set_status(self, alert_id: str, status: AlertStatus, revision: int | None, at: float) -> Alert:
        """Change the status when the revision is still the one that was read."""
        with self._engine.begin() as connection:
            body = connection.execute(select(alerts.c.body).where(alerts.c.id == alert_id).with_for_update()).scalar()
            if body is None:
                raise NotFoundError(f"no alert {alert_id}")
            alert = _ALERT.decode(body)
            if revision is not None and revision != alert.revision:
                raise ConflictError(
                    f"alert {alert_id} is at revision {alert.revision}, not {revision}",
                    cure="Read it again, then decide.",
                )
            if status is alert.status:
                return alert
            new = msgspec.structs.replace(alert, status=status, updated_at=at, revision=alert.revision + 1)
            connection.execute(update(alerts).where(alerts.c.id == alert_id).values(_row(new)))
            return new


def _renewed(old: Alert, new: Alert) -> Alert | None:
    """The new detector side under the old status; None when nothing changed."""
    kept = msgspec.structs.replace(new, status=old.status, revision=old.revision, updated_at=old.updated_at)
    if kept == old:
        return None
    return msgspec.structs.replace(kept, revision=old.revision + 1, updated_at=max(old.updated_at, new.updated_at))


def _row(alert: Alert) -> dict[str, object]:
    return {
        "id": alert.id,
        "detector": alert.detector,
        "key": alert.key,
        "alert_type": alert.alert_type,
        "severity": alert.severity.rank,
        "status": alert.status.value,
        "first_seen": alert.first_seen,
        "last_seen": alert.last_seen,
        "revision": alert.revision,
        "body": msgspec.msgpack.encode(alert),
    }


def _subjects(alert: Alert) -> list[dict[str, str]]:
    named = [("actor", actor.id) for actor in alert.actors]
    named += [("address", address) for address in alert.client_ips]
    named += [("endpoint", endpoint) for endpoint in alert.endpoints]
    unique = dict.fromkeys((kind, subject[:_MAX_SUBJECT]) for kind, subject in named)
    return [{"kind": kind, "subject": subject, "alert_id": alert.id} for kind, subject in unique]


def _filtered(query: Select[Any], where: AlertFilter) -> Select[Any]:
    if where.status:
        query = query.where(alerts.c.status.in_([status.value for status in where.status]))
    if where.severity:
        query = query.where(alerts.c.severity.in_([severity.rank for severity in where.severity]))
    if where.alert_type:
        query = query.where(alerts.c.alert_type.in_(where.alert_type))
    if where.detector:
        query = query.where(alerts.c.detector.in_(where.detector))
    if where.since is not None:
        query = query.where(alerts.c.last_seen >= where.since)
    if where.until is not None:
        query = query.where(alerts.c.first_seen < where.until)
    for kind, subject in (("actor", where.actor), ("address", where.client_ip), ("endpoint", where.endpoint)):
        if subject:
            named = and_(
                alert_subjects.c.alert_id == alerts.c.id,
                alert_subjects.c.kind == kind,
                alert_subjects.c.subject == subject,
            )
            query = query.where(exists().where(named))
    return query


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
