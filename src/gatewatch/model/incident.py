"""Incidents and the words around them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gatewatch.model.alert import Severity, Tactic
from gatewatch.model.verdict import Classification, Determination

__all__ = ["AlertTotal", "EntityVerdict", "Incident", "IncidentStatus", "PriorityFactor", "Task"]


class IncidentStatus(StrEnum):
    """Life cycle; REDIRECTED is the tombstone of an incident that was merged into another."""

    ACTIVE = "active"
    IN_PROGRESS = "in_progress"
    AWAITING_ACTION = "awaiting_action"
    RESOLVED = "resolved"
    REDIRECTED = "redirected"

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something."""
        return self in (IncidentStatus.ACTIVE, IncidentStatus.IN_PROGRESS, IncidentStatus.AWAITING_ACTION)


class EntityVerdict(StrEnum):
    """What is thought of an entity; set by rule from its alerts, or by a person."""

    UNKNOWN = "unknown"
    SUSPICIOUS = "suspicious"
    MALICIOUS = "malicious"
    COMPROMISED = "compromised"
    CLEAN = "clean"


class PriorityFactor(msgspec.Struct, frozen=True, kw_only=True):
    """What one consideration added to the priority score."""

    name: str
    points: float
    reason: str


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done about an incident."""

    id: str
    title: str
    done: bool = False
    assigned_to: str = ""
    due_at: float | None = None
    created_at: float
    created_by: str
    done_at: float | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that tell one story. Bounded: alerts, entities, comments and activities have tables of their own."""

    id: int
    name: str
    """Made from its alerts unless `named`."""
    named: bool = False
    """A person gave the name."""
    status: IncidentStatus = IncidentStatus.ACTIVE
    severity: Severity
    """The highest of its alerts unless `severity_fixed`."""
    severity_fixed: bool = False
    classification: Classification = Classification.UNKNOWN
    determination: Determination = Determination.UNKNOWN
    assigned_to: str = ""
    description: str = ""
    resolving_comment: str = ""
    tags: tuple[str, ...] = ()
    """Given by people."""
    system_tags: tuple[str, ...] = ()
    """Given by rule: `Reopened`, `Campaign`, ..."""
    tasks: tuple[Task, ...] = ()
    redirect_to: int = 0
    """Where the alerts went when this one was merged away."""
    priority: int = 0
    """0 to 100; 85 and more is looked at first."""
    factors: tuple[PriorityFactor, ...] = ()
    created_at: float
    """Unix seconds when it was opened here."""
    updated_at: float
    """When it was last changed here, by rule or by a person."""
    updated_by: str = ""
    first_activity: float
    """Event time."""
    last_activity: float
    first_detected: float
    """Event time at which its first alert's condition became true."""
    acknowledged_at: float | None = None
    """When a person first took it."""
    resolved_at: float | None = None
    reopened: int = 0
    alerts: int = 0
    """How many; `open_alerts` of them are not resolved or dismissed."""
    open_alerts: int = 0
    calls: int = 0
    """Transactions that its alerts count together."""
    tactics: tuple[Tactic, ...] = ()
    """In order of first appearance."""
    alert_types: tuple[str, ...] = ()
    detectors: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    """`alert type, endpoint` of bursts by many sources that it holds."""
    verdicts: dict[str, EntityVerdict] = {}
    """`kind value` -> what a person said of it."""
    revision: int = 1
    """Counts every change; the ETag."""


class AlertTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts of one incident that have these in common, counted."""

    incident: int
    detector: str
    alert_type: str
    tactic: Tactic
    severity: Severity
    is_open: bool
    alerts: int
    calls: int
    first_seen: float
    last_seen: float
    detected_at: float
