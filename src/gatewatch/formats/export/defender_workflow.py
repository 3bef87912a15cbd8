"""The alert as Defender's workflow automation hands it to a logic app."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.formats.export.defender_parts import NO_SUBSCRIPTION, facts_of, resource_id
from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.export import ExportItem, ExportKind

__all__ = ["DefenderWorkflow"]


class DefenderWorkflow(Format):
    """`SecurityAlert.schema.json`, PascalCase (reference/microsoft.md 1.5)."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="defender-workflow",
        title="Defender workflow automation (Logic Apps)",
        description=(
            "Alerts and incidents (`IsIncident`) in the schema that a logic app's trigger "
            "“When a Microsoft Defender for Cloud alert is created or triggered” has. A new one has status `New`."
        ),
        kinds=(ExportKind.ALERT, ExportKind.INCIDENT),
        shape=Shape.JSON,
        content_type="application/json",
        references=("https://aka.ms/ASCAutomationSchemas", "reference/microsoft.md 1.5"),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One payload."""
        facts = facts_of(item, context)
        resources = [resource_id(endpoint) for endpoint in facts.resources]
        payload: Record = {
            "VendorName": "Gatewatch",
            "AlertType": facts.type,
            "StartTimeUtc": rfc3339(facts.start),
            "EndTimeUtc": rfc3339(facts.end),
            "ProcessingEndTime": rfc3339(facts.changed),
            "TimeGenerated": rfc3339(facts.created),
            "IsIncident": facts.incident,
            "Severity": facts.severity,
            "Status": "New" if facts.status == "Active" else facts.status,
            "ProductName": "Gatewatch",
            "SystemAlertId": facts.name,
            "AzureResourceId": resources[0] if resources else "",
            "AzureResourceSubscriptionId": NO_SUBSCRIPTION,
            "WorkspaceId": "",
            "WorkspaceSubscriptionId": "",
            "WorkspaceResourceGroup": "",
            "AgentId": "",
            "CompromisedEntity": facts.compromised,
            "Intent": facts.intent,
            "AlertDisplayName": facts.title,
            "Description": facts.description,
            "RemediationSteps": list(facts.steps),
            "ExtendedProperties": facts.properties,
            "Entities": [_pascal(entity) for entity in facts.entities],
            "ResourceIdentifiers": [{"Type": "AzureResource", "AzureResourceId": one} for one in resources],
            "AlertUri": f"{context.url}/alerts/{facts.name}" if context.url else "",
        }
        return msgspec.json.encode(payload)


def _pascal(entity: Record) -> Record:
    return {name if name.startswith("$") else name[0].upper() + name[1:]: value for name, value in entity.items()}
