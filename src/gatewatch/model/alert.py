"""Alerts and the words around them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gatewatch.model.correlation import Link
from gatewatch.model.observation import Actor
from gatewatch.model.verdict import Classification, Determination

__all__ = [
    "Alert",
    "AlertStatus",
    "Detection",
    "EvidenceItem",
    "Explanation",
    "Measure",
    "OwaspApi",
    "Severity",
    "Tactic",
    "WindowCount",
]


class Severity(StrEnum):
    """Microsoft's four levels (reference/microsoft.md 1.2)."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """0 (informational) to 3 (high)."""
        return _SEVERITY_ORDER.index(self)


_SEVERITY_ORDER = (Severity.INFORMATIONAL, Severity.LOW, Severity.MEDIUM, Severity.HIGH)


class Tactic(StrEnum):
    """Kill-chain intents (reference/microsoft.md 1.2)."""

    PRE_ATTACK = "PreAttack"
    INITIAL_ACCESS = "InitialAccess"
    PERSISTENCE = "Persistence"
    PRIVILEGE_ESCALATION = "PrivilegeEscalation"
    DEFENSE_EVASION = "DefenseEvasion"
    CREDENTIAL_ACCESS = "CredentialAccess"
    DISCOVERY = "Discovery"
    LATERAL_MOVEMENT = "LateralMovement"
    EXECUTION = "Execution"
    COLLECTION = "Collection"
    COMMAND_AND_CONTROL = "CommandAndControl"
    EXFILTRATION = "Exfiltration"
    IMPACT = "Impact"


class OwaspApi(StrEnum):
    """OWASP API Security Top 10, 2023; NONE where no item fits."""

    NONE = ""
    BOLA = "API1:2023"
    BROKEN_AUTHENTICATION = "API2:2023"
    PROPERTY_LEVEL = "API3:2023"
    RESOURCE_CONSUMPTION = "API4:2023"
    FUNCTION_LEVEL = "API5:2023"
    BUSINESS_FLOWS = "API6:2023"
    SSRF = "API7:2023"
    MISCONFIGURATION = "API8:2023"
    INVENTORY = "API9:2023"
    UNSAFE_CONSUMPTION = "API10:2023"


class AlertStatus(StrEnum):
    """Life cycle of an alert."""

    NEW = "new"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One number that carried the detection."""

    name: str
    observed: float
    baseline: float | None = None
    """What is usual here; None: the rule has no baseline."""
    threshold: float | None = None
    unit: str = ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why this is an alert, as a sentence and as numbers."""

    sentence: str
    measures: tuple[Measure, ...] = ()


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """One stored observation that supports an alert; redacted and bounded."""

    observation_id: str
    ts: float
    summary: str


class Detection(msgspec.Struct, frozen=True, kw_only=True):
    """What one detector row says about one stretch of time. Rows with equal `key` fold into one alert."""

    detector: str
    key: str
    """Digest of the identity fields' values."""
    alert_type: str
    title: str
    severity: Severity
    tactic: Tactic
    owasp: OwaspApi
    first_seen: float
    last_seen: float
    detected_at: float
    """Event time at which the condition became true."""
    actors: tuple[Actor, ...]
    client_ips: tuple[str, ...]
    endpoints: tuple[str, ...]
    """`METHOD host template`."""
    count: int
    explanation: Explanation
    evidence: tuple[EvidenceItem, ...] = ()
    window_start: float = 0.0
    """Start of the aligned window judged; a later judgement of the same window replaces this one."""


class WindowCount(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an alert's count one window gave: what keeps a window judged twice from counting twice."""

    start: float
    count: int


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A detection that people work on. Same `id` for the same detector, key and episode."""

    id: str
    detector: str
    key: str
    alert_type: str
    title: str
    severity: Severity
    tactic: Tactic
    owasp: OwaspApi
    status: AlertStatus
    first_seen: float
    last_seen: float
    detected_at: float
    updated_at: float
    """Event time of the last change by a detector or the time of the last change by a person."""
    actors: tuple[Actor, ...]
    client_ips: tuple[str, ...]
    endpoints: tuple[str, ...]
    count: int
    explanation: Explanation
    evidence: tuple[EvidenceItem, ...] = ()
    revision: int = 1
    """Counts every change; the ETag."""
    windows: tuple[WindowCount, ...] = ()
    """The newest windows (bounded) with their part of `count`; not shown, but must be stored with the alert."""
    incident: int = 0
    """The incident it belongs to; 0 until it was correlated."""
    links: tuple[Link, ...] = ()
    """Why it is in that incident."""
    classification: Classification = Classification.UNKNOWN
    determination: Determination = Determination.UNKNOWN
    assigned_to: str = ""
    created_at: float = 0.0
    """Unix seconds when it was first stored."""
    changed_at: float = 0.0
    """Unix seconds of the last change by anybody, in the order of changes: what pollers ask for."""
    resolved_at: float | None = None
    suppressed_by: str = ""
    """Name of the suppression rule that dismissed it."""
