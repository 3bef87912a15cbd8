"""Alerts, incidents and their audit log as the services that correlate and work on them see them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from gatewatch.model.activity import Activity, ChainedActivity, Subject
from gatewatch.model.alert import Alert, Severity
from gatewatch.model.correlation import Entity
from gatewatch.model.incident import AlertTotal, Incident, IncidentStatus
from gatewatch.model.predicate import Predicate
from gatewatch.model.review import Review
from gatewatch.model.suppression import Suppression
from gatewatch.model.verdict import Classification

__all__ = ["MOST_COUNTED", "ActivityFilter", "CaseStore", "CaseUnit", "IncidentFilter", "Selection", "Sighting"]

MOST_COUNTED = 100_000
"""Where counting by condition stops."""


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """When an incident met an entity (or a network, or a detector's key), in event time."""

    incident: int
    kind: str
    value: str
    first_seen: float
    last_seen: float


class ActivityFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    subject: str = ""
    subject_id: str = ""
    incident: int = 0
    action: str = ""
    by: str = ""
    since: float | None = None
    """At or after."""
    until: float | None = None
    """Before."""


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    status: tuple[IncidentStatus, ...] = ()
    severity: tuple[Severity, ...] = ()
    classification: tuple[Classification, ...] = ()
    assigned_to: str | None = None
    """'' for incidents of nobody."""
    tag: str = ""
    entity: Entity | None = None
    text: str = ""
    """Part of the name, or the id."""
    updated_since: float | None = None
    created_since: float | None = None


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """A page of what fulfils a condition, in the order of one column and then of the id."""

    where: Predicate | None = None
    order: str
    """Incidents: id, created_at, updated_at, priority. Alerts: id, created_at, changed_at, first_seen, last_seen."""
    descending: bool = True
    skip: int = 0
    limit: int = 50
    cursor: str = ""
    """Given by the page before; then `skip` is left aside."""


class CaseUnit(Protocol):
    """One transaction. Units follow each other: what one reads no other changes before it ends."""

    def pending(self, limit: int) -> list[Alert]:
        """Alerts whose last change no incident has looked at, oldest first."""
        ...

    def alert(self, alert_id: str) -> Alert:
        """One alert. Raises NotFoundError."""
        ...

    def alerts_of(self, incident: int, *, only_open: bool = False, limit: int | None = None) -> list[Alert]:
        """Alerts of an incident in event order; all of them without `limit`."""
        ...

    def incident(self, incident_id: int) -> Incident:
        """One incident. Raises NotFoundError."""
        ...

    def incidents(self, ids: Collection[int]) -> dict[int, Incident]:
        """Those that exist."""
        ...

    def first_activity(self) -> float:
        """Event time at which the first incident began; infinity before there is one."""
        ...

    def sightings(self, kind: str, value: str, *, since: float, until: float, limit: int) -> list[Sighting]:
        """Newest sightings of one thing that touch a stretch of event time."""
        ...

    def totals(self, incidents: Collection[int]) -> dict[int, list[AlertTotal]]:
        """Counted alerts per incident."""
        ...

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Entities that people see, most recent first."""
        ...

    def entity_count(self, incident: int) -> int:
        """How many entities an incident names."""
        ...

    def new_incident_id(self) -> int:
        """The next number."""
        ...

    def put_incident(self, incident: Incident) -> None:
        """Insert or replace."""
        ...

    def put_alert(self, alert: Alert) -> None:
        """Replace an alert that exists; if it is pending it stays so until it is settled."""
        ...

    def settle(self, alert_ids: Collection[str]) -> None:
        """Their incidents have looked at them."""
        ...

    def see(self, sightings: Iterable[Sighting]) -> None:
        """Widen known sightings, add new ones."""
        ...

    def move_sightings(self, source: int, target: int) -> None:
        """What one incident met the other has met."""
        ...

    def forget_sightings(self, incident: int) -> None:
        """Before they are built again from its alerts."""
        ...

    def because_of(self, chain: tuple[str, ...]) -> None:
        """What is changed from now on is the doing of these automation rules' last; () for nobody's."""
        ...

    def record(self, activities: Sequence[Activity]) -> list[Activity]:
        """Append to the audit log; the entries with their numbers and digests."""
        ...

    def suppressions(self) -> list[Suppression]:
        """All rules by name."""
        ...

    def put_suppression(self, rule: Suppression) -> None:
        """Insert or replace."""
        ...

    def delete_suppression(self, name: str) -> None:
        """Raises NotFoundError."""
        ...

    def review(self, incident: int) -> Review | None:
        """The review of an incident, if somebody has kept one."""
        ...

    def put_review(self, review: Review) -> None:
        """Insert or replace."""
        ...


class CaseStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def unit(self, at: float) -> AbstractContextManager[CaseUnit]:
        """A transaction whose changes are stamped with `at`; nothing of it is kept when the block raises."""
        ...

    def incident(self, incident_id: int) -> Incident:
        """One incident. Raises NotFoundError."""
        ...

    def incidents(
        self, where: IncidentFilter, *, order: str = "updated_at", cursor: str = "", limit: int = 50
    ) -> tuple[list[Incident], str]:
        """A page, newest or highest first; `order`: updated_at, created_at or priority."""
        ...

    def alerts_of(self, incident: int, *, cursor: str = "", limit: int = 50) -> tuple[list[Alert], str]:
        """A page of an incident's alerts in event order."""
        ...

    def select_incidents(self, wanted: Selection) -> tuple[list[Incident], str]:
        """(a page, next cursor). Raises InputError for a column that is not offered."""
        ...

    def count_incidents(self, where: Predicate | None) -> int:
        """How many fulfil a condition; counting stops at MOST_COUNTED."""
        ...

    def select_alerts(self, wanted: Selection) -> tuple[list[Alert], str]:
        """(a page, next cursor). Raises InputError for a column that is not offered."""
        ...

    def count_alerts(self, where: Predicate | None) -> int:
        """How many fulfil a condition; counting stops at MOST_COUNTED."""
        ...

    def comments(self, subject: Subject, ids: Collection[str]) -> dict[str, list[Activity]]:
        """Comments on each of these alerts or incidents, oldest first; nothing for those without."""
        ...

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Entities of an incident that people see, most recent first."""
        ...

    def similar(self, incident: int, limit: int) -> list[tuple[Incident, list[Entity]]]:
        """Other incidents that share entities, with what they share; those that share most first."""
        ...

    def activities(
        self, *, incident: int = 0, subject: str = "", subject_id: str = "", cursor: str = "", limit: int = 50
    ) -> tuple[list[Activity], str]:
        """Newest first."""
        ...

    def audit(self, where: ActivityFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Activity], str]:
        """Newest first. A page may be short, even empty, while there is a next one."""
        ...

    def conclusions(self) -> dict[str, dict[Classification, int]]:
        """Alerts per detector that people classified, counted."""
        ...

    def suppressions(self) -> list[Suppression]:
        """All rules by name."""
        ...

    def review(self, incident: int) -> Review | None:
        """The review of an incident, if somebody has kept one."""
        ...

    def merged_into(self, incident: int) -> list[int]:
        """Incidents that redirect to this one, also through others, by number."""
        ...

    def activity_chain(
        self, *, incidents: Collection[int] = (), subject: str = "", subject_ids: Collection[str] = ()
    ) -> tuple[list[ChainedActivity], int, str]:
        """Entries, oldest first, as their digests cover them; number and digest of the whole log's newest.

        Of incidents, or about subjects of one kind.
        """
        ...

    def verify_activities(self) -> int:
        """Check the chain of digests; how many entries hold. Raises StoreError naming the first that does not."""
        ...
