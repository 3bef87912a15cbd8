"""Incidents over REST: what an analyst does from the queue to the end."""

from __future__ import annotations

import pytest
from tests.integration.test_rest import Rest, rest

from gatewatch.model.alert import Severity, Tactic
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import NOON, alert

__all__ = ["rest"]

MALLORY = (Actor(ActorKind.SUBJECT, "mallory"),)


@pytest.fixture
def told(rest: Rest) -> Rest:
    """One attack of two alerts, and one alert apart."""
    rest.control.upsert_alerts(
        [
            alert(1, actors=MALLORY, tactic=Tactic.DISCOVERY, alert_type="scan"),
            alert(700, actors=MALLORY, tactic=Tactic.EXFILTRATION, alert_type="leak", severity=Severity.HIGH),
            alert(3, actors=(), client_ips=("203.0.113.99",), endpoints=("GET shop /other",)),
        ],
        at=NOON + 800,
    )
    rest.correlation.run()
    return rest


def test_from_the_queue_to_the_end(told: Rest) -> None:
    analyst = told.client(Role.ANALYST)
    first, second = analyst.get("/v1/incidents?order=priority").json()["items"]
    assert (first["alerts"], first["severity"], second["alerts"]) == (2, "high", 1)
    here = f"/v1/incidents/{first['id']}"
    dossier = analyst.get(f"{here}/dossier").json()
    assert [chapter["tactic"] for chapter in dossier["story"]["chapters"]] == ["Discovery", "Exfiltration"]
    assert dossier["entities"][0]["kind"] in ("actor", "address", "endpoint")
    assert {node["kind"] for node in dossier["graph"]["nodes"]} == {"actor", "address", "endpoint", "alert"}
    assert analyst.get(f"{here}/story").json() == dossier["story"]
    assert analyst.get(f"{here}/graph").json() == dossier["graph"]
    assert analyst.get(f"{here}/metrics").json() == dossier["metrics"]
    assert analyst.get(f"{here}/entities").json()["items"] == dossier["entities"]
    page = analyst.get(f"{here}/alerts?limit=1").json()
    following = analyst.get(f"{here}/alerts?limit=1&cursor={page['next']}").json()
    assert [page["items"][0]["id"], following["items"][0]["id"]] == ["a0001", "a0700"]
    tag = analyst.get(here).headers["etag"]
    taken = analyst.patch(here, json={"assigned_to": "ann", "status": "in_progress"}, headers={"if-match": tag})
    assert (taken.json()["assigned_to"], taken.json()["acknowledged_at"] is not None) == ("ann", True)
    stale = analyst.patch(here, json={"status": "resolved"}, headers={"if-match": tag})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition-failed")
    assert analyst.post(f"{here}/comments", json={"text": "Key revoked."}).status_code == 201
    task = analyst.put(f"{here}/tasks/t1", json={"title": "Tell the customer", "due_at": "2026-12-01T00:00:00Z"})
    assert task.json()["due_at"] == "2026-12-01T00:00:00.000Z"
    verdict = {"kind": "actor", "value": "subject:mallory", "verdict": "compromised"}
    assert analyst.post(f"{here}/verdicts", json=verdict).status_code == 200
    done = analyst.patch(
        here,
        json={"status": "resolved", "classification": "true_positive", "determination": "compromised_account"},
    ).json()
    assert (done["status"], done["open_alerts"]) == ("resolved", 0)
    actions = [entry["action"] for entry in analyst.get(f"{here}/activities?limit=500").json()["items"]]
    assert actions[-1] == "created"
    assert {"changed", "comment", "task", "verdict", "joined"} <= set(actions)
    assert told.client(Role.ADMIN).get("/v1/activities/verification").json()["intact"] is True


def test_merging_moving_and_splitting(told: Rest) -> None:
    analyst = told.client(Role.ANALYST)
    numbers = [item["id"] for item in analyst.get("/v1/incidents").json()["items"]]
    merged = analyst.post("/v1/incidents/merge", json={"incident_ids": numbers, "reason": "same key"}).json()
    assert (merged["id"], merged["alerts"]) == (min(numbers), 3)
    gone = analyst.get(f"/v1/incidents/{max(numbers)}").json()
    assert (gone["status"], gone["redirect_to"]) == ("redirected", min(numbers))
    assert len(analyst.get("/v1/incidents").json()["items"]) == 1
    assert len(analyst.get("/v1/incidents?status=redirected").json()["items"]) == 1
    refused = analyst.patch(f"/v1/incidents/{max(numbers)}", json={"name": "x"})
    assert (refused.status_code, refused.json()["cure"]) == (409, f"Use {min(numbers)}.")
    split = analyst.post("/v1/incidents/move-alerts", json={"alert_ids": ["a0003"]}).json()
    assert split["id"] not in numbers
    back = {"alert_ids": ["a0003"], "incident_id": min(numbers), "reason": "no"}
    assert analyst.post("/v1/incidents/move-alerts", json=back).json()["alerts"] == 3
    assert analyst.get(f"/v1/incidents/{split['id']}").json()["redirect_to"] == min(numbers)


def test_alerts_carry_their_incident_and_what_was_concluded(told: Rest) -> None:
    analyst = told.client(Role.ANALYST)
    given = {"status": "resolved", "classification": "false_positive", "determination": "not_malicious"}
    changed = analyst.patch("/v1/alerts/a0003", json=given).json()
    assert {name: changed[name] for name in given} == given
    assert analyst.get(f"/v1/incidents/{changed['incident_id']}").json()["status"] == "resolved"
    wrong = analyst.patch("/v1/alerts/a0003", json={"determination": "phishing"})
    assert (wrong.status_code, "With it go" in wrong.json()["cure"]) == (422, True)
    assert analyst.patch("/v1/alerts/a0003", json={"colour": "red"}).status_code == 422
    assert analyst.post("/v1/alerts/a0003/comments", json={"text": "ours"}).status_code == 201
    assert [e["action"] for e in analyst.get("/v1/alerts/a0003/activities").json()["items"]] == ["comment", "changed"]


def test_suppressions(told: Rest) -> None:
    analyst = told.client(Role.ANALYST)
    proposal = analyst.get("/v1/alerts/a0003/suppression").json()
    rule = {"alert_type": proposal["alert_type"], "conditions": proposal["conditions"], "reason": "Our scanner"}
    trial = analyst.post("/v1/suppressions/scanner/trial?days=365", json=rule).json()
    assert (trial["dismissed"], trial["alerts"][0]["id"]) == (1, "a0003")
    assert analyst.put("/v1/suppressions/scanner", json=rule).status_code == 200
    same = {"actors": (), "client_ips": ("203.0.113.99",), "endpoints": ("GET shop /other",)}
    told.control.upsert_alerts([alert(4, **same)], at=NOON + 900)
    told.correlation.run()
    assert analyst.get("/v1/alerts/a0004").json()["suppressed_by"] == "scanner"
    (listed,) = analyst.get("/v1/suppressions").json()["items"]
    assert (listed["name"], listed["dismissed"]) == ("scanner", 1)
    assert analyst.delete("/v1/suppressions/scanner").status_code == 204
    assert analyst.delete("/v1/suppressions/scanner").status_code == 404
    wide = analyst.put("/v1/suppressions/all", json={"alert_type": "*", "reason": "x"})
    assert (wide.status_code, wide.json()["cure"]) == (422, "Give an alert type or a condition.")
    assert analyst.put("/v1/suppressions/_bad name", json=rule).status_code == 422


def test_what_is_done_to_gatewatch_itself_is_in_the_log(told: Rest) -> None:
    admin = told.client(Role.ADMIN)
    made = admin.post("/v1/tokens", json={"name": "ci", "role": "viewer"}).json()
    assert admin.delete(f"/v1/tokens/{made['id']}").status_code == 204
    assert admin.put("/v1/detectors/volume.traffic_spike/settings", json={"enabled": False}).status_code == 200
    for subject, expected in (("token", ["revoked", "created"]), ("detector", ["changed"])):
        items = admin.get(f"/v1/activities?subject={subject}").json()["items"]
        assert [(entry["action"], entry["by"]) for entry in items] == [(one, "admin") for one in expected]
        assert made["token"] not in str(items)


WRONG = ["entity=nonsense", "order=colour", "status=gone", "cursor=zzz", "updated_since=yesterday"]


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_question_is_refused(told: Rest, query: str) -> None:
    assert told.client(Role.VIEWER).get(f"/v1/incidents?{query}").status_code == 422


def test_what_is_not_there_is_not_found(told: Rest) -> None:
    analyst = told.client(Role.ANALYST)
    for path in ("", "/dossier", "/story", "/graph", "/entities", "/alerts", "/similar", "/metrics", "/activities"):
        assert analyst.get(f"/v1/incidents/99999{path}").status_code == 404, path
    assert analyst.patch("/v1/incidents/99999", json={"name": "x"}).status_code == 404
