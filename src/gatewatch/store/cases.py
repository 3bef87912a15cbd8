"""Alerts, incidents and activities changed together, one writer after the other."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

import msgspec
from sqlalchemy import Connection, Engine, Integer, bindparam, case, delete, func, insert, select, update

from gatewatch.errors import NotFoundError
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert, AlertStatus, Severity, Tactic
from gatewatch.model.correlation import EntityKind
from gatewatch.model.difference import Difference
from gatewatch.model.incident import AlertTotal, Incident
from gatewatch.model.review import Review
from gatewatch.model.suppression import Suppression
from gatewatch.ports.cases import Sighting
from gatewatch.ports.changes import ChangeKind
from gatewatch.store.activities import append_activities
from gatewatch.store.alerts import alert_row
from gatewatch.store.batches import batches
from gatewatch.store.notes import ChangeNotes
from gatewatch.store.order import append_changes, take_numbers, take_turn
from gatewatch.store.reviews import read_review, write_review
from gatewatch.store.tables import alerts, incident_entities, incident_tags, incidents, suppressions
from gatewatch.store.upserts import upserts_for

__all__ = ["SqlCaseUnit", "case_unit", "entities_of", "incident_row"]

_ALERT = msgspec.msgpack.Decoder(Alert)
_INCIDENT = msgspec.msgpack.Decoder(Incident)
_SUPPRESSION = msgspec.msgpack.Decoder(Suppression)
_SEVERITIES = sorted(Severity, key=lambda severity: severity.rank)
_MAX_VALUE = 512
_SHOWN = tuple(kind.value for kind in EntityKind)
_BATCH = 400


_SIGHTINGS = (
    select(incident_entities)
    .where(
        incident_entities.c.kind == bindparam("kind"),
        incident_entities.c.value == bindparam("value"),
        incident_entities.c.last_seen >= bindparam("since"),
        incident_entities.c.first_seen <= bindparam("until"),
    )
    .order_by(incident_entities.c.last_seen.desc())
    .limit(bindparam("most", type_=Integer))
)
"""Made once: putting it together anew for everything that an alert names cost more than running it."""


@contextmanager
def case_unit(engine: Engine, at: float) -> Iterator[SqlCaseUnit]:
    """A transaction that has taken its turn."""
    with engine.begin() as connection:
        take_turn(connection)
        unit = SqlCaseUnit(connection, at)
        yield unit
        unit.finish()


class SqlCaseUnit:
    """Implements `ports.cases.CaseUnit`."""

    def __init__(self, connection: Connection, at: float) -> None:
        """`connection` is in a transaction."""
        self._connection, self._at = connection, at
        self._upserts = upserts_for(connection.dialect.name)
        self._changed_alerts: dict[str, Difference | None] = {}
        self._unplaced: set[str] = set()
        self._changed_incidents: dict[int, None] = {}
        self._notes = ChangeNotes()
        # One incident is changed by many alerts of a batch: read once, written once.
        self._known: dict[int, Incident] = {}
        self._tagged: dict[int, tuple[str, ...]] = {}
        self._first_activity: float | None = None

    def finish(self) -> None:
        """Write the incidents and tell followers what changed."""
        self._write_incidents()
        told = list(self._changed_alerts.values())
        append_changes(self._connection, ChangeKind.ALERT, list(self._changed_alerts), self._at, told)
        noted = self._notes.finish(self._known)
        subjects, differences = [str(number) for number, _ in noted], [difference for _, difference in noted]
        append_changes(self._connection, ChangeKind.INCIDENT, subjects, self._at, differences)

    def pending(self, limit: int) -> list[Alert]:
        """Oldest first."""
        query = select(alerts.c.body).where(alerts.c.pending == 1).order_by(alerts.c.first_seen, alerts.c.id)
        return [self._read(body) for body in self._connection.execute(query.limit(limit)).scalars()]

    def _read(self, body: bytes) -> Alert:
        alert = _ALERT.decode(body)
        if not alert.incident:
            self._unplaced.add(alert.id)
        return alert

    def alert(self, alert_id: str) -> Alert:
        """One alert."""
        body = self._connection.execute(select(alerts.c.body).where(alerts.c.id == alert_id)).scalar()
        if body is None:
            raise NotFoundError(f"no alert {alert_id}")
        return self._read(body)

    def alerts_of(self, incident: int, *, only_open: bool = False, limit: int | None = None) -> list[Alert]:
        """In event order."""
        query = select(alerts.c.body).where(alerts.c.incident == incident).order_by(alerts.c.first_seen, alerts.c.id)
        query = query.limit(limit)
        if only_open:
            query = query.where(alerts.c.status.in_([AlertStatus.NEW.value, AlertStatus.IN_PROGRESS.value]))
        return [_ALERT.decode(body) for body in self._connection.execute(query).scalars()]

    def incident(self, incident_id: int) -> Incident:
        """One incident."""
        found = self.incidents([incident_id])
        if incident_id not in found:
            raise NotFoundError(f"no incident {incident_id}")
        return found[incident_id]

    def incidents(self, ids: Collection[int]) -> dict[int, Incident]:
        """Those that exist."""
        missing = sorted(number for number in ids if number not in self._known)
        for batch in batches(missing, _BATCH):
            query = select(incidents.c.id, incidents.c.body).where(incidents.c.id.in_(batch))
            for row in self._connection.execute(query):
                known = self._known[row.id] = _INCIDENT.decode(row.body)
                self._tagged[row.id] = (*known.tags, *known.system_tags)
        return {number: self._known[number] for number in ids if number in self._known}

    def first_activity(self) -> float:
        """Of the incident with the lowest number: close enough, and one reading of the key."""
        if self._first_activity is None:
            query = select(incidents.c.body).order_by(incidents.c.id).limit(1)
            body = self._connection.execute(query).scalar()
            if body is not None:
                self._first_activity = _INCIDENT.decode(body).first_activity
            elif not self._known:
                return math.inf
            else:
                self._first_activity = self._known[min(self._known)].first_activity
        return self._first_activity

    def sightings(self, kind: str, value: str, *, since: float, until: float, limit: int) -> list[Sighting]:
        """Newest first."""
        given = {"kind": kind, "value": value[:_MAX_VALUE], "since": since, "until": until, "most": limit}
        return [Sighting(**row) for row in self._connection.execute(_SIGHTINGS, given).mappings()]

    def totals(self, incidents: Collection[int]) -> dict[int, list[AlertTotal]]:
        """Counted in the store, so that an incident with many alerts costs one reading of an index."""
        found: dict[int, list[AlertTotal]] = {one: [] for one in incidents}
        side = alerts.c
        is_open = case((side.status.in_([AlertStatus.NEW.value, AlertStatus.IN_PROGRESS.value]), 1), else_=0)
        keys = (side.incident, side.detector, side.alert_type, side.tactic, side.severity, is_open.label("is_open"))
        for batch in batches(sorted(found), _BATCH):
            query = select(
                *keys,
                func.count().label("alerts"),
                func.sum(side.calls).label("calls"),
                func.min(side.first_seen).label("first_seen"),
                func.max(side.last_seen).label("last_seen"),
                func.min(side.detected_at).label("detected_at"),
            )
            query = query.where(side.incident.in_(batch)).group_by(*(key for key in keys))
            for row in self._connection.execute(query).mappings():
                total = {**row, "calls": int(row["calls"] or 0), "is_open": bool(row["is_open"])}
                total |= {"severity": _SEVERITIES[row["severity"]], "tactic": Tactic(row["tactic"])}
                found[row["incident"]].append(AlertTotal(**total))
        return found

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Most recent first."""
        return entities_of(self._connection, incident, limit)

    def entity_count(self, incident: int) -> int:
        """Networks and keys of detectors counted too."""
        query = select(func.count()).where(incident_entities.c.incident == incident)
        return int(self._connection.execute(query).scalar_one())

    def new_incident_id(self) -> int:
        """The next number."""
        return take_numbers(self._connection, "incident", 1)

    def put_incident(self, incident: Incident) -> None:
        """Insert or replace, with its tags."""
        self._notes.put(incident.id, self._known.get(incident.id))
        self._known[incident.id] = incident
        self._changed_incidents[incident.id] = None

    def _write_incidents(self) -> None:
        changed = [self._known[number] for number in self._changed_incidents]
        if not changed:
            return
        self._connection.execute(self._upserts.incidents, [incident_row(incident) for incident in changed])
        for incident in changed:
            tags = (*incident.tags, *incident.system_tags)
            if tags != self._tagged.get(incident.id, ()):
                self._connection.execute(delete(incident_tags).where(incident_tags.c.incident == incident.id))
                rows = [{"tag": tag[:128], "incident": incident.id} for tag in dict.fromkeys(tags)]
                if rows:
                    self._connection.execute(insert(incident_tags), rows)

    def put_alert(self, alert: Alert) -> None:
        """Replace; stamped as changed now."""
        new = msgspec.structs.replace(alert, changed_at=self._at)
        self._connection.execute(update(alerts).where(alerts.c.id == alert.id).values(alert_row(new)))
        if alert.incident and alert.id in self._unplaced:
            # Only now: before, nobody knew its incident, nor whether a suppression dismisses it.
            self._unplaced.remove(alert.id)
            self._changed_alerts[alert.id] = Difference(created=True, by="correlation")
        self._changed_alerts.setdefault(alert.id, None)

    def because_of(self, chain: tuple[str, ...]) -> None:
        """Told with the changes."""
        self._notes.because_of(chain, self._known)

    def settle(self, alert_ids: Collection[str]) -> None:
        """Not pending any more."""
        for batch in batches(list(alert_ids), _BATCH):
            self._connection.execute(update(alerts).where(alerts.c.id.in_(batch)).values(pending=0))

    def see(self, sightings: Iterable[Sighting]) -> None:
        """Widen or add."""
        rows = [msgspec.structs.asdict(one) | {"value": one.value[:_MAX_VALUE]} for one in sightings]
        if rows:
            self._connection.execute(self._upserts.entities, rows)

    def move_sightings(self, source: int, target: int) -> None:
        """Widen what the target knows."""
        query = select(incident_entities).where(incident_entities.c.incident == source)
        rows = self._connection.execute(query).mappings().all()
        self.see(Sighting(**{**row, "incident": target}) for row in rows)
        self.forget_sightings(source)

    def forget_sightings(self, incident: int) -> None:
        """All of one incident."""
        self._connection.execute(delete(incident_entities).where(incident_entities.c.incident == incident))

    def record(self, activities: Sequence[Activity]) -> list[Activity]:
        """Append to the audit log."""
        self._notes.hear(activities)
        return append_activities(self._connection, activities, self._at)

    def suppressions(self) -> list[Suppression]:
        """By name."""
        query = select(suppressions.c.body).order_by(suppressions.c.name)
        return [_SUPPRESSION.decode(body) for body in self._connection.execute(query).scalars()]

    def put_suppression(self, rule: Suppression) -> None:
        """Insert or replace."""
        row = {"name": rule.name, "incident": rule.incident, "body": msgspec.msgpack.encode(rule)}
        known = suppressions.c.name == rule.name
        if not self._connection.execute(update(suppressions).where(known).values(row)).rowcount:
            self._connection.execute(insert(suppressions).values(row))

    def delete_suppression(self, name: str) -> None:
        """What it dismissed stays dismissed."""
        if not self._connection.execute(delete(suppressions).where(suppressions.c.name == name)).rowcount:
            raise NotFoundError(f"no suppression rule {name}")

    def review(self, incident: int) -> Review | None:
        """If there is one."""
        return read_review(self._connection, incident)

    def put_review(self, review: Review) -> None:
        """Insert or replace."""
        write_review(self._connection, review)


def entities_of(connection: Connection, incident: int, limit: int) -> list[Sighting]:
    """Entities that people see, most recent first."""
    side = incident_entities.c
    query = select(incident_entities).where(side.incident == incident, side.kind.in_(_SHOWN))
    query = query.order_by(side.last_seen.desc(), side.kind, side.value).limit(limit)
    return [Sighting(**row) for row in connection.execute(query).mappings()]


def incident_row(incident: Incident) -> dict[str, object]:
    """The columns of one incident."""
    return {
        "id": incident.id,
        "name": incident.name,
        "status": incident.status.value,
        "severity": incident.severity.rank,
        "classification": incident.classification.value,
        "determination": incident.determination.value,
        "assigned_to": incident.assigned_to,
        "priority": incident.priority,
        "created_at": incident.created_at,
        "updated_at": incident.updated_at,
        "last_activity": incident.last_activity,
        "revision": incident.revision,
        "redirect_to": incident.redirect_to,
        "body": msgspec.msgpack.encode(incident),
    }
