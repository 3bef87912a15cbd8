"""What both envelopes of Defender for Cloud share: the alert's facts, entities, resource names."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from gatewatch.formats.export.format import Context
from gatewatch.formats.export.summary import Summary, summarise
from gatewatch.formats.records import Record
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.export import ExportItem
from gatewatch.model.incident import Incident, IncidentStatus

__all__ = ["INCIDENT_TYPE", "NO_SUBSCRIPTION", "Facts", "facts_of", "resource_id"]

NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
INCIDENT_TYPE = "Gatewatch_Incident"
_STATUS = {
    AlertStatus.NEW: "Active",
    AlertStatus.IN_PROGRESS: "InProgress",
    AlertStatus.RESOLVED: "Resolved",
    AlertStatus.DISMISSED: "Dismissed",
    IncidentStatus.ACTIVE: "Active",
    IncidentStatus.IN_PROGRESS: "InProgress",
    IncidentStatus.AWAITING_ACTION: "InProgress",
    IncidentStatus.RESOLVED: "Resolved",
    IncidentStatus.REDIRECTED: "Dismissed",
}
_SEVERITY = {
    Severity.INFORMATIONAL: "Informational",
    Severity.LOW: "Low",
    Severity.MEDIUM: "Medium",
    Severity.HIGH: "High",
}


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Of an alert, or of an incident as the alert that Defender shows for one (`isIncident`)."""

    name: str
    type: str
    title: str
    description: str
    severity: str
    status: str
    intent: str
    start: float
    end: float
    created: float
    changed: float
    compromised: str
    resources: tuple[str, ...]
    steps: tuple[str, ...]
    techniques: tuple[str, ...]
    incident: bool
    correlation: str
    properties: dict[str, str]
    entities: list[Record]


def facts_of(item: ExportItem, context: Context) -> Facts:
    """Alerts and incidents only."""
    value, summary = item.value, summarise(item, context)
    assert isinstance(value, Alert | Incident)
    alert = value if isinstance(value, Alert) else None
    steps = [step for name in summary.detectors if name in context.rules for step in context.rules[name].steps]
    return Facts(
        name=item.subject,
        type=value.alert_type if isinstance(value, Alert) else INCIDENT_TYPE,
        title=summary.title,
        description=summary.text,
        severity=_SEVERITY[value.severity],
        status=_STATUS[value.status],
        intent=summary.tactics[-1] if summary.tactics else "Unknown",
        start=summary.first_seen,
        end=summary.last_seen,
        created=value.created_at or item.at,
        changed=item.at,
        compromised=summary.endpoints[0] if summary.endpoints else summary.title,
        resources=summary.endpoints,
        steps=tuple(dict.fromkeys(steps)),
        techniques=summary.techniques,
        incident=alert is None,
        correlation=str(summary.incident) if summary.incident else "",
        properties=_properties(item, summary),
        entities=_entities(summary),
    )


def _properties(item: ExportItem, summary: Summary) -> dict[str, str]:
    found = {
        "Gatewatch event id": item.event_id,
        "Actor": summary.addresses[0] if summary.addresses else "",
        "Api Endpoint": summary.endpoints[0] if summary.endpoints else "",
        "Event of interest": summary.text,
        "Calls": str(summary.count) if summary.count else "",
        "Callers": ", ".join(summary.actors),
        "OWASP API Top 10": summary.owasp,
        "Detectors": ", ".join(summary.detectors),
        "Incident": str(summary.incident) if summary.incident else "",
        "Priority": str(summary.priority) if summary.priority else "",
        "Classification": summary.classification,
        "Revision": str(summary.revision),
        "IsSnapshot": "true" if item.snapshot else "",
    }
    return {name: value for name, value in found.items() if value}


def _entities(summary: Summary) -> list[Record]:
    found: list[Record] = [{"type": "ip", "address": address} for address in summary.addresses]
    found += [{"type": "account", "name": user} for user in summary.users]
    found += [{"type": "url", "url": endpoint} for endpoint in summary.endpoints]
    return [{"$id": str(number), **entity} for number, entity in enumerate(found, start=1)]


def resource_id(endpoint: str) -> str:
    """An endpoint in the form of an Azure resource id, under a provider of our own: nobody takes it for Azure's."""
    return f"/subscriptions/{NO_SUBSCRIPTION}/resourceGroups/gatewatch/providers/Gatewatch.Security/endpoints/" + quote(
        endpoint, safe=""
    )
