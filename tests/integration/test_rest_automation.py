"""Automation rules over REST and on the command line: written, tried, run, explained; who may do what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.test_rest import Rest, rest

from gatewatch.cli.app import run as command
from gatewatch.cli.automation_rules import run_lines
from gatewatch.model.alert import Severity
from gatewatch.model.run import PlaybookVersion
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import NOON, alert

__all__ = ["rest"]

RULES = "/v1/automation-rules"
RULE: dict[str, Any] = {
    "title": "High incidents go to ann",
    "trigger": {"on": "incident_created"},
    "conditions": ['incident.severity == "high"'],
    "actions": [
        {"do": "change_properties", "assigned_to": "ann"},
        {"do": "run_playbook", "playbook": "enrich", "inputs": {"id": "${incident.id}"}},
    ],
}


def told(rest: Rest) -> int:
    """Two incidents, one of them high; its number."""
    high = {"severity": Severity.HIGH, "client_ips": ("203.0.113.9",), "actors": (), "endpoints": ("GET shop /other",)}
    rest.control.upsert_alerts([alert(1), alert(2, **high)], at=NOON)
    rest.correlation.run()
    rest.automation.dispatching.step()
    return rest.control.alert("a0002").incident


def test_from_writing_a_rule_to_its_explained_run(rest: Rest) -> None:
    admin, viewer = rest.client(Role.ADMIN), rest.client(Role.VIEWER)
    made = admin.put(f"{RULES}/triage", json=RULE)
    assert (made.status_code, made.json()["state"], made.headers["etag"]) == (200, "enabled", '"1"')
    number = told(rest)
    matched, missed = viewer.get(f"{RULES}/triage/runs").json()["items"]
    if matched["outcome"] != "matched":
        matched, missed = missed, matched
    assert (matched["subject"], matched["incident_id"]) == ({"kind": "incident", "id": str(number)}, number)
    assert [one["outcome"] for one in matched["actions"]] == ["done", "done"]
    assert missed["conditions"] == [
        {"text": RULE["conditions"][0], "holds": False, "why": "", "values": {"incident.severity": "medium"}}
    ]
    assert rest.playbooks.asked[0].inputs == {"id": number}
    assert viewer.get(f"/v1/automation-runs/{matched['id']}").json() == matched
    page = viewer.get("/v1/automation-runs?limit=1").json()
    assert len(page["items"]) == 1
    assert len(viewer.get(f"/v1/automation-runs?limit=9&cursor={page['next']}").json()["items"]) == 1
    found = viewer.get(f"/v1/automation-runs?kind=incident&subject={number}").json()["items"]
    assert [one["id"] for one in found] == [matched["id"]]
    assert viewer.get(f"{RULES}").json()["items"][0]["matched"] == 1
    lines = list(run_lines(matched))
    assert "incident.severity = high" in lines[1]
    assert lines[2].strip() == "→ change_properties done: assigned_to = ann"
    actions = [one["action"] for one in viewer.get("/v1/activities?subject=rule").json()["items"]]
    assert actions == ["playbook_started", "ran", "created"]


PLAYBOOKS: dict[str, tuple[dict[str, Any] | None, list[str]]] = {
    "none of that name": (None, ["actions[1].playbook: there is no playbook 'enrich' (there are other)"]),
    "of another subject": (
        {"subject": "alert"},
        ["actions[1].playbook: playbook enrich is about a subject alert, the rule about incident"],
    ),
    "off": ({"enabled": False}, ["actions[1].playbook: playbook enrich is off: the rule can't start it"]),
    "in staging": (
        {"staging": True},
        ["actions[1].playbook: playbook enrich is in staging: what the rule starts only simulates"],
    ),
    "ready": ({}, []),
    "ready, about nothing": ({"subject": "none"}, []),
}


@pytest.mark.parametrize("case", PLAYBOOKS)
def test_what_a_rule_can_not_start_is_said_before_it_tries(rest: Rest, case: str) -> None:
    changes, warnings = PLAYBOOKS[case]
    ready: dict[str, Any] = {
        "version": 1,
        "title": "T",
        "text": "",
        "digest": "",
        "created_at": 1.0,
        "created_by": "ann",
    }
    ready |= {"subject": "incident", "enabled": True, "staging": False}
    rest.control.runs.put_version(PlaybookVersion(name="other", **ready))
    admin = rest.client(Role.ADMIN)
    made = admin.put(f"{RULES}/triage", json=RULE)
    assert made.status_code == 200
    if changes is not None:
        rest.control.runs.put_version(PlaybookVersion(name="enrich", **ready | changes))
    assert admin.get(f"{RULES}/triage").json()["warnings"] == warnings
    assert admin.get(RULES).json()["items"][0]["warnings"] == warnings
    assert admin.post(f"{RULES}/triage:simulate").json()["warnings"] == warnings
    assert admin.post(f"{RULES}:simulate", json={"rule": RULE}).json()["warnings"] == warnings
    assert admin.post(f"{RULES}/triage:disable").json()["warnings"] == warnings


def test_a_rule_is_changed_only_as_it_was_read(rest: Rest) -> None:
    admin = rest.client(Role.ADMIN)
    tag = admin.put(f"{RULES}/triage", json=RULE).headers["etag"]
    assert admin.put(f"{RULES}/triage", json=RULE | {"order": 5}, headers={"if-match": tag}).status_code == 200
    assert admin.put(f"{RULES}/triage", json=RULE, headers={"if-match": tag}).status_code == 412
    assert admin.post(f"{RULES}/triage:disable", headers={"if-match": tag}).status_code == 412
    assert admin.delete(f"{RULES}/triage", headers={"if-match": tag}).status_code == 412
    assert admin.get(f"{RULES}/triage").json()["revision"] == 2
    assert admin.post(f"{RULES}/triage:disable").json()["state"] == "disabled"
    assert admin.post(f"{RULES}/triage:enable").json()["state"] == "enabled"
    admin.put(f"{RULES}/other", json=RULE)
    ordered = admin.post(f"{RULES}:order", json={"names": ["other", "triage"]}).json()["items"]
    assert [(one["name"], one["order"]) for one in ordered] == [("other", 10), ("triage", 20)]
    assert admin.delete(f"{RULES}/triage").status_code == 204
    assert admin.get(f"{RULES}/triage").status_code == 404
    assert admin.put(f"{RULES}/_no name", json=RULE).status_code == 422
    assert admin.put(f"{RULES}/one", json=RULE | {"name": "two"}).status_code == 422


ROLES: dict[str, tuple[str, str, Any, Role]] = {
    "look": ("GET", RULES, None, Role.VIEWER),
    "runs": ("GET", "/v1/automation-runs", None, Role.VIEWER),
    "export": ("GET", f"{RULES}:export", None, Role.VIEWER),
    "try": ("POST", f"{RULES}/triage:simulate", None, Role.ANALYST),
    "try a new one": ("POST", f"{RULES}:simulate", {"rule": RULE}, Role.ANALYST),
    "run by hand": ("POST", f"{RULES}/triage:run", {"kind": "incident", "id": "1"}, Role.RESPONDER),
    "switch off": ("POST", f"{RULES}/triage:disable", None, Role.RESPONDER),
    "switch on": ("POST", f"{RULES}/triage:enable", None, Role.ADMIN),
    "write": ("PUT", f"{RULES}/triage", RULE, Role.ADMIN),
    "order": ("POST", f"{RULES}:order", {"names": ["triage"]}, Role.ADMIN),
    "import": ("POST", f"{RULES}:import", {"document": [RULE | {"name": "x1"}]}, Role.ADMIN),
    "remove": ("DELETE", f"{RULES}/triage", None, Role.ADMIN),
}


@pytest.mark.parametrize("name", ROLES)
def test_who_may_do_what(rest: Rest, name: str) -> None:
    rest.client(Role.ADMIN).put(f"{RULES}/triage", json=RULE)
    told(rest)
    method, path, body, least = ROLES[name]
    ranks = [Role.VIEWER, Role.ANALYST, Role.RESPONDER, Role.ADMIN]
    for role in ranks[: ranks.index(least)]:
        assert rest.client(role).request(method, path, json=body).status_code == 403, role
    assert rest.client(least).request(method, path, json=body).status_code < 300


def test_every_mistake_is_told_at_once(rest: Rest) -> None:
    wrong: dict[str, Any] = {
        "title": "",
        "order": 0,
        "colour": "red",
        "trigger": {"on": "incident_created"},
        "conditions": ["incident.severty == 'high'", "incident.name", "frobnicate(1)"],
        "actions": [{"do": "add_tags", "tags": []}, {"do": "explode"}],
    }
    answer = rest.client(Role.ADMIN).put(f"{RULES}/bad", json=wrong).json()
    assert answer["code"] == "definition"
    assert {one["at"] for one in answer["errors"]} == {"colour", "actions[1].do"}
    del wrong["colour"]
    wrong["actions"] = wrong["actions"][:1]
    answer = rest.client(Role.ADMIN).put(f"{RULES}/bad", json=wrong).json()
    places = {one["at"] for one in answer["errors"]}
    assert places == {"title", "order", "conditions[0]", "conditions[1]", "conditions[2]", "actions[0].tags"}
    assert "it has alert_types" in answer["detail"]


def test_simulating_changes_nothing(rest: Rest) -> None:
    analyst = rest.client(Role.ANALYST)
    number = told(rest)
    found = analyst.post(f"{RULES}:simulate?days=30", json={"rule": RULE}).json()
    assert (found["looked_at"], found["matched"]) == (2, 1)
    one = {"rule": RULE, "subject": {"kind": "incident", "id": str(number)}}
    run = analyst.post(f"{RULES}:simulate", json=one).json()["runs"][0]
    assert [action["outcome"] for action in run["actions"]] == ["would", "would"]
    assert rest.playbooks.asked == []
    assert analyst.get(f"/v1/incidents/{number}").json()["assigned_to"] is None
    assert analyst.get("/v1/automation-runs").json()["items"] == []
    missing = {"rule": RULE, "subject": {"kind": "incident", "id": "99"}}
    assert analyst.post(f"{RULES}:simulate", json=missing).json()["runs"][0]["outcome"] == "gone"


def test_what_is_exported_can_be_imported(rest: Rest) -> None:
    admin = rest.client(Role.ADMIN)
    until = RULE | {"expires_at": "2026-06-01T00:00:00Z", "timezone": "Europe/Berlin", "trigger": "alert_created"}
    until |= {"conditions": [], "actions": [{"do": "add_task", "title": "look", "due_in_h": 2}]}
    admin.put(f"{RULES}/triage", json=RULE)
    admin.put(f"{RULES}/until", json=until)
    before = admin.get(RULES).json()["items"]
    documents = list(yaml.safe_load_all(admin.get(f"{RULES}:export").content))
    for one in documents:
        admin.delete(f"{RULES}/{one['name']}")
    again = admin.post(f"{RULES}:import", json={"document": documents}).json()["items"]
    assert sorted(again, key=lambda one: str(one["name"])) == sorted(before, key=lambda one: str(one["name"]))
    refused = admin.post(f"{RULES}:import", json={"document": [documents[0], {"title": "x"}]})
    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "[1].name")


def test_rules_of_sentinel_are_taken_over(rest: Rest) -> None:
    admin = rest.client(Role.ADMIN)
    given = {
        "properties": {
            "displayName": "Close our scanner",
            "order": 3,
            "triggeringLogic": {
                "isEnabled": True,
                "triggersOn": "Incidents",
                "triggersWhen": "Created",
                "conditions": [
                    {
                        "conditionType": "Property",
                        "conditionProperties": {
                            "propertyName": "IPAddress",
                            "operator": "Equals",
                            "propertyValues": ["203.0.113.9"],
                        },
                    }
                ],
            },
            "actions": [
                {
                    "order": 1,
                    "actionType": "ModifyProperties",
                    "actionConfiguration": {
                        "status": "Closed",
                        "classification": "BenignPositive",
                        "classificationReason": "SuspiciousButExpected",
                        "classificationComment": "ours",
                    },
                }
            ],
        }
    }
    body = {"format": "sentinel", "document": {"value": [given]}, "dry_run": True}
    assert admin.post(f"{RULES}:import", json=body).json()["items"][0]["name"] == "close-our-scanner"
    assert admin.get(RULES).json()["items"] == []
    assert admin.post(f"{RULES}:import", json=body | {"dry_run": False}).status_code == 200
    number = told(rest)
    done = admin.get(f"/v1/incidents/{number}").json()
    assert (done["status"], done["classification"], done["resolving_comment"]) == (
        "resolved",
        "expected_activity",
        "ours",
    )


FILE = """\
name: triage
title: Two mistakes
trigger: {on: incident_created}
conditions:
  - incident.severity == "high"
  - incident.prio > 3
actions:
  - do: add_tags
    tag: [x]
---
name: fine
title: Fine
trigger: {on: alert_created}
actions: [{do: run_playbook, playbook: p}]
"""


def test_the_command_line_locates_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(FILE)
    assert command(["automation-rules", "apply", str(file), "--dry-run"]) == 2
    told_ = capsys.readouterr().err
    assert f"{file}:9:5: actions[0].tag: is unknown" in told_
    assert f"{file}:8:5: actions[0].tags: is missing" in told_
    file.write_text(FILE.replace("tag:", "tags:"))
    assert command(["automation-rules", "apply", str(file), "--dry-run"]) == 2
    assert f"{file}:6:5: conditions[1]: `incident.prio > 3`: incident has no prio" in capsys.readouterr().err
    file.write_text(FILE.replace("tag:", "tags:").replace("prio ", "priority "))
    assert command(["automation-rules", "apply", str(file), "--dry-run", "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["items"]] == ["triage", "fine"]
    file.write_text("name: [\n")
    assert command(["automation-rules", "apply", str(file), "--dry-run"]) == 2
    assert f"{file}:2:1" in capsys.readouterr().err
