"""Defender for Cloud's REST models, as its continuous export sends them to Event Hubs."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.formats.export.defender_parts import NO_SUBSCRIPTION, Facts, facts_of, resource_id
from gatewatch.formats.export.defender_scores import score_resource
from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.score import ScoreEntry

__all__ = ["DefenderAlert"]

_CODES = {
    FindingStatus.HEALTHY: "Healthy",
    FindingStatus.UNHEALTHY: "Unhealthy",
    FindingStatus.NOT_APPLICABLE: "NotApplicable",
    FindingStatus.EXEMPT: "NotApplicable",
}


class DefenderAlert(Format):
    """`Microsoft.Security` alerts 2022-01-01 and assessments (reference/microsoft.md 1.4 and 2.3)."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="defender",
        title="Defender for Cloud REST model",
        description=(
            "Alerts and incidents (`isIncident`) as `Microsoft.Security/alerts` 2022-01-01, findings as "
            "`Microsoft.Security/assessments`, scores as `secureScores` and `secureScoreControls`: what Defender's "
            "continuous export sends to Event Hubs. Endpoints have resource ids of the provider `Gatewatch.Security` "
            "in an empty subscription. The event id is in `extendedProperties`, of findings and scores in "
            "`additionalData`."
        ),
        kinds=(ExportKind.ALERT, ExportKind.INCIDENT, ExportKind.FINDING, ExportKind.SCORE),
        shape=Shape.JSON,
        content_type="application/json",
        references=(
            "azure-rest-api-specs security/stable/2022-01-01/alerts.json",
            "reference/microsoft.md 1.4, 2.3, 11.3",
        ),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One resource."""
        if isinstance(item.value, Finding):
            return msgspec.json.encode(_assessment(item, item.value))
        if isinstance(item.value, ScoreEntry):
            return msgspec.json.encode(score_resource(item, item.value))
        return msgspec.json.encode(_alert(facts_of(item, context), context))


def _alert(facts: Facts, context: Context) -> Record:
    scope = f"/subscriptions/{NO_SUBSCRIPTION}/providers/Microsoft.Security/locations/gatewatch"
    properties: Record = {
        "version": "2022-01-01",
        "alertType": facts.type,
        "systemAlertId": facts.name,
        "productComponentName": "API security",
        "alertDisplayName": facts.title,
        "description": facts.description,
        "severity": facts.severity,
        "intent": facts.intent,
        "startTimeUtc": rfc3339(facts.start),
        "endTimeUtc": rfc3339(facts.end),
        "timeGeneratedUtc": rfc3339(facts.created),
        "processingEndTimeUtc": rfc3339(facts.changed),
        "resourceIdentifiers": [
            {"type": "AzureResource", "azureResourceId": resource_id(endpoint)} for endpoint in facts.resources
        ],
        "remediationSteps": list(facts.steps),
        "vendorName": "Gatewatch",
        "productName": "Gatewatch",
        "compromisedEntity": facts.compromised,
        "correlationKey": facts.correlation,
        "alertUri": _uri(facts, context),
        "status": facts.status,
        "extendedLinks": [],
        "extendedProperties": facts.properties,
        "entities": facts.entities,
        "isIncident": facts.incident,
        "techniques": [technique for technique in facts.techniques if "." not in technique],
        "subTechniques": [technique for technique in facts.techniques if "." in technique],
    }
    return {
        "id": f"{scope}/alerts/{facts.name}",
        "name": facts.name,
        "type": "Microsoft.Security/Locations/alerts",
        "properties": properties,
    }


def _uri(facts: Facts, context: Context) -> str:
    part = "incidents" if facts.incident else "alerts"
    return f"{context.url}/{part}/{facts.name}" if context.url else ""


def _assessment(item: ExportItem, finding: Finding) -> Record:
    resource = resource_id(finding.endpoint)
    return {
        "id": f"{resource}/providers/Microsoft.Security/assessments/{finding.recommendation}",
        "name": finding.recommendation,
        "type": "Microsoft.Security/assessments",
        "properties": {
            "resourceDetails": {"source": "Custom", "id": resource},
            "displayName": finding.title,
            "status": {"code": _CODES[finding.status], "cause": _cause(finding), "description": finding.cause},
            "additionalData": {
                "Gatewatch event id": item.event_id,
                "endpointId": finding.endpoint_id,
                "evaluatedAt": rfc3339(finding.evaluated_at),
                **({"IsSnapshot": "true"} if item.snapshot else {}),
            },
            "metadata": {
                "displayName": finding.title,
                "assessmentType": "CustomerManaged",
                "description": finding.title,
                "remediationDescription": finding.remediation,
                "severity": finding.severity.value.capitalize(),
            },
            "links": {},
        },
    }


def _cause(finding: Finding) -> str:
    return "Exempt" if finding.status is FindingStatus.EXEMPT else "Evaluated"
