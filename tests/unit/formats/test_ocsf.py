"""OCSF events hold against the official models (py-ocsf-models) and the schema's own lists of attributes.

The models of 2003 and 2004 are complete classes. 2005 and 6003 have no class there: their parts are checked with the
models of the objects, their members with the schema's lists for 1.5.0 (events/findings/incident_finding.json,
events/application/api_activity.json, events/base_event.json of ocsf/ocsf-schema).
"""

from __future__ import annotations

import json
import types
from typing import Any, Union, get_args, get_origin

import pytest
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from py_ocsf_models.objects.finding_info import FindingInformation
from py_ocsf_models.objects.metadata import Metadata
from py_ocsf_models.objects.mitre_attack import MITREAttack
from pydantic import BaseModel

from gatewatch.formats.export import all_formats
from gatewatch.model.activity import Origin
from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.export import export_item
from gatewatch.model.finding import FindingStatus
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.score import OVERALL
from gatewatch.testing.exports import CONTEXT, activity, finding, incident, rich_alert, score

OCSF = all_formats()["ocsf"]
BASE = {
    "activity_id", "activity_name", "category_uid", "category_name", "class_uid", "class_name", "type_uid", "type_name",
    "time", "severity_id", "severity", "message", "metadata", "observables", "raw_data", "status", "status_id",
    "status_code", "status_detail", "unmapped", "count", "duration", "start_time", "end_time", "timezone_offset", "enrichments",
}  # fmt: skip
REQUIRED = {"activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid"}
INCIDENT = BASE | {
    "assignee", "assignee_group", "attacks", "comment", "confidence", "confidence_id", "confidence_score", "desc",
    "finding_info_list", "impact", "impact_id", "impact_score", "is_suspected_breach", "priority", "priority_id",
    "src_url", "ticket", "tickets", "vendor_attributes", "verdict", "verdict_id",
}  # fmt: skip
API_ACTIVITY = BASE | {"actor", "api", "dst_endpoint", "http_request", "http_response", "resources", "src_endpoint"}
BEYOND_THE_MODELS = {
    # Of the schema, but not in py-ocsf-models 0.10: detection_finding.json, evidences.json, compliance.json.
    ".anomaly_analyses",
    ".is_alert",
    ".evidences.uid",
    ".evidences.actor",
    ".evidences.src_endpoint",
    ".compliance.status",
}
ANOMALY = {"analysis_target", "anomalies", "baselines"}


def event(value: Any, snapshot: str = "") -> dict[str, Any]:
    body = OCSF.render(export_item(value, snapshot=snapshot), CONTEXT)
    assert b"\n" not in body
    made: dict[str, Any] = json.loads(body)
    assert made.keys() >= REQUIRED
    assert made["type_uid"] == made["class_uid"] * 100 + made["activity_id"]
    assert made["category_uid"] == made["class_uid"] // 1000
    assert made["metadata"]["version"] == "1.5.0"
    Metadata.model_validate(made["metadata"])
    unknown_members(made["metadata"], Metadata, ".metadata")
    return made


def unknown_members(value: Any, kind: Any, path: str) -> None:
    """Nothing may be in the event that the model would silently leave out."""
    for model in models_in(kind):
        items = value if isinstance(value, list) else [value]
        for item in items:
            for name, inner in item.items():
                where = f"{path}.{name}"
                if where in BEYOND_THE_MODELS:
                    continue
                assert name in model.model_fields, f"{where} is not in {model.__name__}"
                unknown_members(inner, model.model_fields[name].annotation, where)


def models_in(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    if get_origin(kind) in (Union, types.UnionType, list):
        return [model for inner in get_args(kind) for model in models_in(inner)]
    return []


@pytest.mark.parametrize("status", AlertStatus)
@pytest.mark.parametrize("severity", Severity)
def test_alerts_are_detection_findings(status: AlertStatus, severity: Severity) -> None:
    made = event(rich_alert(status=status, severity=severity))
    model = DetectionFinding.model_validate(made)
    unknown_members(made, DetectionFinding, "")
    assert model.severity_id.name == made["severity"]
    assert model.status_id is not None
    assert model.status_id.name == made["status"].replace(" ", "")
    assert model.activity_id.name == made["activity_name"]
    assert made["metadata"]["uid"] == "alert:a0001:4"
    assert made["time"] == 1_767_268_803_000


def test_an_alert_says_all_it_knows() -> None:
    made = event(rich_alert())
    info = made["finding_info"]
    assert [attack.get("sub_technique", {}).get("uid") for attack in info["attacks"]] == ["T1110.004", None]
    assert info["attacks"][0]["tactic"] == {
        "uid": "TA0006",
        "name": "Credential Access",
        "src_url": "https://attack.mitre.org/tactics/TA0006/",
    }
    (analysis,) = made["anomaly_analyses"]
    assert analysis.keys() == ANOMALY
    assert analysis["anomalies"][0]["observations"] == [{"value": "42 accounts"}]
    assert analysis["baselines"][0]["observations"] == [{"value": "3 accounts"}]
    assert {"name": "client address", "src_endpoint": {"ip": "2001:db8::7"}} in made["evidences"]
    assert made["unmapped"]["incident"] == 7
    assert made["resources"][0]["name"] == "POST shop.example /api/login"


def test_a_first_revision_is_created_a_closed_one_closed() -> None:
    assert event(rich_alert(revision=1))["activity_name"] == "Create"
    assert event(rich_alert())["activity_name"] == "Update"
    assert event(rich_alert(status=AlertStatus.DISMISSED))["activity_name"] == "Close"
    assert event(incident(revision=1))["activity_name"] == "Create"
    assert event(incident(status=IncidentStatus.RESOLVED))["activity_name"] == "Close"


@pytest.mark.parametrize("status", FindingStatus)
def test_findings_are_compliance_findings(status: FindingStatus) -> None:
    made = event(finding(status=status))
    model = ComplianceFinding.model_validate(made)
    unknown_members(made, ComplianceFinding, "")
    assert model.compliance.standards == ["OWASP API Security Top 10 2023"]
    wanted = {"healthy": "Pass", "unhealthy": "Fail", "not_applicable": "Other", "exempt": "Other"}[status.value]
    assert model.compliance.status_id is not None
    assert model.compliance.status_id.name == wanted


@pytest.mark.parametrize("name", [OVERALL, "access_and_permissions"])
@pytest.mark.parametrize(("unhealthy", "wanted"), [(1, "Warning"), (0, "Pass")])
def test_scores_are_compliance_findings(name: str, unhealthy: int, wanted: str) -> None:
    made = event(score(name, unhealthy=unhealthy))
    model = ComplianceFinding.model_validate(made)
    unknown_members({key: value for key, value in made.items() if key != "unmapped"}, ComplianceFinding, "")
    assert model.compliance.status_id is not None
    assert model.compliance.status_id.name == wanted
    assert model.compliance.control == name
    assert made["unmapped"]["percentage"] == 75.0


@pytest.mark.parametrize("status", IncidentStatus)
@pytest.mark.parametrize("owner", ["", "ana"])
def test_incidents_are_incident_findings(status: IncidentStatus, owner: str) -> None:
    made = event(incident(status=status, assigned_to=owner))
    assert made.keys() <= INCIDENT
    assert made.keys() >= {"finding_info_list", "status_id"}
    assert ("assignee" in made) != ("assignee_group" in made)
    assert made["status_id"] in range(1, 6)
    assert made["activity_id"] in (1, 2, 3)
    assert made["priority"] == "Critical"
    for info in made["finding_info_list"]:
        FindingInformation.model_validate(info)
        unknown_members(info, FindingInformation, ".finding_info_list")
    for attack in made["attacks"]:
        MITREAttack.model_validate(attack)
        unknown_members(attack, MITREAttack, ".attacks")
    assert [attack["tactic"]["uid"] for attack in made["attacks"]] == ["TA0007", "TA0007", "TA0006"]


def test_the_audit_log_is_api_activity() -> None:
    for entry in (activity(), activity(origin=Origin.SYSTEM, action="removed")):
        made = event(entry)
        assert made.keys() <= API_ACTIVITY
        assert made.keys() >= {"actor", "api", "src_endpoint"}
        assert made["activity_id"] in (1, 2, 3, 4)
        assert made["api"] == {"operation": f"alert.{entry.action}", "service": {"name": "Gatewatch"}}
        assert made["actor"] in ({"user": {"name": "ana"}}, {"app_name": "ana"})
        assert made["src_endpoint"].keys() & {"ip", "uid", "name", "hostname", "svc_name"}


def test_a_snapshot_says_so_and_has_an_id_of_its_own() -> None:
    made = event(rich_alert(), snapshot="2026-W01")
    assert made["metadata"]["labels"] == ["snapshot", "2026-W01"]
    assert made["metadata"]["uid"] == "alert:a0001:4:2026-W01"
