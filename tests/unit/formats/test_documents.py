"""ECS and Defender's two envelopes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gatewatch.formats.export import all_formats
from gatewatch.model.alert import AlertStatus, Tactic
from gatewatch.model.export import ExportKind, export_item
from gatewatch.testing.exports import CONTEXT, activity, finding, incident, rich_alert, score

FORMATS = all_formats()
EVENT_KINDS = {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"}
CATEGORIES = {
    "api", "authentication", "configuration", "database", "driver", "email", "file", "host", "iam",
    "intrusion_detection", "library", "malware", "network", "package", "process", "registry", "session", "threat",
    "vulnerability", "web",
}  # fmt: skip
TYPES = {
    "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied", "device", "end", "error",
    "group", "indicator", "info", "installation", "protocol", "start", "user",
}  # fmt: skip
INTENTS = {
    "Unknown", "PreAttack", "InitialAccess", "Persistence", "PrivilegeEscalation", "DefenseEvasion", "CredentialAccess",
    "Discovery", "LateralMovement", "Execution", "Collection", "Exfiltration", "CommandAndControl", "Impact", "Probing",
    "Exploitation",
}  # fmt: skip
WORKFLOW = {
    "VendorName", "AlertType", "StartTimeUtc", "EndTimeUtc", "ProcessingEndTime", "TimeGenerated", "IsIncident",
    "Severity", "Status", "ProductName", "SystemAlertId", "AzureResourceId", "AzureResourceSubscriptionId",
    "WorkspaceId", "WorkspaceSubscriptionId", "WorkspaceResourceGroup", "AgentId", "CompromisedEntity", "Intent",
    "AlertDisplayName", "Description", "RemediationSteps", "ExtendedProperties", "Entities", "ResourceIdentifiers",
}  # fmt: skip
ARM = {
    "version", "alertType", "systemAlertId", "productComponentName", "alertDisplayName", "description", "severity",
    "intent", "startTimeUtc", "endTimeUtc", "timeGeneratedUtc", "processingEndTimeUtc", "resourceIdentifiers",
    "remediationSteps", "vendorName", "productName", "compromisedEntity", "correlationKey", "alertUri", "status",
    "extendedLinks", "extendedProperties", "entities", "isIncident", "techniques", "subTechniques",
}  # fmt: skip


def document(name: str, value: Any, snapshot: str = "") -> Any:
    return json.loads(FORMATS[name].render(export_item(value, snapshot=snapshot), CONTEXT))


@pytest.mark.parametrize(
    "value", [rich_alert(), incident(), finding(), activity(), score()], ids=lambda v: type(v).__name__
)
def test_ecs_uses_only_words_that_ecs_allows(value: Any) -> None:
    made = document("ecs", value)
    assert made["event"]["kind"] in EVENT_KINDS
    assert set(made["event"]["category"]) <= CATEGORIES
    assert set(made["event"]["type"]) <= TYPES
    assert made["ecs"] == {"version": "8.11.0"}
    assert made["@timestamp"].endswith("Z")
    assert made["event"]["id"] == export_item(value).event_id


def test_an_alert_in_ecs() -> None:
    made = document("ecs", rich_alert())
    assert made["source"] == {"ip": "203.0.113.7", "address": "203.0.113.7"}
    assert made["user"] == {"name": "mallory@example.com"}
    assert made["url"] == {"domain": "shop.example", "path": "/api/login"}
    assert made["related"] == {
        "ip": ["203.0.113.7", "2001:db8::7"],
        "user": ["mallory@example.com"],
        "hosts": ["shop.example"],
    }
    assert made["threat"]["technique"]["id"] == ["T1110", "T1190"]
    assert made["threat"]["technique"]["subtechnique"]["name"] == ["Credential Stuffing"]
    assert made["rule"]["id"] == ["d.one"]
    assert document("ecs", rich_alert(), "2026-W01")["tags"] == ["snapshot"]


@pytest.mark.parametrize("status", AlertStatus)
@pytest.mark.parametrize("tactic", Tactic)
def test_the_arm_model_has_its_members_and_words(status: AlertStatus, tactic: Tactic) -> None:
    made = document("defender", rich_alert(status=status, tactic=tactic))
    assert made.keys() == {"id", "name", "type", "properties"}
    properties = made["properties"]
    assert properties.keys() == ARM
    assert properties["status"] in {"Active", "InProgress", "Resolved", "Dismissed"}
    assert properties["severity"] in {"Informational", "Low", "Medium", "High"}
    assert properties["intent"] in INTENTS
    assert all(one["type"] == "AzureResource" for one in properties["resourceIdentifiers"])
    assert properties["techniques"] == ["T1190"]
    assert properties["subTechniques"] == ["T1110.004"]
    assert properties["extendedProperties"]["Gatewatch event id"] == "alert:a0001:4"
    assert all("type" in entity for entity in properties["entities"])
    assert properties["isIncident"] is False


def test_an_incident_is_the_alert_that_says_it_is_one() -> None:
    properties = document("defender", incident(), "2026-W01")["properties"]
    assert (properties["isIncident"], properties["status"]) == (True, "Active")
    assert properties["extendedProperties"]["IsSnapshot"] == "true"
    assert document("defender-workflow", incident())["IsIncident"] is True


def test_a_finding_is_an_assessment() -> None:
    made = document("defender", finding())
    assert made["type"] == "Microsoft.Security/assessments"
    assert made["properties"]["status"]["code"] == "Unhealthy"
    assert made["properties"]["resourceDetails"]["id"].startswith("/subscriptions/")


def test_a_score_is_a_metric_in_ecs() -> None:
    made = document("ecs", score())
    assert made["event"]["kind"] == "metric"
    assert made["gatewatch"]["score"] == {
        "current": 3.0, "max": 4.0, "percentage": 75.0, "healthy": 3, "unhealthy": 1, "not_applicable": 2,
    }  # fmt: skip


def test_scores_have_the_shape_of_secure_scores_and_their_controls() -> None:
    whole = document("defender", score())
    assert whole["type"] == "Microsoft.Security/secureScores"
    assert whole["properties"].keys() == {"displayName", "score", "weight", "additionalData"}
    assert whole["properties"]["score"] == {"max": 4.0, "current": 3.0, "percentage": 0.75}
    control = document("defender", score("access_and_permissions"), "2026-W01")
    assert control["type"] == "Microsoft.Security/secureScores/secureScoreControls"
    assert control["id"] == f"{whole['id']}/secureScoreControls/access_and_permissions"
    properties = control["properties"]
    counts = ("healthyResourceCount", "unhealthyResourceCount", "notApplicableResourceCount", "weight")
    assert [properties[name] for name in counts] == [3, 1, 2, 4]
    assert properties["additionalData"]["IsSnapshot"] == "true"
    assert properties["definition"]["properties"]["assessmentDefinitions"] == [
        {"id": "/providers/Microsoft.Security/assessmentMetadata/endpoint_authentication"}
    ]


def test_the_workflow_schema_is_pascal_case() -> None:
    made = document("defender-workflow", rich_alert())
    assert made.keys() == WORKFLOW | {"AlertUri"}
    assert made["Status"] == "New"
    assert {"$id", "Type", "Address"} == made["Entities"][0].keys()
    assert ExportKind.AUDIT not in FORMATS["defender-workflow"].meta.kinds
