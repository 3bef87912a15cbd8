"""Entities of the Defender XDR incidents API (`/api/incidents`; reference/microsoft.md 6.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewatch.formats.defender.alerts import alert_number
from gatewatch.formats.defender.evidence import entities
from gatewatch.formats.defender.vocabulary import (
    DETECTION_SOURCE,
    LEGACY_ALERT_STATUS,
    LEGACY_CLASSIFICATION,
    LEGACY_DETERMINATION,
    LEGACY_INCIDENT_STATUS,
    SERVICE_SOURCE,
    SEVERITY,
    moment,
    pascal,
)
from gatewatch.formats.records import Record
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert
from gatewatch.model.incident import Incident
from gatewatch.model.rule import Rule

__all__ = ["legacy_incident"]


def legacy_incident(
    incident: Incident, alerts: Sequence[Alert], rules: Mapping[str, Rule], comments: Sequence[Activity]
) -> Record:
    """One incident with its alerts; every key is there, null when it does not apply."""
    return {
        "incidentId": incident.id,
        "redirectIncidentId": incident.redirect_to or None,
        "incidentName": incident.name,
        "createdTime": moment(incident.created_at),
        "lastUpdateTime": moment(incident.updated_at),
        "assignedTo": incident.assigned_to or None,
        "classification": LEGACY_CLASSIFICATION[incident.classification],
        "determination": LEGACY_DETERMINATION[incident.determination],
        "detectionSource": pascal(DETECTION_SOURCE),
        "status": LEGACY_INCIDENT_STATUS[incident.status],
        "severity": pascal(SEVERITY[incident.severity]),
        "tags": list(incident.tags),
        "comments": [
            {"comment": entry.text, "createdBy": entry.by, "createdTime": moment(entry.at)}
            for entry in sorted(comments, key=lambda entry: entry.number)
        ],
        "alerts": [_alert(alert, rules.get(alert.detector)) for alert in alerts],
    }


def _alert(alert: Alert, rule: Rule | None) -> Record:
    return {
        "alertId": alert_number(alert),
        "incidentId": alert.incident,
        "serviceSource": pascal(SERVICE_SOURCE),
        "creationTime": moment(alert.created_at),
        "lastUpdatedTime": moment(alert.changed_at),
        "resolvedTime": moment(alert.resolved_at),
        "firstActivity": moment(alert.first_seen),
        "lastActivity": moment(alert.last_seen),
        "title": alert.title,
        "description": alert.explanation.sentence,
        "category": alert.tactic.value,
        "status": LEGACY_ALERT_STATUS[alert.status],
        "severity": pascal(SEVERITY[alert.severity]),
        "investigationId": None,
        "investigationState": "UnsupportedAlertType",
        "classification": LEGACY_CLASSIFICATION[alert.classification],
        "determination": LEGACY_DETERMINATION[alert.determination],
        "detectionSource": pascal(DETECTION_SOURCE),
        "assignedTo": alert.assigned_to or None,
        "actorName": None,
        "threatFamilyName": None,
        "mitreTechniques": list(rule.techniques) if rule else [],
        "devices": [],
        "entities": entities(alert),
    }
