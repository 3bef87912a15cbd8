"""Our words and theirs: status, severity, classification, determination, sources.

Sources: reference/microsoft.md 1.6, 6.1 and 6.6. Each table maps ours to what is shown; `READ_` tables and `reading`
map what a client may send, in small letters, to ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.incident import EntityVerdict, IncidentStatus
from gatewatch.model.verdict import Classification, Determination

__all__ = [
    "ALERT_STATUS",
    "CLASSIFICATION",
    "CORRELATION_REASONS",
    "DETECTION_SOURCE",
    "DETERMINATION",
    "ENTITY_VERDICT",
    "INCIDENT_STATUS",
    "LEGACY_ALERT_STATUS",
    "LEGACY_CLASSIFICATION",
    "LEGACY_DETERMINATION",
    "LEGACY_INCIDENT_STATUS",
    "READ_DETERMINATION",
    "READ_LEGACY_DETERMINATION",
    "SERVICE_SOURCE",
    "SEVERITY",
    "UNKNOWN_FUTURE",
    "Words",
    "moment",
    "pascal",
    "reading",
]

K = TypeVar("K")
Words = Mapping[str, tuple[K, ...]]
"""What a client may say, in small letters -> ours that are shown so."""

UNKNOWN_FUTURE = "unknownFutureValue"
SERVICE_SOURCE = "microsoftDefenderForCloud"
DETECTION_SOURCE = "microsoftDefenderForApiManagement"
"""Both stand behind `unknownFutureValue` in their enumerations: shown only to who prefers unknown members."""

SEVERITY: dict[Severity, str] = {severity: severity.value for severity in Severity}

ALERT_STATUS: dict[AlertStatus, str] = {
    AlertStatus.NEW: "new",
    AlertStatus.IN_PROGRESS: "inProgress",
    AlertStatus.RESOLVED: "resolved",
    AlertStatus.DISMISSED: "resolved",
}
INCIDENT_STATUS: dict[IncidentStatus, str] = {
    IncidentStatus.ACTIVE: "active",
    IncidentStatus.IN_PROGRESS: "inProgress",
    IncidentStatus.AWAITING_ACTION: "awaitingAction",
    IncidentStatus.RESOLVED: "resolved",
    IncidentStatus.REDIRECTED: "redirected",
}
CLASSIFICATION: dict[Classification, str] = {
    Classification.UNKNOWN: "unknown",
    Classification.TRUE_POSITIVE: "truePositive",
    Classification.EXPECTED: "informationalExpectedActivity",
    Classification.FALSE_POSITIVE: "falsePositive",
}
DETERMINATION: dict[Determination, str] = {
    Determination.UNKNOWN: "unknown",
    Determination.MULTI_STAGED_ATTACK: "multiStagedAttack",
    Determination.MALICIOUS_USER_ACTIVITY: "maliciousUserActivity",
    Determination.COMPROMISED_ACCOUNT: "compromisedAccount",
    Determination.MALWARE: "malware",
    Determination.PHISHING: "phishing",
    Determination.UNWANTED_SOFTWARE: "unwantedSoftware",
    Determination.SECURITY_TESTING: "securityTesting",
    Determination.LINE_OF_BUSINESS: "lineOfBusinessApplication",
    Determination.CONFIRMED_ACTIVITY: "confirmedActivity",
    Determination.NOT_MALICIOUS: "notMalicious",
    Determination.NOT_ENOUGH_DATA: "notEnoughDataToValidate",
    Determination.OTHER: "other",
}
ENTITY_VERDICT: dict[EntityVerdict, str] = {
    EntityVerdict.UNKNOWN: "unknown",
    EntityVerdict.SUSPICIOUS: "suspicious",
    EntityVerdict.MALICIOUS: "malicious",
    EntityVerdict.COMPROMISED: "malicious",
    EntityVerdict.CLEAN: "noThreatsFound",
}


def pascal(word: str) -> str:
    """`inProgress` -> `InProgress`: the legacy API writes the same members with a capital."""
    return word[:1].upper() + word[1:]


LEGACY_INCIDENT_STATUS: dict[IncidentStatus, str] = {
    status: "InProgress" if status is IncidentStatus.AWAITING_ACTION else pascal(word)
    for status, word in INCIDENT_STATUS.items()
}
LEGACY_ALERT_STATUS: dict[AlertStatus, str] = {
    AlertStatus.NEW: "New",
    AlertStatus.IN_PROGRESS: "Active",
    AlertStatus.RESOLVED: "Resolved",
    AlertStatus.DISMISSED: "Resolved",
}
LEGACY_CLASSIFICATION: dict[Classification, str] = {ours: pascal(word) for ours, word in CLASSIFICATION.items()}
LEGACY_DETERMINATION: dict[Determination, str] = {ours: pascal(word) for ours, word in DETERMINATION.items()} | {
    Determination.UNKNOWN: "NotAvailable",
    Determination.NOT_MALICIOUS: "Clean",
    Determination.NOT_ENOUGH_DATA: "NoEnoughDataToValidate",
}


def reading(shown: Mapping[K, str], *more: str, **also: K) -> dict[str, tuple[K, ...]]:
    """The table read backwards. `more`: members that exist and that nothing of ours has; `also`: other words."""
    found: dict[str, tuple[K, ...]] = {word.lower(): () for word in (*more, UNKNOWN_FUTURE)}
    for ours, word in shown.items():
        found[word.lower()] = (*found.get(word.lower(), ()), ours)
    return found | {word.lower(): (ours,) for word, ours in also.items()}


READ_DETERMINATION: dict[str, tuple[Determination, ...]] = reading(
    DETERMINATION,
    "apt",
    "securityPersonnel",
    compromisedUser=Determination.COMPROMISED_ACCOUNT,
    clean=Determination.NOT_MALICIOUS,
    insufficientData=Determination.NOT_ENOUGH_DATA,
    confirmedUserActivity=Determination.CONFIRMED_ACTIVITY,
)
READ_LEGACY_DETERMINATION: dict[str, tuple[Determination, ...]] = READ_DETERMINATION | reading(LEGACY_DETERMINATION)

CORRELATION_REASONS = frozenset(
    {
        "repeatedAlertOccurrence",
        "sameGeography",
        "similarArtifacts",
        "sameTargetedAsset",
        "sameNetworkSegment",
        "eventSequence",
        "timeFrame",
        "sameThreatSource",
        "similarTTPsOrBehavior",
        "sameActor",
        "sameCampaign",
        "sharedIndicators",
        "sameAsset",
        "networkProximity",
        "eventCasualSequence",
        "temporalProximity",
        "lateralMovementPath",
        UNKNOWN_FUTURE,
    }
)
"""Members of `correlationReason` (reference 6.3)."""


def moment(ts: float | None) -> str | None:
    """Unix seconds as ISO 8601 UTC with microseconds: what is shown compares equal to what is stored."""
    if ts is None:
        return None
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
