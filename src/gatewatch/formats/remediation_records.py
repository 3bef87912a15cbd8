"""Remediation as plain records for REST and the command line."""

from __future__ import annotations

from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.remediation import Exposure, RemediationActivity, RemediationException, Target

__all__ = ["activity_record", "exception_record", "exposure_record", "target_record"]


def _moment(ts: float | None) -> str | None:
    return None if ts is None else rfc3339(ts)


def activity_record(one: RemediationActivity, now: float) -> Record:
    """Body of `GET /v1/remediations/{id}`."""
    return {
        "id": one.id,
        "title": one.title,
        "status": one.status.value,
        "type": one.type.value,
        "category": one.category.value,
        "priority": one.priority.value,
        "description": one.description,
        "component": one.component,
        "recommendation": one.recommendation or None,
        "incident": one.incident or None,
        "requester": one.requester,
        "notes": one.notes or None,
        "assigned_to": one.assigned_to or None,
        "created_at": rfc3339(one.created_at),
        "due_at": _moment(one.due_at),
        "overdue": one.overdue(now),
        "changed_at": rfc3339(one.changed_at),
        "collections": list(one.collections),
        "targeted": one.targeted,
        "fixed": one.fixed,
        "progress": one.progress,
        "impact": one.impact.value,
        "completion": one.completion.value,
        "completed_at": _moment(one.completed_at),
        "completed_by": one.completed_by or None,
        "reopened": one.reopened,
        "revision": one.revision,
    }


def target_record(one: Target) -> Record:
    """One line of `GET /v1/remediations/{id}/targets`."""
    return {
        "endpoint_id": one.endpoint_id,
        "endpoint": one.endpoint,
        "finding": one.finding or None,
        "fixed": one.fixed,
        "changed_at": rfc3339(one.changed_at),
        "recurrences": one.recurrences,
        "why": one.why or None,
    }


def exception_record(one: RemediationException, now: float) -> Record:
    """Body of `GET /v1/exceptions/{id}`."""
    return {
        "id": one.id,
        "recommendation": one.recommendation,
        "collection_id": one.scope.collection_id or None,
        "endpoint_id": one.scope.endpoint_id or None,
        "coverage": "full" if one.scope.everywhere else "partial",
        "justification": one.justification.value,
        "lowers_exposure": one.justification.lowers_exposure,
        "context": one.context,
        "state": one.state(now).value,
        "created_at": rfc3339(one.created_at),
        "created_by": one.created_by,
        "expires_at": rfc3339(one.expires_at),
        "ended_at": _moment(one.ended_at),
        "ended_by": one.ended_by or None,
        "why": one.why or None,
    }


def exposure_record(one: Exposure) -> Record:
    """One line of `GET /v1/exceptions/exposure`."""
    return {
        "recommendation": one.recommendation,
        "title": one.title,
        "state": one.coverage.value,
        "before": one.before,
        "exempt": one.exempt,
        "mitigated": one.mitigated,
        "after": one.after,
    }
