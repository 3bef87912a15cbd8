"""Remediation over REST and by evidence: findings of real stored traffic, from request to completion and back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.integration.test_rest import NOON, Client, Rest
from typer.testing import CliRunner

from gatewatch.cli.app import app
from gatewatch.model.activity import Subject
from gatewatch.model.finding import FindingStatus
from gatewatch.ports.control import FindingFilter, Role
from gatewatch.services.remediating.following import KEPT_S
from gatewatch.testing.alerts import alert
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

AUTH = "endpoint_authentication"
HOST = "api.example.test"
DAY = 86_400.0


@pytest.fixture
def rest(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Rest]:
    made = Rest(tmp_path, traffic)
    yield made
    made.close()


def seen(rest: Rest, *calls: Call) -> None:
    """Traffic that the inventory has looked at."""
    count = int(str(rest.traffic.query("SELECT count() AS n FROM observations")[0]["n"]))
    store_calls(rest.traffic, numbered(calls, first=count), token=f"block {count}")
    rest.catalogue.refresh()


def anonymous(template: str, at: float = NOON) -> Call:
    return Call(ts=at, template=template)


def statuses(rest: Rest, recommendation: str = AUTH) -> dict[str, str]:
    found, _ = rest.control.findings(FindingFilter(recommendation=(recommendation,)))
    return {one.endpoint.removeprefix(f"GET {HOST}"): one.status.value for one in found}


def ids(rest: Rest, recommendation: str = AUTH) -> dict[str, str]:
    found, _ = rest.control.findings(FindingFilter(recommendation=(recommendation,)))
    return {one.endpoint.removeprefix(f"GET {HOST}"): one.endpoint_id for one in found}


def later(days: float) -> str:
    return datetime.fromtimestamp(NOON + days * DAY, UTC).isoformat()


def fixed(rest: Rest, *templates: str) -> None:
    """The owners require a token."""
    for template in templates:
        found, _ = rest.control.findings(FindingFilter(recommendation=(AUTH,), endpoint_id=ids(rest)[template]))
        judge(rest, found[0].id, FindingStatus.HEALTHY)


def judge(rest: Rest, finding_id: str, status: FindingStatus) -> None:
    known = rest.control.finding(finding_id)
    rest.control.put_findings([msgspec.structs.replace(known, status=status, cause=f"seen to be {status.value}")])


def ask(rest: Rest, role: Role = Role.ANALYST, **body: Any) -> dict[str, Any]:
    answer = rest.client(role).post("/v1/remediations", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def read(rest: Rest, remediation: str) -> dict[str, Any]:
    found: dict[str, Any] = rest.client(Role.VIEWER).get(f"/v1/remediations/{remediation}").json()
    return found


def audited(rest: Rest, subject_id: str) -> list[str]:
    found, _ = rest.control.cases.activities(subject=Subject.REMEDIATION.value, subject_id=subject_id)
    return [entry.action for entry in reversed(found)]


def test_from_a_recommendation_to_completion_by_evidence_and_back(rest: Rest) -> None:
    seen(rest, anonymous("/orders"), anonymous("/users"), Call(ts=NOON, template="/cards", user="ann"))
    assert statuses(rest) == {"/orders": "unhealthy", "/users": "unhealthy", "/cards": "healthy"}
    made = ask(rest, recommendation=AUTH, due_at=later(7), assigned_to="team orders", notes="please")
    assert (made["type"], made["priority"], made["targeted"], made["fixed"], made["progress"]) == (
        "require_authentication",
        "high",
        2,
        0,
        0.0,
    )
    assert (made["title"], made["component"]) == ("API endpoints should be authenticated", f"{HOST}/")
    follow = rest.remediation.following
    assert follow.turn() == 0
    fixed(rest, "/orders")
    assert follow.turn() == 1
    assert (read(rest, made["id"])["fixed"], read(rest, made["id"])["status"]) == (1, "active")
    fixed(rest, "/users")
    follow.turn()
    done = read(rest, made["id"])
    assert (done["status"], done["completed_by"], done["completion"]) == (
        "completed",
        "system confirmation",
        "automatic",
    )
    assert follow.turn() == 0, "evidence that says nothing new changes nothing"
    targets = rest.client(Role.VIEWER).get(f"/v1/remediations/{made['id']}/targets").json()["items"]
    assert {one["why"] for one in targets} == {"seen to be healthy"}
    found, _ = rest.control.findings(FindingFilter(recommendation=(AUTH,), endpoint_id=ids(rest)["/users"]))
    judge(rest, found[0].id, FindingStatus.UNHEALTHY)
    follow.turn()
    again = read(rest, made["id"])
    assert (again["status"], again["reopened"], again["fixed"], again["completed_by"]) == ("active", 1, 1, None)
    assert audited(rest, made["id"]) == [
        "created",
        "progress",
        "progress",
        "completed",
        "progress",
        "recurrence",
        "reopened",
    ]


def test_an_endpoint_that_is_gone_is_fixed_but_one_that_became_a_template_is_not(rest: Rest) -> None:
    seen(rest, anonymous("/orders/a17"), anonymous("/old"))
    made = ask(rest, recommendation=AUTH)
    records = {one.template: one for one in rest.traffic.paths()}
    merged = msgspec.structs.replace(records["/orders/a17"], template="/orders/{slug}", endpoint_id=77, version=2)
    gone = msgspec.structs.replace(records["/old"], endpoint_id=0, version=2)
    rest.traffic.put_paths([merged, gone])
    rest.catalogue.refresh()
    assert set(ids(rest)) == {"/orders/{slug}"}
    rest.remediation.following.turn()
    targets = rest.client(Role.VIEWER).get(f"/v1/remediations/{made['id']}/targets").json()["items"]
    assert {one["endpoint"].removeprefix(f"GET {HOST}"): one["fixed"] for one in targets} == {
        "/orders/{slug}": False,
        "/old": True,
    }
    assert read(rest, made["id"])["status"] == "active"


def test_nothing_is_gone_before_the_inventory_was_read(rest: Rest) -> None:
    seen(rest, anonymous("/orders"))
    made = ask(rest, recommendation=AUTH)
    rest.control.forget_findings([])
    rest.catalogue.version = 0
    assert rest.remediation.following.turn() == 0
    assert read(rest, made["id"])["fixed"] == 0


def test_from_an_incident_with_the_endpoints_that_it_names(rest: Rest) -> None:
    seen(rest, anonymous("/orders"), anonymous("/users"))
    rest.control.upsert_alerts([alert(1, endpoints=(f"GET {HOST} /orders",))], at=NOON)
    rest.correlation.run()
    by_finding = ask(rest, incident=1, recommendation=AUTH)
    assert (by_finding["targeted"], by_finding["component"]) == (1, f"GET {HOST}/orders")
    by_person = ask(rest, incident=1, type="rotate_credentials", due_at=later(1))
    assert (by_person["completion"], by_person["targeted"], by_person["incident"]) == ("manual", 1, 1)
    looked_at = ask(rest, incident=1)
    assert (looked_at["type"], looked_at["progress"], looked_at["due_at"]) == ("attention_required", None, None)
    client = rest.client(Role.ANALYST)
    done = client.post(f"/v1/remediations/{by_person['id']}/complete", json={"reason": "keys changed"}).json()
    assert (done["status"], done["completed_by"], done["completion"]) == ("completed", "analyst", "manual")
    assert client.post(f"/v1/remediations/{by_person['id']}/complete", json={}).status_code == 409
    listed = client.get("/v1/remediations", params={"incident": 1, "status": "completed"}).json()["items"]
    assert [one["id"] for one in listed] == [by_person["id"]]
    log, _ = rest.control.cases.activities(incident=1)
    assert sum(entry.subject is Subject.REMEDIATION for entry in log) == 4, "the incident's log shows them"


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "of nothing": ({}, 422, "comes from a recommendation"),
    "of an unknown recommendation": ({"recommendation": "x"}, 404, "no recommendation x"),
    "of an unknown incident": ({"incident": 99}, 404, "99"),
    "of an unknown endpoint": ({"recommendation": AUTH, "endpoint_ids": ["0" * 16]}, 404, "no endpoint"),
    "of nothing unhealthy": ({"recommendation": "endpoint_unused"}, 422, "nothing to remedy"),
    "of nobody's endpoints": ({"recommendation": AUTH, "impact": "without_impact"}, 422, "nothing to remedy"),
    "due in the past": ({"recommendation": AUTH, "due_at": later(-1)}, 422, "over already"),
    "attention by a date": (
        {"recommendation": AUTH, "type": "attention_required", "due_at": later(1)},
        422,
        "no due date",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused_with_a_reason(rest: Rest, name: str) -> None:
    body, status, why = WRONG[name]
    seen(rest, anonymous("/orders"))
    answer = rest.client(Role.ANALYST).post("/v1/remediations", json=body)
    assert (answer.status_code, why in answer.text) == (status, True), answer.text


def test_only_what_is_unhealthy_can_be_chosen(rest: Rest) -> None:
    seen(rest, anonymous("/orders"), Call(ts=NOON, template="/cards", user="ann"))
    chosen = ids(rest)
    client = rest.client(Role.ANALYST)
    answer = client.post("/v1/remediations", json={"recommendation": AUTH, "endpoint_ids": [chosen["/cards"]]})
    assert (answer.status_code, "not unhealthy" in answer.text) == (422, True)
    assert ask(rest, recommendation=AUTH, endpoint_ids=[chosen["/orders"]])["targeted"] == 1


def test_changed_under_its_revision_and_overdue(rest: Rest) -> None:
    seen(rest, anonymous("/orders"))
    made = ask(rest, recommendation=AUTH, due_at=later(7))
    client, path = rest.client(Role.ANALYST), f"/v1/remediations/{made['id']}"
    changed = client.patch(path, json={"due_at": later(2), "assigned_to": "bob"}, headers={"if-match": '"1"'})
    assert (changed.json()["assigned_to"], changed.json()["revision"]) == ("bob", 2)
    assert client.patch(path, json={"notes": "x"}, headers={"if-match": '"1"'}).status_code == 412
    assert client.patch(path, json={"assigned_to": "bob"}).json()["revision"] == 2, "nothing changed"
    rest.clock.time = NOON + 3 * DAY
    late = client.get("/v1/remediations", params={"overdue": "true"}).json()["items"]
    assert [(one["id"], one["overdue"]) for one in late] == [(made["id"], True)]
    assert audited(rest, made["id"]) == ["created", "changed"]


def test_completed_ones_are_kept_for_180_days(rest: Rest) -> None:
    seen(rest, anonymous("/orders"))
    made = ask(rest, recommendation=AUTH)
    rest.client(Role.ANALYST).post(f"/v1/remediations/{made['id']}/complete", json={})
    rest.clock.time = NOON + KEPT_S
    rest.remediation.following.turn()
    assert read(rest, made["id"])["id"] == made["id"]
    rest.clock.time = NOON + KEPT_S + 7200
    rest.remediation.following.turn()
    assert rest.client(Role.VIEWER).get(f"/v1/remediations/{made['id']}").status_code == 404
    assert audited(rest, made["id"]) == ["created", "completed", "removed"]


# Exceptions


def test_an_exception_exempts_until_it_ends(rest: Rest) -> None:
    seen(rest, anonymous("/orders"), anonymous("/users"))
    chosen = ids(rest)
    wanted = {
        "recommendation": AUTH,
        "endpoint_id": chosen["/orders"],
        "justification": "third_party_control",
        "context": "the partner's gateway asks for a certificate",
        "expires_at": later(1),
    }
    client = rest.client(Role.RESPONDER)
    made = client.post("/v1/exceptions", json=wanted).json()
    assert (made["state"], made["coverage"], made["lowers_exposure"]) == ("active", "partial", True)
    rest.catalogue.refresh()
    assert statuses(rest) == {"/orders": "exempt", "/users": "unhealthy"}
    shown = client.get("/v1/findings", params={"status": "exempt"}).json()["items"]
    assert [(one["judged"], one["exception"]) for one in shown] == [("unhealthy", made["id"])]
    exposure = {one["recommendation"]: one for one in client.get("/v1/exceptions/exposure").json()["items"]}
    assert {name: exposure[AUTH][name] for name in ("state", "before", "exempt", "mitigated", "after")} == {
        "state": "partial",
        "before": 2,
        "exempt": 1,
        "mitigated": 1,
        "after": 1,
    }
    assert ask(rest, recommendation=AUTH)["targeted"] == 1, "what is exempt is not asked for"
    assert client.post("/v1/exceptions", json=wanted).status_code == 409
    rest.clock.time = NOON + DAY
    rest.catalogue.refresh()
    assert statuses(rest)["/orders"] == "unhealthy", "it ends by itself"
    rest.remediation.following.turn()
    assert client.get(f"/v1/exceptions/{made['id']}").json()["state"] == "expired"
    assert audited(rest, made["id"]) == ["exception", "exception expired"]


def test_an_exception_is_cancelled_at_any_time(rest: Rest) -> None:
    seen(rest, anonymous("/orders"))
    wanted = {"recommendation": AUTH, "justification": "risk_accepted", "context": "public", "expires_at": later(90)}
    client = rest.client(Role.RESPONDER)
    made = client.post("/v1/exceptions", json=wanted).json()
    assert made["coverage"] == "full"
    rest.catalogue.refresh()
    assert statuses(rest) == {"/orders": "exempt"}
    path = f"/v1/exceptions/{made['id']}/cancel"
    assert client.post(path, json={"reason": "not public any more"}).json()["state"] == "cancelled"
    assert client.post(path, json={"reason": "again"}).status_code == 409
    rest.catalogue.refresh()
    assert statuses(rest) == {"/orders": "unhealthy"}
    assert client.get("/v1/exceptions", params={"ended": "false"}).json()["items"] == []
    assert client.post("/v1/exceptions", json=wanted).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"expires_at": later(-1)}, 422),
        ({"expires_at": later(400)}, 422),
        ({"recommendation": "x"}, 404),
        ({"endpoint_id": "0" * 16}, 404),
        ({"collection_id": "0" * 16}, 404),
        ({"collection_id": "0" * 16, "endpoint_id": "0" * 16}, 422),
        ({"justification": "because"}, 422),
    ],
)
def test_exceptions_that_are_refused(rest: Rest, changes: dict[str, str], status: int) -> None:
    seen(rest, anonymous("/orders"))
    wanted = {"recommendation": AUTH, "justification": "risk_accepted", "context": "c", "expires_at": later(9)}
    assert rest.client(Role.RESPONDER).post("/v1/exceptions", json=wanted | changes).status_code == status


def test_who_may_do_what(rest: Rest) -> None:
    seen(rest, anonymous("/orders"))
    exception = {"recommendation": AUTH, "justification": "risk_accepted", "context": "c", "expires_at": later(9)}
    assert rest.client(Role.VIEWER).post("/v1/remediations", json={"recommendation": AUTH}).status_code == 403
    assert rest.client(Role.ANALYST).post("/v1/exceptions", json=exception).status_code == 403
    for path in ("/v1/remediations", "/v1/exceptions", "/v1/exceptions/exposure"):
        assert rest.client(Role.VIEWER).get(path).status_code == 200


# Clients of Defender Vulnerability Management


def test_the_activities_as_defender_shows_them(rest: Rest) -> None:
    seen(rest, anonymous("/orders"), anonymous("/users"))
    first = ask(rest, recommendation=AUTH, due_at=later(3), notes="please")
    rest.clock.time = NOON + 60
    second = ask(rest, recommendation=AUTH)
    rest.client(Role.ANALYST).post(f"/v1/remediations/{second['id']}/complete", json={})
    client = rest.client(Role.VIEWER)
    answer = client.get("/api/remediationTasks").json()
    assert answer["@odata.context"].endswith("#RemediationTasks")
    assert [one["id"] for one in answer["value"]] == [second["id"], first["id"]]
    task = client.get(f"/api/remediationTasks/{first['id']}").json()
    shown = {name: task[name] for name in ("status", "priority", "type", "completionMethod", "targetDevices")}
    assert shown == {
        "status": "Active",
        "priority": "High",
        "type": "ConfigurationChange",
        "completionMethod": "Automatic",
        "targetDevices": 2,
    }
    assert (task["requesterEmail"], task["requesterNotes"], task["dueOn"][:10]) == ("analyst", "please", "2026-01-04")
    closed = client.get(f"/api/remediationTasks/{second['id']}").json()
    assert (closed["status"], closed["completerEmail"], closed["completionMethod"]) == (
        "Completed",
        "analyst",
        "Manual",
    )
    machines = client.get(f"/api/remediationTasks/{first['id']}/machineReferences").json()["value"]
    assert {one["computerDnsName"] for one in machines} == {f"GET {HOST}/orders", f"GET {HOST}/users"}
    for text, wanted in (
        ("status eq 'Active'", [first["id"]]),
        ("status eq 'completed'", [second["id"]]),
        ("createdOn gt 2026-01-01T12:00:30Z", [second["id"]]),
    ):
        found = client.get("/api/remediationTasks", params={"$filter": text}).json()["value"]
        assert [one["id"] for one in found] == wanted, text
    paged = client.get("/api/remediationTasks", params={"$top": 1, "$skip": 1}).json()["value"]
    assert [one["id"] for one in paged] == [first["id"]]
    refused = client.get("/api/remediationTasks", params={"$filter": "title eq 'x'"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BadRequest")
    assert client.get("/api/remediationTasks/nothing").json()["error"]["code"] == "ResourceNotFound"


# The command line


class Closing(Client):
    """As the command line closes it."""

    def close(self) -> None:
        """Every request has ended already."""


class Shell:
    """Commands against the application, without a socket between."""

    def __init__(self, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
        self._rest = rest
        monkeypatch.setattr(httpx, "Client", self._client)

    def _client(self, base_url: str, headers: dict[str, str], timeout: float) -> Closing:
        del base_url, timeout
        return Closing(self._rest.app, headers)

    def run(self, *words: str, role: Role = Role.RESPONDER) -> str:
        where = {"GATEWATCH_TOKEN": self._rest.tokens[role], "COLUMNS": "300"}
        done = CliRunner().invoke(app, list(words), env=where)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    def told(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))


@pytest.fixture
def shell(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(rest, monkeypatch)


def test_the_command_line_asks_follows_and_exports(rest: Rest, shell: Shell) -> None:
    seen(rest, anonymous("/orders"), anonymous("/users"))
    chosen = ids(rest)["/orders"]
    made = shell.told(
        *("remediations", "request", "--recommendation", AUTH, "--endpoint", chosen, "--title", "=cmd()"),
        *("--owner", "bob", "--due", later(3), "--notes", "one, two"),
    )
    assert (made["targeted"], made["assigned_to"]) == (1, "bob")
    assert shell.told("remediations", "change", made["id"], "--owner", "eve")["assigned_to"] == "eve"
    assert [one["endpoint_id"] for one in shell.told("remediations", "targets", made["id"], "--exposed")["items"]] == [
        chosen
    ]
    assert "0/1" in shell.run("remediations", "list")
    rows = list(csv.DictReader(io.StringIO(shell.run("remediations", "list", "--csv"))))
    assert [(row["id"], row["title"], row["notes"], row["status"]) for row in rows] == [
        (made["id"], "'=cmd()", "one, two", "active")
    ]
    assert shell.told("remediations", "complete", made["id"], "--reason", "done")["status"] == "completed"
    assert shell.told("remediations", "list", "--status", "active")["items"] == []
    assert "responder" in shell.run("remediations", "show", made["id"])


def test_the_command_line_makes_and_ends_exceptions(rest: Rest, shell: Shell) -> None:
    seen(rest, anonymous("/orders"))
    made = shell.told("exceptions", "add", AUTH, "risk_accepted", "--context", "public", "--until", later(9))
    assert "everywhere" in shell.run("exceptions", "list", "--active")
    rest.catalogue.refresh()
    assert {one["after"] for one in shell.told("exceptions", "exposure")["items"]} == {0}
    assert "is cancelled" in shell.run("exceptions", "cancel", made["id"], "--reason", "enough")
    assert shell.told("exceptions", "list", "--active")["items"] == []
    assert [one["state"] for one in shell.told("exceptions", "list", "--ended")["items"]] == ["cancelled"]
