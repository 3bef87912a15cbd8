"""Incidents become one; what was merged away stays as a sign that points to the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.verdict import Classification, Determination
from gatewatch.ports.cases import CaseUnit

__all__ = ["merge"]

T = TypeVar("T")
_REDIRECTED = "Redirected"


def merge(
    unit: CaseUnit, target: Incident, sources: Sequence[Incident], *, by: str, origin: Origin, text: str, at: float
) -> list[Activity]:
    """Alerts, tags, tasks and verdicts move to `target`; the caller sums it up and records what is returned."""
    activities = []

    def noted(incident: int, action: str, text: str) -> Activity:
        return Activity(
            at=at,
            origin=origin,
            by=by,
            subject=Subject.INCIDENT,
            subject_id=str(incident),
            incident=incident,
            action=action,
            text=text,
        )

    for source in sources:
        for alert in unit.alerts_of(source.id):
            owner = alert.assigned_to or target.assigned_to
            unit.put_alert(
                msgspec.structs.replace(alert, incident=target.id, assigned_to=owner, revision=alert.revision + 1)
            )
        unit.move_sightings(source.id, target.id)
        target = _united(target, source)
        unit.put_incident(
            msgspec.structs.replace(
                source,
                status=IncidentStatus.REDIRECTED,
                redirect_to=target.id,
                system_tags=tuple(dict.fromkeys((*source.system_tags, _REDIRECTED))),
                updated_at=at,
                updated_by=by,
                revision=source.revision + 1,
            )
        )
        activities += [
            noted(target.id, "merged", f"Incident {source.id} ({source.name}) was merged into this one. {text}"),
            noted(source.id, "redirected", f"Merged into incident {target.id}. {text}"),
        ]
    unit.put_incident(msgspec.structs.replace(target, updated_at=at, updated_by=by, revision=target.revision + 1))
    return activities


def _united(target: Incident, source: Incident) -> Incident:
    return msgspec.structs.replace(
        target,
        # Merging overwrites the name: it no longer says what the incident is.
        named=False,
        assigned_to=target.assigned_to or source.assigned_to,
        classification=_known(target.classification, source.classification, Classification.UNKNOWN),
        determination=_known(target.determination, source.determination, Determination.UNKNOWN),
        tags=tuple(dict.fromkeys((*target.tags, *source.tags))),
        tasks=(*target.tasks, *source.tasks),
        verdicts={**source.verdicts, **target.verdicts},
        created_at=min(target.created_at, source.created_at),
        acknowledged_at=_earlier(target.acknowledged_at, source.acknowledged_at),
        campaigns=tuple(dict.fromkeys((*target.campaigns, *source.campaigns))),
        reopened=target.reopened + source.reopened,
        severity=max(target.severity, source.severity, key=lambda one: one.rank),
        severity_fixed=target.severity_fixed and source.severity_fixed,
    )


def _known(mine: T, theirs: T, unknown: T) -> T:
    return theirs if mine is unknown else mine


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)
