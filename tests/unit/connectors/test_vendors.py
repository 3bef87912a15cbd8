"""Every connector against a server that checks requests as the vendor's reference says."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest
from tests.connector_servers import SECRET, Answer

from gatewatch.ports.connectors import Outcome

from .conftest import KINDS, Benches
from .vendors import VENDORS

every = pytest.mark.parametrize("name", VENDORS)


@every
def test_a_call_has_its_effect_and_tells_of_it(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    result = it.perform()
    assert it.server.complaints == []
    assert (result.outcome, result.error) == (Outcome.SUCCEEDED, "")
    assert result.values == it.vendor.values
    assert result.link == it.vendor.link.format(url=it.server.url)
    assert it.effects == 1


@every
def test_an_answer_that_is_lost_is_found_again_without_a_second_effect(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    it.server.faults.append("cut")
    lost = it.perform()
    assert (lost.outcome, lost.again) == (Outcome.UNKNOWN, it.vendor.repeatable)
    if it.vendor.reads_back:
        found = it.read_back()
        assert found.outcome is Outcome.SUCCEEDED
        assert it.server.complaints == []
    if it.vendor.repeatable:
        assert it.perform().outcome is Outcome.SUCCEEDED
    assert it.effects == 2


@every
def test_a_call_that_was_cut_before_its_effect_is_known_to_have_had_none(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    it.server.faults.append("cut-before")
    assert it.perform().outcome is Outcome.UNKNOWN
    back = it.read_back()
    assert back.outcome is (Outcome.FAILED if it.vendor.reads_back else Outcome.UNKNOWN)
    assert back.again == it.vendor.reads_back
    assert it.effects == 1


REFUSALS: dict[str, tuple[Answer, Outcome, bool, float | None]] = {
    "400": (Answer(400, {}), Outcome.FAILED, False, None),
    "403": (Answer(403, {}), Outcome.FAILED, False, None),
    "404": (Answer(404, {}), Outcome.FAILED, False, None),
    "408": (Answer(408, {}), Outcome.FAILED, True, None),
    "429 with a wait": (Answer(429, {}, {"retry-after": "17"}), Outcome.FAILED, True, 17.0),
    "503 with a wait": (Answer(503, {}, {"retry-after": "5"}), Outcome.FAILED, True, 5.0),
    "a redirect": (Answer(307, None, {"location": "http://127.0.0.1:1/"}), Outcome.FAILED, False, None),
}


@every
@pytest.mark.parametrize("refusal", REFUSALS)
def test_refusals_have_no_effect(bench: Benches, name: str, refusal: str) -> None:
    it = bench(VENDORS[name])
    answer, outcome, again, wait = REFUSALS[refusal]
    it.server.faults.append(answer)
    result = it.perform()
    if refusal == "404" or not result.error.startswith("signing in"):
        assert (result.outcome, result.retry_after_s if wait else None) in ((outcome, wait), (Outcome.FAILED, None))
    assert result.outcome is outcome
    if not result.error.startswith("signing in"):
        assert (result.again, result.retry_after_s) == (again, wait)
    assert it.effects == 0


@every
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server_leaves_the_outcome_open(bench: Benches, name: str, status: int) -> None:
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    it.server.faults.append(Answer(status, {}))
    result = it.perform()
    assert (result.outcome, result.again) == (Outcome.UNKNOWN, it.vendor.repeatable)


@every
def test_an_answer_that_is_too_long_leaves_the_outcome_open(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    it.server.faults.append(Answer(200, b" " * 5_000_000))
    assert it.perform().outcome is Outcome.UNKNOWN


@every
def test_nobody_there_surely_had_no_effect(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.server.close()
    result = it.perform()
    assert (result.outcome, result.again) == (Outcome.FAILED, True)


ECHOES = (
    Answer(400, {"message": SECRET, "error": {"message": SECRET, "code": SECRET}, "errorMessages": [SECRET]}),
    Answer(500, {"message": SECRET, "error": SECRET}),
    Answer(200, {"ok": False, "error": SECRET, "result": {"sys_id": SECRET, "number": SECRET, "state": SECRET}}),
    Answer(
        201,
        {
            "result": {"sys_id": SECRET, "number": SECRET, "state": SECRET},
            "key": SECRET,
            "iid": SECRET,
            "number": SECRET,
            "web_url": "https://x.example/" + SECRET,
            "html_url": "https://x.example/" + SECRET,
        },
    ),
    Answer(202, {"status": "success", "dedup_key": SECRET}),
)


@every
@pytest.mark.parametrize("echo", range(len(ECHOES)))
def test_secrets_never_come_back(bench: Benches, name: str, echo: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    seen = []
    for fault in (ECHOES[echo], "cut", "cut-before"):
        it.server.faults.append(fault)
        seen += [it.perform(), it.read_back()]
    kept = msgspec.json.encode(seen).decode() + caplog.text
    for form in (SECRET, "mark3r", "s3cret", "bWFyazNy"):
        assert form not in kept


@pytest.mark.parametrize("name", ["servicenow", "jira cloud"])
def test_what_proves_who_we_are_never_comes_back(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.perform(key="run-0.step")
    proof = it.server.requests[-1].headers["authorization"]
    it.server.faults.append(Answer(400, {"message": proof, "error": {"message": proof}, "errorMessages": [proof]}))
    told = it.perform().error
    assert "***" in told
    assert proof.split()[1] not in told


OTHERS: dict[str, list[tuple[str, dict[str, Any], dict[str, Any]]]] = {
    "servicenow": [
        ("get_incident", {"id": f"{1:032x}"}, {"status": "1", "resolution": ""}),
        ("update_incident", {"id": f"{1:032x}", "status": "6", "resolution": "Solved"}, {"status": "6"}),
        ("add_work_note", {"id": f"{1:032x}", "text": "Blocked."}, {"id": f"{1:032x}"}),
        ("list_changed", {"minutes": 15}, {"next": ""}),
    ],
    "jira cloud": [
        ("get_issue", {"id": "SEC-1"}, {"status": "To Do", "resolution": ""}),
        ("comment", {"id": "SEC-1", "text": "Blocked.\n\nUntil two."}, {"comment": "10000"}),
        ("list_transitions", {"id": "SEC-1"}, {"transitions": [
            {"id": "11", "name": "To Do", "to": "To Do"}, {"id": "21", "name": "In Progress", "to": "In Progress"},
            {"id": "31", "name": "Done", "to": "Done"}]}),
        ("transition", {"id": "SEC-1", "transition": "31", "status": "Done", "resolution": "Fixed"}, {"id": "SEC-1"}),
        ("get_issue", {"id": "SEC-1"}, {"status": "Done", "resolution": "Fixed"}),
        ("list_changed", {"minutes": 15}, {"next": ""}),
    ],
    "slack": [("post_message", {"channel": "C1", "text": "Only words"}, {"channel": "C1"})],
    "teams": [("post_card", {"title": "T", "text": "Only words"}, {})],
    "pagerduty": [
        ("acknowledge", {"dedup_key": "run-1.step"}, {}),
        ("resolve", {"dedup_key": "run-1.step"}, {}),
    ],
    "opsgenie": [("close_alert", {"alias": "run-1.step", "note": "Over."}, {})],
    "github": [("create_issue", {"title": "Only a title"}, {"number": 2})],
    "crowdsec": [
        ("list_decisions", {"value": "203.0.113.7"}, {"decisions": [{"id": 7, "type": "ban", "value": "203.0.113.7",
            "duration": "4h", "origin": "gatewatch", "scenario": "gatewatch/run-1.step"}]}),
        ("withdraw", {"value": "203.0.113.7"}, {"deleted": "1"}),
        ("list_decisions", {"value": "203.0.113.7"}, {"decisions": []}),
    ],
    "sentinel": [
        ("get_incident", {"id": "run-1.step"}, {"etag": '"1"', "status": "New"}),
        ("update_incident", {"id": "run-1.step", "etag": '"1"', "title": "T", "severity": "High", "status": "Closed",
            "classification": "TruePositive"}, {"status": "Closed", "classification": "TruePositive", "etag": '"2"'}),
    ],
}  # fmt: skip
OTHERS["jira data center"] = OTHERS["jira cloud"]


@pytest.mark.parametrize("name", OTHERS)
def test_what_else_it_does(bench: Benches, name: str) -> None:
    it = bench(VENDORS[name])
    it.perform()
    for action, inputs, values in OTHERS[name]:
        result = it.perform(action, key="run-1.other", **inputs)
        assert (result.outcome, result.error) == (Outcome.SUCCEEDED, ""), (action, it.server.complaints)
        assert {name: result.values.get(name) for name in values} == values, action
        meta = next(one for one in KINDS[it.vendor.connector].meta.actions if one.id == action)
        if meta.reads_back and name != "slack":
            assert it.connections.read_back(it.call(action, key="run-1.other", **inputs)).outcome is Outcome.SUCCEEDED
    assert it.server.complaints == []


def test_an_incident_that_changed_since_is_not_overwritten(bench: Benches) -> None:
    it = bench(VENDORS["sentinel"])
    it.perform()
    inputs = {"id": "run-1.step", "etag": '"old"', "title": "T", "severity": "High", "status": "Active"}
    result = it.perform("update_incident", **inputs)
    assert (result.outcome, result.error) == (Outcome.FAILED, "127.0.0.1 answered 412: PreconditionFailed")


def test_a_token_that_was_withdrawn_is_fetched_again_once(bench: Benches) -> None:
    it = bench(VENDORS["crowdsec"])
    it.perform(key="run-0.step")
    it.perform(key="run-1.step")
    assert it.logic.sign_ins == 1
    it.logic.token = "another-t0ken"
    assert it.perform(key="run-2.step").outcome is Outcome.SUCCEEDED
    assert (it.logic.sign_ins, it.effects) == (2, 3)


def test_pages_lead_on(bench: Benches) -> None:
    for name in ("servicenow", "jira cloud", "jira data center"):
        it = bench(VENDORS[name])
        for number in range(5):
            it.perform(key=f"run-{number}.step")
        seen, page = [], ""
        for _ in range(3):
            given: dict[str, Any] = {"minutes": 5, "limit": 2, **({"page": page} if page else {})}
            result = it.perform("list_changed", **given)
            seen += [ticket["id"] for ticket in result.values["tickets"]]
            page = result.values["next"]
        assert (len(set(seen)), page, it.server.complaints) == (5, "", []), name


def test_slack_says_no_with_status_200(bench: Benches) -> None:
    it = bench(VENDORS["slack"])
    result = it.perform("post_message", channel="nowhere", text="x")
    assert (result.outcome, result.error) == (Outcome.FAILED, "127.0.0.1: channel_not_found")


def test_an_answer_in_a_thread_is_not_declared_missing(bench: Benches) -> None:
    it = bench(VENDORS["slack"])
    inputs = {"channel": "C1", "text": "x", "thread": "1767268800.000100"}
    call = it.call("post_message", key="run-9.step", **inputs)
    assert it.connections.read_back(call).outcome is Outcome.UNKNOWN
