"""Playbooks over REST without an engine behind them: keeping, checking, simulating, questions, links."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from tests.integration.test_rest import NOON, Rest, rest

from gatewatch.api.resources.answers import PAGE_POLICY
from gatewatch.model.run import AnswerLink, Question, QuestionKind
from gatewatch.ports.control import Role
from gatewatch.services.playbooks.links import digest_of_token
from gatewatch.testing.alerts import alert

__all__ = ["rest"]

BOOK = """\
schema: gatewatch.playbook/v1
name: tell-us
title: Tell us
steps:
  - {id: mark, change: {add_tags: [told]}}
  - id: ok
    approval:
      text: Send it for ${incident.name}?
      then: [{id: tell, action: {connection: memory, do: send, with: {text: '${incident.name}'}}}]
"""
WRONG = """\
schema: gatewatch.playbook/v1
name: tell-us
title: Tell us
steps:
  - {id: one, action: {connection: nowhere, do: send}}
  - {id: one, when: 'steps.nine.x', wait: {}}
"""
YAML = {"content-type": "application/yaml"}


def put(rest: Rest, text: str = BOOK, *, on: bool = True, real: bool = True) -> None:
    admin = rest.client(Role.ADMIN)
    name = re.findall(r"^name: (.*)$", text, re.MULTILINE)[0]
    assert admin.put(f"/v1/playbooks/{name}", json={"text": text}).status_code == 200
    if real:
        assert admin.post(f"/v1/playbooks/{name}/promote").status_code == 200
    if on:
        assert admin.post(f"/v1/playbooks/{name}/enable").status_code == 200


@pytest.fixture
def incident(rest: Rest) -> int:
    rest.control.upsert_alerts([alert(1)], at=NOON)
    rest.correlation.run()
    number: int = rest.client().get("/v1/incidents").json()["items"][0]["id"]
    return number


def question(rest: Rest, **changes: Any) -> Question:
    given: dict[str, Any] = {
        "id": "q1",
        "run": "r1",
        "path": "ok",
        "playbook": "tell-us",
        "incident": 1,
        "kind": QuestionKind.APPROVAL,
        "text": "Send <b>it</b>?",
        "options": ("approve", "reject"),
        "default": "reject",
        "plan": ("memory: send text=x",),
        "digest": "d1",
        "address": "r1",
        "asked_by": "ann",
        "created_at": NOON,
        "expires_at": NOON + 3600,
    }
    return rest.control.runs.ask(Question(**given | changes))


def link(rest: Rest, token: str, option: str = "approve", of: str = "q1") -> None:
    digest = digest_of_token(token)
    made = AnswerLink(digest=digest, question=of, option=option, recipient="#soc", created_at=NOON)
    rest.control.runs.put_link(made)


def test_a_playbook_has_versions_of_which_one_is_on(rest: Rest) -> None:
    admin, viewer = rest.client(), rest.client(Role.VIEWER)
    first = admin.put("/v1/playbooks/tell-us", content=BOOK, headers=YAML).json()
    assert (first["version"], first["enabled"], first["staging"], first["subject"]) == (1, False, True, "incident")
    assert admin.put("/v1/playbooks/tell-us", json={"text": BOOK}).json()["version"] == 1, "the same text"
    second = BOOK.replace("title: Tell us", "title: Tell all")
    assert admin.put("/v1/playbooks/tell-us", json={"text": second}).json()["version"] == 2
    assert admin.post("/v1/playbooks/tell-us/enable", json={"version": 1}).json()["enabled"] is True
    assert admin.post("/v1/playbooks/tell-us/promote", json={"version": 1}).json()["promoted_by"] == "admin"
    assert admin.post("/v1/playbooks/tell-us/promote", json={"version": 1}).status_code == 409
    shown = viewer.get("/v1/playbooks/tell-us").json()
    assert (shown["version"], shown["text"]) == (1, BOOK)
    assert [(one["version"], one["enabled"], one["staging"]) for one in shown["versions"]] == [
        (2, False, True),
        (1, True, False),
    ]
    assert viewer.get("/v1/playbooks/tell-us/versions").json()["items"] == shown["versions"]
    file = viewer.get("/v1/playbooks/tell-us/versions/2")
    assert (file.text, file.headers["content-type"]) == (second, "application/yaml")
    assert file.headers["content-disposition"] == 'attachment; filename="tell-us.v2.yaml"'
    assert [one["name"] for one in viewer.get("/v1/playbooks").json()["items"]] == ["tell-us"]
    assert admin.post("/v1/playbooks/tell-us/stage").json()["staging"] is True
    assert admin.post("/v1/playbooks/tell-us/disable").json()["enabled"] is False
    log = admin.get("/v1/activities?subject=playbook").json()["items"]
    assert [one["action"] for one in log] == ["disabled", "staged", "promoted", "enabled", "saved", "saved"]
    for path in ("", "/versions", "/versions/1"):
        assert viewer.get(f"/v1/playbooks/nothing{path}").status_code == 404


@pytest.mark.parametrize(("method", "path"), [("POST", "check"), ("PUT", "tell-us")])
def test_every_mistake_has_its_place(rest: Rest, method: str, path: str) -> None:
    refused = rest.client().request(method, f"/v1/playbooks/{path}", content=WRONG, headers=YAML)
    assert (refused.status_code, refused.json()["code"]) == (422, "playbook")
    found = [(one["line"], one["column"], one["place"]) for one in refused.json()["problems"]]
    assert found == [
        (5, 36, "steps[0].action.connection"),
        (6, 10, "steps[1].id"),
        (6, 21, "steps[1].when"),
        (6, 37, "steps[1].wait"),
    ]
    assert all(one["message"] for one in refused.json()["problems"])


def test_a_text_without_mistakes_is_only_checked(rest: Rest) -> None:
    client = rest.client(Role.ANALYST)
    assert client.post("/v1/playbooks/check", json={"text": BOOK}).json()["problems"] == []
    assert client.get("/v1/playbooks").json()["items"] == []
    assert client.get("/v1/playbooks/schema").json()["properties"]["schema"]["const"] == "gatewatch.playbook/v1"


BODIES: dict[str, tuple[str, dict[str, Any], int]] = {
    "another name": ("other", {"json": {"text": BOOK}}, 422),
    "a name that a path needs": ("schema", {"json": {"text": BOOK.replace("tell-us", "schema")}}, 422),
    "no member text": ("tell-us", {"json": {"yaml": BOOK}}, 422),
    "no JSON": ("tell-us", {"content": b"{", "headers": {"content-type": "application/json"}}, 422),
    "no UTF-8": ("tell-us", {"content": b"\xff", "headers": YAML}, 422),
    "nothing": ("tell-us", {"content": b"", "headers": YAML}, 422),
    "a form": ("tell-us", {"data": {"text": BOOK}}, 415),
    "no type": ("tell-us", {"content": BOOK}, 415),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_wrong_body_saves_nothing(rest: Rest, name: str) -> None:
    path, body, status = BODIES[name]
    assert rest.client().put(f"/v1/playbooks/{path}", **body).status_code == status
    assert rest.client().get("/v1/playbooks").json()["items"] == []


NEEDED = {
    ("GET", "/v1/playbooks"): Role.VIEWER,
    ("GET", "/v1/playbooks/schema"): Role.VIEWER,
    ("POST", "/v1/playbooks/check"): Role.ANALYST,
    ("GET", "/v1/playbooks/x1"): Role.VIEWER,
    ("PUT", "/v1/playbooks/x1"): Role.ADMIN,
    ("GET", "/v1/playbooks/x1/versions"): Role.VIEWER,
    ("GET", "/v1/playbooks/x1/versions/1"): Role.VIEWER,
    ("POST", "/v1/playbooks/x1/enable"): Role.ADMIN,
    ("POST", "/v1/playbooks/x1/disable"): Role.ADMIN,
    ("POST", "/v1/playbooks/x1/promote"): Role.ADMIN,
    ("POST", "/v1/playbooks/x1/stage"): Role.ADMIN,
    ("POST", "/v1/playbooks/x1/simulate"): Role.ANALYST,
    ("POST", "/v1/playbooks/x1/runs"): Role.RESPONDER,
    ("GET", "/v1/runs"): Role.VIEWER,
    ("GET", "/v1/incidents/1/runs"): Role.VIEWER,
    ("GET", "/v1/runs/r"): Role.VIEWER,
    ("POST", "/v1/runs/r/cancel"): Role.RESPONDER,
    ("GET", "/v1/questions"): Role.VIEWER,
    ("GET", "/v1/questions/q"): Role.VIEWER,
    ("POST", "/v1/questions/q/answers"): Role.ANALYST,
}


def test_who_may_do_what(rest: Rest) -> None:
    order = [Role.VIEWER, Role.ANALYST, Role.RESPONDER, Role.ADMIN]
    for (method, path), role in NEEDED.items():
        for other in order:
            more: dict[str, Any] = {} if method == "GET" else {"json": {}}
            status = rest.client(other).request(method, path, **more).status_code
            assert (status == 403) == (order.index(other) < order.index(role)), (method, path, other, status)


def test_every_route_of_playbooks_is_in_the_table() -> None:
    from gatewatch.api.resources import playbooks, questions, runs, simulations

    known = {
        (method, re.sub(r"\{\w+\}", "{}", route.path))
        for part in (playbooks, questions, runs, simulations)
        for route in part.router.routes
        for method in route.methods - {"HEAD"}
    }
    names = {"x1", "r", "q", "1"}
    table = {(method, "/".join("{}" if part in names else part for part in path.split("/"))) for method, path in NEEDED}
    assert known == table


def test_a_run_is_asked_for_by_hand_once_per_key(rest: Rest, incident: int) -> None:
    client, viewer = rest.client(Role.RESPONDER), rest.client(Role.VIEWER)
    body = {"subject": {"kind": "incident", "id": incident}, "reason": "looks bad"}
    assert client.post("/v1/playbooks/tell-us/runs", json=body).status_code == 404
    put(rest, on=False)
    off = client.post("/v1/playbooks/tell-us/runs", json=body)
    assert (off.status_code, off.json()["cure"]) == (409, "Enable it first.")
    put(rest, real=False)
    key = {"idempotency-key": "abc"}
    made = client.post("/v1/playbooks/tell-us/runs", json=body, headers=key)
    run = made.json()
    assert (made.status_code, made.headers["location"]) == (202, f"/v1/runs/{run['id']}")
    assert (run["state"], run["by"], run["reason"], run["incident"]) == ("queued", "responder", "looks bad", incident)
    rest.clock.time += 1
    assert client.post("/v1/playbooks/tell-us/runs", json=body, headers=key).json()["id"] == run["id"]
    other = client.post("/v1/playbooks/tell-us/runs", json=body).json()["id"]
    assert other != run["id"]
    assert viewer.get(made.headers["location"]).json() == {**run, "steps": []}
    listed = viewer.get("/v1/runs?limit=1").json()
    following = viewer.get(f"/v1/runs?limit=1&cursor={listed['next']}").json()
    assert {one["id"] for one in (*listed["items"], *following["items"])} == {run["id"], other}
    assert following["next"] is None
    for query, count in {
        "playbook=tell-us": 2,
        "playbook=another": 0,
        "state=queued": 2,
        "state=failed&state=succeeded": 0,
        f"incident={incident}": 2,
        f"subject=incident%20{incident}": 2,
        "subject=alert%20a0001": 0,
        "since=2100-01-01T00:00:00Z": 0,
    }.items():
        assert len(viewer.get(f"/v1/runs?{query}").json()["items"]) == count, query
    assert len(viewer.get(f"/v1/incidents/{incident}/runs").json()["items"]) == 2
    assert viewer.get("/v1/incidents/9999/runs").status_code == 404
    for query in ("subject=nonsense", "state=gone", "cursor=zzz", "incident=x"):
        assert viewer.get(f"/v1/runs?{query}").status_code == 422, query
    ended = client.post(f"/v1/runs/{other}/cancel", json={"reason": "enough"}).json()
    assert (ended["state"], ended["cancelled_by"]) == ("cancelled", "responder: enough")
    assert client.post(f"/v1/runs/{other}/cancel").status_code == 409
    log = viewer.get(f"/v1/incidents/{incident}/activities").json()["items"]
    assert [one["action"] for one in log if one["subject"] == "run"] == ["cancelled", "requested", "requested"]


WRONG_STARTS: dict[str, tuple[dict[str, Any], int]] = {
    "no such incident": ({"subject": {"kind": "incident", "id": 9999}}, 404),
    "another kind of subject": ({"subject": {"kind": "none"}}, 409),
    "an input that is not known": ({"subject": {"kind": "incident", "id": 1}, "inputs": {"x": 1}}, 422),
    "a member that is not known": ({"subject": {"kind": "incident", "id": 1}, "force": True}, 422),
    "an unknown kind": ({"subject": {"kind": "person", "id": 1}}, 422),
}


@pytest.mark.parametrize("name", WRONG_STARTS)
def test_a_wrong_start_starts_nothing(rest: Rest, incident: int, name: str) -> None:
    put(rest)
    body, status = WRONG_STARTS[name]
    assert rest.client(Role.RESPONDER).post("/v1/playbooks/tell-us/runs", json=body).status_code == status
    assert rest.client().get("/v1/runs").json()["items"] == []


def test_a_simulation_on_one_incident_and_on_days(rest: Rest, incident: int) -> None:
    put(rest, on=False, real=False)
    client = rest.client(Role.ANALYST)
    subject = {"subject": {"kind": "incident", "id": incident}}
    one = client.post("/v1/playbooks/tell-us/simulate", json=subject).json()
    assert (one["state"], [step["path"] for step in one["steps"]][-1]) == ("succeeded", "tell")
    (asked,) = one["questions"]
    assert asked["plan"][0].startswith("memory: send text=")
    no = client.post("/v1/playbooks/tell-us/simulate", json={**subject, "choices": {"ok": "reject"}}).json()
    assert no["state"] == "refused"
    draft = BOOK.replace("add_tags: [told]", "add_tags: [other]")
    drafted = client.post("/v1/playbooks/tell-us/simulate", json={**subject, "text": draft}).json()
    assert drafted["steps"][0]["inputs"]["add_tags"] == ["other"]
    summed = client.post("/v1/playbooks/tell-us/simulate", json={"days": 30}).json()
    assert (summed["runs"], summed["approvals"], summed["actions"]) == (1, 1, {"memory.send": 1})
    assert summed["samples"][0]["steps"]
    none = client.post("/v1/playbooks/tell-us/simulate", json={"days": 30, "when": "'x' in incident.tags"}).json()
    assert (none["subjects"], none["runs"]) == (1, 0)
    assert rest.connectors.calls == []
    assert client.get(f"/v1/incidents/{incident}").json()["tags"] == []
    assert client.get("/v1/runs").json()["items"] == []
    for wrong in ({}, {"days": 1, **subject}, {"days": -1}, {"days": 1, "when": "1 +"}, {**subject, "text": WRONG}):
        assert client.post("/v1/playbooks/tell-us/simulate", json=wrong).status_code == 422, wrong


def test_an_answer_binds_to_the_plan_that_was_read(rest: Rest) -> None:
    question(rest)
    responder = rest.client(Role.RESPONDER)
    (item,) = responder.get("/v1/questions?open=true").json()["items"]
    assert (item["open"], item["plan"], item["role"]) == (True, ["memory: send text=x"], "responder")
    path = "/v1/questions/q1/answers"
    body = {"choice": "approve", "digest": item["digest"], "note": "fine"}
    assert responder.post(path, json={**body, "digest": "d2"}).status_code == 409
    assert responder.post(path, json={**body, "choice": "perhaps"}).status_code == 422
    assert responder.post(path, json={"choice": "approve"}).status_code == 422, "no digest, no answer"
    assert rest.client(Role.ANALYST).post(path, json=body).status_code == 403, "the question wants a responder"
    assert responder.post("/v1/questions/nothing/answers", json=body).status_code == 404
    assert responder.post(path, json=body).status_code == 201
    assert responder.post(path, json=body).status_code == 409
    (kept,) = responder.get("/v1/questions/q1").json()["answers"]
    assert (kept["choice"], kept["by"], kept["kind"], kept["note"]) == ("approve", "responder", "portal", "fine")
    assert kept["signature"]
    log = responder.get("/v1/activities?subject=run").json()["items"]
    assert [(one["action"], one["by"]) for one in log] == [("answered", "responder")]


def test_questions_have_pages_and_filters(rest: Rest) -> None:
    for number in range(3):
        question(rest, id=f"q{number}", run=f"r{number}", incident=number + 1, created_at=NOON + number)
    rest.control.runs.settle("q0", "reject", NOON)
    client = rest.client(Role.VIEWER)
    for query, ids in {
        "": ["q2", "q1", "q0"],
        "open=true": ["q2", "q1"],
        "open=false": ["q0"],
        "incident=2": ["q1"],
        "run=r2": ["q2"],
    }.items():
        assert [one["id"] for one in client.get(f"/v1/questions?{query}").json()["items"]] == ids
    first = client.get("/v1/questions?limit=2").json()
    assert [one["id"] for one in client.get(f"/v1/questions?cursor={first['next']}").json()["items"]] == ["q0"]
    assert client.get("/v1/questions/q0").json()["settled"] == "reject"
    assert client.get("/v1/questions/nothing").status_code == 404


def test_the_page_of_links_loads_nothing_and_says_nothing(rest: Rest) -> None:
    question(rest)
    link(rest, "t" * 64)
    client = rest.client(None)
    page = client.get("/v1/answers")
    assert page.text == client.get(f"/v1/answers?token={'t' * 64}").text, "the same for everybody"
    assert page.headers["content-type"].startswith("text/html")
    assert not re.search(
        r"(?i)https?:|//[a-z]|\bsrc=|<link|@import|url\(|\bon[a-z]+=|style=|innerHTML|eval\(", page.text
    )
    for tag in ("script", "style"):
        (inside,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.text, re.DOTALL)
        assert b64encode(sha256(inside.encode()).digest()).decode() in PAGE_POLICY
    policy = page.headers["content-security-policy"]
    assert policy == PAGE_POLICY
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert "set-cookie" not in page.headers
    for method in ("GET", "HEAD"):
        client.request(method, f"/v1/answers?token={'t' * 64}&choice=approve")
        client.request(method, "/v1/answers/seen")
    assert rest.control.runs.answers("q1") == [], "being opened decides nothing"


def test_the_page_says_what_the_answer_of_this_link_means(rest: Rest) -> None:
    text = rest.client(None).get("/v1/answers").text
    assert "This will be done" not in text, "behind a link that says no, it would be read as what the button does"
    for wanted in (
        'approve: "With your answer this will be done, and nothing else:"',
        'reject: "With your answer nothing of this will be done:"',
        'at("default").textContent = question.default',
        'timeZoneName: "short"',
        "question.approvers > 1 || question.four_eyes",
    ):
        assert wanted in text, wanted


def test_a_link_answers_once(rest: Rest) -> None:
    question(rest)
    link(rest, "t" * 64)
    client, token = rest.client(None), {"token": "t" * 64}
    for _ in range(2):
        seen = client.post("/v1/answers/seen", json=token)
        assert (seen.status_code, seen.json()["option"], seen.json()["recipient"]) == (200, "approve", "#soc")
        assert seen.json()["question"]["plan"] == ["memory: send text=x"]
    assert rest.control.runs.answers("q1") == [], "looking decides nothing"
    done = client.post("/v1/answers", json={**token, "note": "go"})
    assert (done.status_code, done.json()["choice"]) == (200, "approve")
    (kept,) = rest.control.runs.answers("q1")
    assert (kept.choice, kept.by, kept.note) == ("approve", "link to #soc", "go")
    assert "t" * 64 not in str(rest.client().get("/v1/activities").json())
    unknown = client.post("/v1/answers", json={"token": "u" * 64})
    for path in ("/v1/answers", "/v1/answers/seen"):
        for gone in (token, {"token": "u" * 64}, {"token": ""}, {"token": "not hex ☃"}):
            answer = client.post(path, json=gone)
            assert (answer.status_code, answer.json()) == (404, unknown.json()), "used and unknown look the same"


def test_a_link_to_a_closed_question_says_so(rest: Rest) -> None:
    question(rest)
    link(rest, "t" * 64)
    rest.control.runs.settle("q1", "reject", NOON)
    client = rest.client(None)
    assert client.post("/v1/answers/seen", json={"token": "t" * 64}).json()["question"]["open"] is False
    assert client.post("/v1/answers", json={"token": "t" * 64}).status_code == 409


SENT: dict[str, dict[str, Any]] = {
    "a form": {"data": {"token": "t" * 64}},
    "text that is JSON": {"content": b'{"token":"%s"}' % (b"t" * 64), "headers": {"content-type": "text/plain"}},
    "no type": {"content": b'{"token":"%s"}' % (b"t" * 64)},
    "an upload": {"files": {"token": b"t" * 64}},
}


@pytest.mark.parametrize("name", SENT)
def test_no_form_of_another_site_can_answer(rest: Rest, name: str) -> None:
    question(rest)
    link(rest, "t" * 64)
    client = rest.client(None)
    for path in ("/v1/answers", "/v1/answers/seen"):
        assert client.post(path, **SENT[name]).status_code == 415
    assert rest.control.runs.answers("q1") == []


def test_who_tries_links_too_often_waits(rest: Rest) -> None:
    client = rest.client(None)
    codes = [client.post("/v1/answers/seen", json={"token": "x"}).status_code for _ in range(31)]
    assert codes == [404] * 30 + [429]
    refused = client.post("/v1/answers", json={"token": "x"})
    assert (refused.status_code, refused.json()["code"]) == (429, "throttled")
    assert int(refused.headers["retry-after"]) == 60
    rest.clock.time += 61
    assert client.post("/v1/answers/seen", json={"token": "x"}).status_code == 404


def test_tokens_tell_whether_they_are_used(rest: Rest) -> None:
    admin = rest.client()

    def status(name: str) -> str:
        return next(str(one["status"]) for one in admin.get("/v1/tokens").json()["items"] if one["name"] == name)

    made = admin.post(
        "/v1/tokens", json={"name": "flow", "role": "viewer", "expires_at": "2026-02-01T00:00:00Z"}
    ).json()
    assert (made["status"], status("flow")) == ("generated", "generated")
    assert "token" not in next(one for one in admin.get("/v1/tokens").json()["items"] if one["name"] == "flow")
    rest.tokens[Role.VIEWER] = made["token"]
    assert rest.client(Role.VIEWER).get("/v1/alerts").status_code == 200
    assert status("flow") == "active"
    rest.clock.time += 7 * 86_400
    assert status("flow") == "active"
    rest.clock.time += 1
    assert status("flow") == "inactive"
    rest.clock.time += 60 * 86_400
    assert status("flow") == "expired"
    assert admin.delete(f"/v1/tokens/{made['id']}").status_code == 204
    assert status("flow") == "revoked"
