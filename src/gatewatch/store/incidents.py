"""Incidents in SQL: the reading side, and the way into a unit of changes."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Select, exists, func, or_, select, tuple_

from gatewatch.errors import InputError, NotFoundError
from gatewatch.model.activity import Activity, ChainedActivity, Subject
from gatewatch.model.alert import Alert
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.predicate import Predicate
from gatewatch.model.review import Review
from gatewatch.model.suppression import Suppression
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import ActivityFilter, IncidentFilter, Selection, Sighting
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.activities import ActivityTable
from gatewatch.store.batches import batches
from gatewatch.store.cases import SqlCaseUnit, case_unit, entities_of
from gatewatch.store.engine import readers
from gatewatch.store.reviews import read_review
from gatewatch.store.selection import SelectionReader
from gatewatch.store.tables import alerts, incident_entities, incident_tags, incidents, suppressions

__all__ = ["IncidentTable"]

_INCIDENT = msgspec.msgpack.Decoder(Incident)
_ALERT = msgspec.msgpack.Decoder(Alert)
_SUPPRESSION = msgspec.msgpack.Decoder(Suppression)
_ORDERS: dict[str, tuple[ColumnElement[Any], type[float | int]]] = {
    "updated_at": (incidents.c.updated_at, float),
    "created_at": (incidents.c.created_at, float),
    "priority": (incidents.c.priority, int),
}
_MOST_COMMON = 50
"""An entity in more incidents than this says nothing about likeness."""
_COMPARED = 100
_BATCH = 400


class IncidentTable:
    """Implements `ports.cases.CaseStore`."""

    def __init__(self, engine: Engine) -> None:
        """Reads wait for nobody."""
        self._engine, self._readers = engine, readers(engine)
        self._activities = ActivityTable(engine)
        self._selections = SelectionReader(engine)

    def unit(self, at: float) -> AbstractContextManager[SqlCaseUnit]:
        """See CaseStore.unit."""
        return case_unit(self._engine, at)

    def incident(self, incident_id: int) -> Incident:
        """One incident."""
        with self._readers.connect() as connection:
            body = connection.execute(select(incidents.c.body).where(incidents.c.id == incident_id)).scalar()
        if body is None:
            raise NotFoundError(f"no incident {incident_id}")
        return _INCIDENT.decode(body)

    def incidents(
        self, where: IncidentFilter, *, order: str = "updated_at", cursor: str = "", limit: int = 50
    ) -> tuple[list[Incident], str]:
        """Newest or highest first."""
        if order not in _ORDERS:
            raise InputError(f"incidents can't be sorted by {order}", cure=f"Sort by one of {', '.join(_ORDERS)}.")
        column, kind = _ORDERS[order]
        query = _filtered(select(incidents.c.id, column.label("place"), incidents.c.body), where)
        if cursor:
            query = query.where(tuple_(column, incidents.c.id) < read_cursor(cursor, (kind, int)))
        query = query.order_by(column.desc(), incidents.c.id.desc()).limit(limit + 1)
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        following = write_cursor(kind(rows[limit - 1].place), int(rows[limit - 1].id)) if len(rows) > limit else ""
        return [_INCIDENT.decode(row.body) for row in rows[:limit]], following

    def alerts_of(self, incident: int, *, cursor: str = "", limit: int = 50) -> tuple[list[Alert], str]:
        """In event order."""
        query = select(alerts.c.id, alerts.c.first_seen, alerts.c.body).where(alerts.c.incident == incident)
        if cursor:
            query = query.where(tuple_(alerts.c.first_seen, alerts.c.id) > read_cursor(cursor, (float, str)))
        query = query.order_by(alerts.c.first_seen, alerts.c.id).limit(limit + 1)
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        following = write_cursor(float(rows[limit - 1].first_seen), rows[limit - 1].id) if len(rows) > limit else ""
        return [_ALERT.decode(row.body) for row in rows[:limit]], following

    def select_incidents(self, wanted: Selection) -> tuple[list[Incident], str]:
        """See SelectionReader."""
        return self._selections.incidents(wanted)

    def count_incidents(self, where: Predicate | None) -> int:
        """See SelectionReader."""
        return self._selections.count(incidents, where)

    def select_alerts(self, wanted: Selection) -> tuple[list[Alert], str]:
        """See SelectionReader."""
        return self._selections.alerts(wanted)

    def count_alerts(self, where: Predicate | None) -> int:
        """See SelectionReader."""
        return self._selections.count(alerts, where)

    def comments(self, subject: Subject, ids: Collection[str]) -> dict[str, list[Activity]]:
        """See ActivityTable.comments."""
        return self._activities.comments(subject, ids)

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Most recent first."""
        with self._readers.connect() as connection:
            return entities_of(connection, incident, limit)

    def similar(self, incident: int, limit: int) -> list[tuple[Incident, list[Entity]]]:
        """Rare things count more: each adds 1 / (number of incidents that name it)."""
        side = incident_entities.c
        scores: dict[int, float] = {}
        shared: dict[int, list[Entity]] = {}
        with self._readers.connect() as connection:
            for mine in self.entities_of(incident, _COMPARED):
                query = select(side.incident).where(side.kind == mine.kind, side.value == mine.value)
                others = connection.execute(query.limit(_MOST_COMMON + 1)).scalars().all()
                if len(others) > _MOST_COMMON:
                    continue
                for other in others:
                    if other != incident:
                        scores[other] = scores.get(other, 0.0) + 1 / len(others)
                        shared.setdefault(other, []).append(Entity(EntityKind(mine.kind), mine.value))
            best = sorted(scores, key=lambda other: (-scores[other], other))[: 2 * limit]
            rows = connection.execute(select(incidents.c.id, incidents.c.body).where(incidents.c.id.in_(best)))
            found = {row.id: _INCIDENT.decode(row.body) for row in rows}
        kept = [one for one in best if one in found and found[one].status is not IncidentStatus.REDIRECTED]
        return [(found[one], sorted(shared[one])) for one in kept[:limit]]

    def activities(
        self, *, incident: int = 0, subject: str = "", subject_id: str = "", cursor: str = "", limit: int = 50
    ) -> tuple[list[Activity], str]:
        """Newest first."""
        return self._activities.page(
            incident=incident, subject=subject, subject_id=subject_id, cursor=cursor, limit=limit
        )

    def audit(self, where: ActivityFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Activity], str]:
        """See CaseStore."""
        return self._activities.audit(where, cursor=cursor, limit=limit)

    def suppressions(self) -> list[Suppression]:
        """By name."""
        query = select(suppressions.c.body).order_by(suppressions.c.name)
        with self._readers.connect() as connection:
            return [_SUPPRESSION.decode(body) for body in connection.execute(query).scalars()]

    def review(self, incident: int) -> Review | None:
        """If there is one."""
        with self._readers.connect() as connection:
            return read_review(connection, incident)

    def merged_into(self, incident: int) -> list[int]:
        """Level by level; each incident is looked at once."""
        found, level = set[int](), {incident}
        with self._readers.connect() as connection:
            while level:
                sources: set[int] = set()
                for batch in batches(sorted(level), _BATCH):
                    # The second condition lets planners use the index of merged ones.
                    merged = incidents.c.redirect_to.in_(batch), incidents.c.redirect_to != 0
                    sources |= set(connection.execute(select(incidents.c.id).where(*merged)).scalars())
                level = sources - found - {incident}
                found |= level
        return sorted(found)

    def activity_chain(
        self, *, incidents: Collection[int] = (), subject: str = "", subject_ids: Collection[str] = ()
    ) -> tuple[list[ChainedActivity], int, str]:
        """See ActivityTable.chain."""
        return self._activities.chain(incidents=incidents, subject=subject, subject_ids=subject_ids)

    def verify_activities(self) -> int:
        """See ActivityTable.verify."""
        return self._activities.verify()

    def conclusions(self) -> dict[str, dict[Classification, int]]:
        """Read from an index of classified alerts alone: few are."""
        keys = (alerts.c.detector, alerts.c.classification)
        query = select(*keys, func.count().label("alerts")).where(alerts.c.classification != "unknown").group_by(*keys)
        found: dict[str, dict[Classification, int]] = {}
        with self._readers.connect() as connection:
            for row in connection.execute(query):
                found.setdefault(row.detector, {})[Classification(row.classification)] = row.alerts
        return found


def _filtered(query: Select[Any], where: IncidentFilter) -> Select[Any]:
    side = incidents.c
    if where.status:
        query = query.where(side.status.in_([status.value for status in where.status]))
    if where.severity:
        query = query.where(side.severity.in_([severity.rank for severity in where.severity]))
    if where.classification:
        query = query.where(side.classification.in_([one.value for one in where.classification]))
    if where.assigned_to is not None:
        query = query.where(side.assigned_to == where.assigned_to)
    if where.updated_since is not None:
        query = query.where(side.updated_at >= where.updated_since)
    if where.created_since is not None:
        query = query.where(side.created_at >= where.created_since)
    if where.tag:
        tagged = (incident_tags.c.incident == side.id) & (incident_tags.c.tag == where.tag)
        query = query.where(exists().where(tagged))
    if where.entity is not None:
        other = incident_entities.c
        named = (other.incident == side.id) & (other.kind == where.entity.kind.value)
        query = query.where(exists().where(named & (other.value == where.entity.value[:512])))
    if where.text:
        words = side.name.icontains(where.text, autoescape=True)
        query = query.where(or_(words, side.id == int(where.text)) if where.text.isdecimal() else words)
    return query
