"""`microsoft.graph.security.incident`."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.formats.defender.alerts import Viewpoint, comment_records
from gatewatch.formats.defender.vocabulary import (
    CLASSIFICATION,
    DETERMINATION,
    INCIDENT_STATUS,
    SEVERITY,
    UNKNOWN_FUTURE,
    moment,
)
from gatewatch.formats.records import Record
from gatewatch.model.activity import Activity
from gatewatch.model.incident import Incident, IncidentStatus

__all__ = ["graph_incident"]


def graph_incident(incident: Incident, comments: Sequence[Activity], view: Viewpoint) -> Record:
    """One incident without its alerts."""
    hidden = incident.status is IncidentStatus.AWAITING_ACTION and not view.unknown_members
    return {
        "id": str(incident.id),
        "tenantId": view.tenant_id,
        "displayName": incident.name,
        "description": incident.description or None,
        "summary": None,
        "status": UNKNOWN_FUTURE if hidden else INCIDENT_STATUS[incident.status],
        "severity": SEVERITY[incident.severity],
        "classification": CLASSIFICATION[incident.classification],
        "determination": DETERMINATION[incident.determination],
        "assignedTo": incident.assigned_to or None,
        "priorityScore": incident.priority,
        "createdDateTime": moment(incident.created_at),
        "lastUpdateDateTime": moment(incident.updated_at),
        "lastModifiedBy": incident.updated_by or None,
        "redirectIncidentId": str(incident.redirect_to) if incident.redirect_to else None,
        "incidentWebUrl": f"{view.base_url}incidents/{incident.id}",
        "customTags": list(incident.tags),
        "systemTags": list(incident.system_tags),
        "comments": comment_records(comments),
        "resolvingComment": incident.resolving_comment or None,
    }
