"""Incidents, findings and the audit log as OCSF events."""

from __future__ import annotations

from gatewatch.formats.export.format import Context, fallback_rule
from gatewatch.formats.export.ocsf_parts import attacks, classified, milliseconds, resources
from gatewatch.formats.export.summary import summarise
from gatewatch.formats.records import Record
from gatewatch.model.activity import Activity, Origin
from gatewatch.model.export import ExportItem
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.score import OVERALL, ScoreEntry
from gatewatch.model.verdict import Classification

__all__ = ["audit_event", "finding_event", "incident_event", "score_event"]

_INCIDENT_STATUS = {
    IncidentStatus.ACTIVE: (1, "New"),
    IncidentStatus.IN_PROGRESS: (2, "In Progress"),
    IncidentStatus.AWAITING_ACTION: (3, "On Hold"),
    IncidentStatus.RESOLVED: (4, "Resolved"),
    IncidentStatus.REDIRECTED: (5, "Closed"),
}
_VERDICT = {
    Classification.UNKNOWN: (0, "Unknown"),
    Classification.FALSE_POSITIVE: (1, "False Positive"),
    Classification.TRUE_POSITIVE: (2, "True Positive"),
    Classification.EXPECTED: (5, "Benign"),
}
_COMPLIANCE = {
    FindingStatus.HEALTHY: (1, "Pass"),
    FindingStatus.UNHEALTHY: (3, "Fail"),
    FindingStatus.NOT_APPLICABLE: (99, "Not applicable"),
    FindingStatus.EXEMPT: (99, "Exempt"),
}
_PRIORITIES = ((85, 4, "Critical"), (60, 3, "High"), (30, 2, "Medium"), (0, 1, "Low"))
"""Lowest score of OCSF's four levels; 85 is where people look first (model/incident.py)."""
_CRUD = {"created": (1, "Create"), "removed": (4, "Delete"), "deleted": (4, "Delete"), "revoked": (4, "Delete")}
"""Any other action updates something."""


def incident_event(item: ExportItem, incident: Incident, context: Context) -> Record:
    """Incident Finding (2005). Its alerts are told by their own events; here by number and kind."""
    closed = not incident.status.open
    activity = (3, "Close") if closed else (1, "Create") if incident.revision == 1 else (2, "Update")
    event = classified(
        item, context, class_uid=2005, class_name="Incident Finding", activity=activity, message=incident.name
    )
    event["status_id"], event["status"] = _INCIDENT_STATUS[incident.status]
    event["verdict_id"], event["verdict"] = _VERDICT[incident.classification]
    event["priority_id"], event["priority"] = next(
        (level, name) for least, level, name in _PRIORITIES if incident.priority >= least
    )
    techniques = dict.fromkeys(t for name in incident.detectors for t in fallback_rule(context, name).techniques)
    event["metadata"]["profiles"] = ["incident"]
    event |= {
        "desc": incident.description or incident.name,
        "start_time": milliseconds(incident.first_activity),
        "end_time": milliseconds(incident.last_activity),
        # The schema wants an assignee or a group even while there is none.
        **(
            {"assignee": {"name": incident.assigned_to}}
            if incident.assigned_to
            else {"assignee_group": {"name": "unassigned"}}
        ),
        "attacks": attacks(incident.tactics, techniques),
        "is_suspected_breach": incident.classification is Classification.TRUE_POSITIVE,
        "finding_info_list": [_incident_info(incident)],
        "unmapped": _unmapped(incident),
    }
    if context.url:
        event["src_url"] = f"{context.url}/incidents/{incident.id}"
    return event


def _incident_info(incident: Incident) -> Record:
    return {
        "uid": str(incident.id),
        "title": incident.name,
        "types": list(incident.alert_types),
        "created_time": milliseconds(incident.created_at),
        "modified_time": milliseconds(incident.updated_at),
        "first_seen_time": milliseconds(incident.first_activity),
        "last_seen_time": milliseconds(incident.last_activity),
    }


def _unmapped(incident: Incident) -> Record:
    found: Record = {
        "alerts": incident.alerts,
        "open_alerts": incident.open_alerts,
        "calls": incident.calls,
        "priority_score": incident.priority,
        "priority_factors": {factor.name: factor.points for factor in incident.factors},
        "determination": incident.determination.value,
        "redirect_to": incident.redirect_to,
        "tags": [*incident.tags, *incident.system_tags],
        "detectors": list(incident.detectors),
        "revision": incident.revision,
    }
    return {name: value for name, value in found.items() if value}


def finding_event(item: ExportItem, finding: Finding, context: Context) -> Record:
    """Compliance Finding (2003)."""
    failing = finding.status is FindingStatus.UNHEALTHY
    activity = (2, "Update") if failing else (3, "Close")
    event = classified(
        item, context, class_uid=2003, class_name="Compliance Finding", activity=activity, message=finding.title
    )
    event["status_id"], event["status"] = (1, "New") if failing else (4, "Resolved")
    status_id, status = _COMPLIANCE[finding.status]
    event |= {
        "status_detail": finding.cause,
        "finding_info": {
            "uid": finding.id,
            "title": finding.title,
            "desc": finding.cause,
            "types": [finding.recommendation],
            "modified_time": milliseconds(finding.evaluated_at),
        },
        "compliance": {
            "standards": ["OWASP API Security Top 10 2023"],
            "control": finding.recommendation,
            "status_id": status_id,
            "status": status,
        },
        "remediation": {"desc": finding.remediation},
        "resources": [one | {"uid": finding.endpoint_id} for one in resources([finding.endpoint])],
    }
    return event


def score_event(item: ExportItem, entry: ScoreEntry, context: Context) -> Record:
    """Compliance Finding (2003) of a whole control; points have no attribute there and stand under `unmapped`."""
    first = (1, "Create") if entry.number == 1 else (2, "Update")
    title = entry.title if entry.name == OVERALL else f"Secure score: {entry.title}"
    event = classified(item, context, class_uid=2003, class_name="Compliance Finding", activity=first, message=title)
    failing = entry.unhealthy > 0
    text = summarise(item, context).text
    event["status_id"], event["status"] = (1, "New") if failing else (4, "Resolved")
    event |= {
        "status_detail": text,
        "finding_info": {
            "uid": f"score:{entry.name}",
            "title": title,
            "desc": text,
            "types": ["secure_score"],
            "modified_time": milliseconds(entry.at),
        },
        "compliance": {
            "standards": ["Microsoft cloud secure score"],
            "control": entry.name,
            "requirements": list(entry.recommendations),
            "status_id": 2 if failing else 1,
            "status": "Warning" if failing else "Pass",
        },
        "unmapped": {
            "score": round(entry.current, 4),
            "max_score": entry.max,
            "percentage": round(entry.percentage, 4) if entry.percentage is not None else None,
            "healthy": entry.healthy,
            "unhealthy": entry.unhealthy,
            "not_applicable": entry.not_applicable,
        },
    }
    return event


def audit_event(item: ExportItem, entry: Activity, context: Context) -> Record:
    """API Activity (6003). The log keeps names, not addresses: the source is Gatewatch itself."""
    event = classified(
        item,
        context,
        class_uid=6003,
        class_name="API Activity",
        activity=_CRUD.get(entry.action, (3, "Update")),
        message=entry.text or f"{entry.subject.value} {entry.subject_id}: {entry.action}",
    )
    actor: Record = {"app_name": entry.by} if entry.origin is Origin.SYSTEM else {"user": {"name": entry.by}}
    event |= {
        "actor": actor,
        "api": {"operation": f"{entry.subject.value}.{entry.action}", "service": {"name": "Gatewatch"}},
        "src_endpoint": {"svc_name": "gatewatch", "hostname": context.host},
        "resources": [{"uid": entry.subject_id, "name": entry.subject_id, "type": entry.subject.value}],
        "unmapped": {
            "number": entry.number,
            "digest": entry.digest,
            "incident": entry.incident,
            "details": dict(entry.details),
        },
    }
    return event
