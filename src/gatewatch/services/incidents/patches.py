"""What a person wants to be different, and whether that can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from gatewatch.errors import InputError
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.verdict import DETERMINATIONS, Classification, Determination

__all__ = ["MOST_COMMENT", "AlertPatch", "IncidentPatch", "patched_alert", "patched_incident"]

MOST_COMMENT = 30_000
"""Characters."""
_MOST_TAGS = 50
_CLOSED = (AlertStatus.RESOLVED, AlertStatus.DISMISSED)


class AlertPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; None leaves it."""

    status: AlertStatus | None = None
    classification: Classification | None = None
    determination: Determination | None = None
    assigned_to: str | None = None


class IncidentPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; None leaves it."""

    status: IncidentStatus | None = None
    classification: Classification | None = None
    determination: Determination | None = None
    assigned_to: str | None = None
    severity: Severity | None = None
    follow_alerts_severity: bool = False
    """Take back a severity that was fixed."""
    name: str | None = None
    description: str | None = None
    resolving_comment: str | None = None
    tags: tuple[str, ...] | None = None


def _conclusion(
    classification: Classification, determination: Determination, patch: AlertPatch | IncidentPatch
) -> tuple[Classification, Determination]:
    said = patch.classification if patch.classification is not None else classification
    what = patch.determination if patch.determination is not None else determination
    if what not in DETERMINATIONS[said]:
        if patch.determination is None:
            return said, Determination.UNKNOWN
        allowed = ", ".join(sorted(one.value for one in DETERMINATIONS[said]))
        raise InputError(f"{what.value} does not go with {said.value}", cure=f"With it go: {allowed}.")
    return said, what


def patched_alert(alert: Alert, patch: AlertPatch, at: float) -> Alert:
    """The alert as asked for; its revision is left to the caller. Raises InputError."""
    classification, determination = _conclusion(alert.classification, alert.determination, patch)
    status = alert.status if patch.status is None else patch.status
    resolved_at = alert.resolved_at
    if status is not alert.status:
        resolved_at = at if status in _CLOSED else None
    return msgspec.structs.replace(
        alert,
        status=status,
        resolved_at=resolved_at,
        classification=classification,
        determination=determination,
        assigned_to=alert.assigned_to if patch.assigned_to is None else patch.assigned_to.strip()[:256],
    )


def patched_incident(incident: Incident, patch: IncidentPatch, at: float) -> Incident:
    """The incident as asked for; its revision is left to the caller. Raises InputError."""
    if patch.status is IncidentStatus.REDIRECTED:
        raise InputError("redirected is no status to set", cure="Merge the incident into another.")
    classification, determination = _conclusion(incident.classification, incident.determination, patch)
    changed: dict[str, Any] = {"classification": classification, "determination": determination}
    if patch.status is not None and patch.status is not incident.status:
        changed |= {"status": patch.status, "resolved_at": at if patch.status is IncidentStatus.RESOLVED else None}
        if incident.status is IncidentStatus.RESOLVED:
            changed["reopened"] = incident.reopened + 1
    if patch.assigned_to is not None:
        changed["assigned_to"] = patch.assigned_to.strip()[:256]
    if patch.severity is not None or patch.follow_alerts_severity:
        changed |= {"severity": patch.severity or incident.severity, "severity_fixed": patch.severity is not None}
    if patch.name is not None:
        changed |= {"name": patch.name.strip()[:500] or incident.name, "named": bool(patch.name.strip())}
    for field in ("description", "resolving_comment"):
        text = getattr(patch, field)
        if text is not None:
            changed[field] = text.strip()[:MOST_COMMENT]
    if patch.tags is not None:
        changed["tags"] = _tags(patch.tags)
    new = msgspec.structs.replace(incident, **changed)
    if new != incident and new.acknowledged_at is None:
        new = msgspec.structs.replace(new, acknowledged_at=at)
    return new


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    kept = tuple(dict.fromkeys(tag.strip()[:128] for tag in tags if tag.strip()))
    if len(kept) > _MOST_TAGS:
        raise InputError(f"an incident has at most {_MOST_TAGS} tags")
    return kept
