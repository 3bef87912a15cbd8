"""`microsoft.graph.security.alert` (alerts_v2)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gatewatch.errors import NotFoundError
from gatewatch.formats.defender.evidence import evidence
from gatewatch.formats.defender.vocabulary import (
    ALERT_STATUS,
    CLASSIFICATION,
    DETECTION_SOURCE,
    DETERMINATION,
    SERVICE_SOURCE,
    SEVERITY,
    UNKNOWN_FUTURE,
    moment,
)
from gatewatch.formats.records import Record
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert
from gatewatch.model.incident import Incident
from gatewatch.model.rule import Rule

__all__ = ["COMMENT_TYPE", "Viewpoint", "alert_number", "comment_records", "graph_alert", "our_alert_id"]

_PREFIX = "dc"
"""Defender for Cloud's prefix of alert ids (reference 1.6)."""
COMMENT_TYPE = "#microsoft.graph.security.alertComment"


class Viewpoint(msgspec.Struct, frozen=True, kw_only=True):
    """For whom something is shown."""

    base_url: str
    """Of this server, with a slash at the end."""
    tenant_id: str
    unknown_members: bool
    """`Prefer: include-unknown-enum-members`."""


def alert_number(alert: Alert) -> str:
    """The id that they see."""
    return _PREFIX + alert.id


def our_alert_id(shown: str) -> str:
    """Our id of theirs. Raises NotFoundError."""
    if not shown.startswith(_PREFIX):
        raise NotFoundError("no alert with this id")
    return shown.removeprefix(_PREFIX)


def comment_records(comments: Sequence[Activity]) -> list[Record]:
    """Oldest first."""
    return [
        {
            "@odata.type": COMMENT_TYPE,
            "comment": entry.text,
            "createdByDisplayName": entry.by,
            "createdDateTime": moment(entry.at),
        }
        for entry in sorted(comments, key=lambda entry: entry.number)
    ]


def graph_alert(
    alert: Alert, rule: Rule | None, incident: Incident | None, comments: Sequence[Activity], view: Viewpoint
) -> Record:
    """One alert; `incident` is the one it belongs to."""
    return _said(alert, rule) | {
        "@odata.type": "#microsoft.graph.security.alert",
        "id": alert_number(alert),
        "providerAlertId": alert.id,
        "incidentId": str(alert.incident) if alert.incident else None,
        "tenantId": view.tenant_id,
        "status": ALERT_STATUS[alert.status],
        "severity": SEVERITY[alert.severity],
        "classification": CLASSIFICATION[alert.classification],
        "determination": DETERMINATION[alert.determination],
        "serviceSource": SERVICE_SOURCE if view.unknown_members else UNKNOWN_FUTURE,
        "detectionSource": DETECTION_SOURCE if view.unknown_members else UNKNOWN_FUTURE,
        "assignedTo": alert.assigned_to or None,
        "alertWebUrl": f"{view.base_url}alerts/{alert.id}",
        "incidentWebUrl": f"{view.base_url}incidents/{alert.incident}" if alert.incident else None,
        "createdDateTime": moment(alert.created_at),
        "lastUpdateDateTime": moment(alert.changed_at),
        "resolvedDateTime": moment(alert.resolved_at),
        "firstActivityDateTime": moment(alert.first_seen),
        "lastActivityDateTime": moment(alert.last_seen),
        "comments": comment_records(comments),
        "evidence": evidence(alert, incident),
    }


def _said(alert: Alert, rule: Rule | None) -> Record:
    """What its detector says of it, and the properties that nothing here has."""
    return {
        "productName": "Gatewatch",
        "detectorId": alert.detector,
        "title": alert.title,
        "description": alert.explanation.sentence,
        "recommendedActions": "\n".join(rule.steps) if rule else "",
        "category": alert.tactic.value,
        "categories": [alert.tactic.value],
        "mitreTechniques": list(rule.techniques) if rule else [],
        "systemTags": [],
        "actorDisplayName": None,
        "threatDisplayName": None,
        "threatFamilyName": None,
        "alertPolicyId": None,
        "investigationState": "unsupportedAlertType",
        "customDetails": {},
        "additionalData": {},
    }
