"""Automation rules follow what happens: one contract, two engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import structlog

from gatewatch.errors import ConflictError, NotFoundError, StaleError, StoreError
from gatewatch.model.activity import Origin, Subject
from gatewatch.model.alert import Alert, AlertStatus, Severity, Tactic
from gatewatch.model.automation import About, ActionOutcome, RuleRun, RunOutcome
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.model.verdict import Classification
from gatewatch.ports.automation import RunFilter
from gatewatch.respond.problems import ProblemsError
from gatewatch.respond.rules import MOST_CHAIN
from gatewatch.services.automation import Dispatching, Rulebook, Simulating
from gatewatch.services.incidents import Casework, Correlation, Suppressing
from gatewatch.services.incidents.patches import AlertPatch, IncidentPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.playbooks import Recorder

HOUR, DAY = 3600.0, 86_400.0
TAG = {"do": "add_tags", "tags": ["seen"]}


class Office:
    """The services over one store, at a time that the test sets."""

    def __init__(self, control: SqlControlStore) -> None:
        self.time = NOON + 1000
        self.control, self.playbooks = control, Recorder()
        summing = Summing(lambda _: {}, dict)
        self.correlation = Correlation(control.cases, summing, lambda _: {}, self.now)
        self.casework = Casework(control.cases, summing, self.now)
        self.summing = summing
        self.rulebook = Rulebook(control.automation, self)
        self.simulating = Simulating(control, control.cases, control.changes, self.now)
        self.suppressing = Suppressing(control, control.cases, self.now)
        self.dispatching = self.restarted()

    def now(self) -> float:
        return self.time

    def restarted(self) -> Dispatching:
        """What a new process would have."""
        self.dispatching = Dispatching(
            store=self.control.automation,
            changes=self.control.changes,
            casework=Casework(self.control.cases, self.summing, self.now, Origin.SYSTEM),
            starter=self.playbooks,
            clock=self,
            log=structlog.get_logger(),
        )
        return self.dispatching

    def rule(self, name: str, on: Any, *actions: Any, **more: Any) -> None:
        given = {"title": name, "trigger": on, "actions": list(actions or (TAG,)), **more}
        self.rulebook.put(name, given, by="ann")

    def tell(self, *alerts: Alert) -> Incident:
        """Alerts come, become incidents, rules run; the incident of the last."""
        self.control.upsert_alerts(alerts, at=self.time)
        self.correlation.run()
        self.dispatching.step()
        return self.incident(self.control.alert(alerts[-1].id).incident)

    def incident(self, number: int) -> Incident:
        return self.control.cases.incident(number)

    def runs(self, **where: Any) -> list[RuleRun]:
        """Oldest first."""
        return self.control.automation.runs(RunFilter(**where), limit=500)[0][::-1]

    def outcomes(self, rule: str) -> list[str]:
        return [run.outcome.value for run in self.runs(rule=rule)]


@pytest.fixture
def office(store: SqlControlStore) -> Office:
    return Office(store)


def apart(number: int, **changes: Any) -> Alert:
    made: dict[str, Any] = {
        "actors": (Actor(ActorKind.SUBJECT, f"person{number}"),),
        "client_ips": (f"198.51.{number % 250}.{number // 250}",),
        "endpoints": (f"GET shop /p{number}",),
        "alert_type": f"T{number}",
    }
    return alert(number, **made | changes)


def finding(number: int, status: FindingStatus, **changes: Any) -> Finding:
    made: dict[str, Any] = {
        "id": f"f{number}",
        "recommendation": "endpoint_authentication",
        "title": "API endpoints should be authenticated",
        "severity": Severity.HIGH,
        "status": status,
        "cause": "31 of 31",
        "remediation": "Require a token.",
        "endpoint_id": f"{number:016x}",
        "endpoint": "GET shop /x",
        "evaluated_at": NOON,
    }
    return Finding(**made | changes)


def test_an_incident_is_changed_once_by_a_rule_that_matches(office: Office) -> None:
    change = {
        "do": "change_properties",
        "severity": "high",
        "assigned_to": "ann",
        "status": "in_progress",
        "description": "by rule",
    }
    task = {"do": "add_task", "title": "Ask ${incident.alert_types[0]}", "due_in_h": 4}
    comment = {"do": "add_comment", "text": "Priority ${incident.priority}, owner ${incident.assigned_to}."}
    condition = 'incident.severity == "medium" && entities.exists(e, e.kind == "address")'
    office.rule("triage", "incident_created", change, TAG, task, comment, conditions=[condition])
    incident = office.tell(apart(1))
    assert (incident.severity, incident.assigned_to, incident.status) == (
        Severity.HIGH,
        "ann",
        IncidentStatus.IN_PROGRESS,
    )
    assert incident.tags == ("seen",)
    assert incident.acknowledged_at is None, "nobody has looked at it"
    (made,) = incident.tasks
    assert (made.title, made.due_at, made.created_by) == ("Ask T1", office.time + 4 * HOUR, "rule triage")
    (said,) = office.control.cases.comments(Subject.INCIDENT, [str(incident.id)])[str(incident.id)]
    assert said.text == f"Priority {incident.priority}, owner ann."
    assert (said.by, said.origin) == ("rule triage", Origin.SYSTEM)
    (run,) = office.runs()
    assert (run.outcome, run.trigger, run.about, run.subject) == (
        RunOutcome.MATCHED,
        "incident_created",
        About.INCIDENT,
        str(incident.id),
    )
    assert run.conditions[0].values["incident.severity"] == "medium"
    assert {one.outcome for one in run.actions} == {ActionOutcome.DONE}
    log = office.control.cases.activities(incident=incident.id)[0]
    (entry,) = [one for one in log if one.subject is Subject.RULE]
    assert (entry.by, entry.action, entry.details["run"]) == ("rule triage", "ran", run.id)
    assert office.dispatching.step() >= 0
    assert len(office.runs()) == 1
    assert office.rulebook.rule("triage").known.matched == 1
    assert office.control.cases.verify_activities() > 3


def test_each_rule_sees_what_the_ones_before_it_changed(office: Office) -> None:
    office.rule("third", "incident_created", TAG, order=30, conditions=['"vip" in incident.tags'])
    office.rule("first", "incident_created", {"do": "add_tags", "tags": ["vip"]}, order=10)
    office.rule(
        "second",
        "incident_created",
        {"do": "remove_tags", "tags": ["vip"]},
        order=20,
        conditions=['"vip" in incident.tags'],
    )
    incident = office.tell(apart(1))
    assert incident.tags == ()
    assert {run.rule: run.outcome.value for run in office.runs()} == {
        "first": "matched",
        "second": "matched",
        "third": "not_matched",
    }


CHANGES: dict[str, tuple[str, Callable[[Office, Incident], object]]] = {
    "status": (
        'changed.status.changed && changed.status.after == "in_progress" && changed.by == "bob"',
        lambda office, one: office.casework.change_incident(
            one.id, IncidentPatch(status=IncidentStatus.IN_PROGRESS), by="bob"
        ),
    ),
    "severity, raised by an alert": (
        'changed.severity.before == "medium" && changed.severity.after == "high" && changed.source == "correlation"',
        lambda office, one: office.tell(apart(1, id="a0002", key="k2", severity=Severity.HIGH)),
    ),
    "owner": (
        'changed.assigned_to.after == "bob" && changed.source == "person"',
        lambda office, one: office.casework.change_incident(one.id, IncidentPatch(assigned_to="bob"), by="bob"),
    ),
    "alerts": (
        "changed.alerts_added == 2",
        lambda office, one: office.tell(apart(1, id="a0002", key="k2"), apart(1, id="a0003", key="k3")),
    ),
    "tactics": (
        'changed.tactics_added == ["Discovery"]',
        lambda office, one: office.tell(apart(1, id="a0002", key="k2", tactic=Tactic.DISCOVERY)),
    ),
    "comments": (
        "changed.comments_added == 1",
        lambda office, one: office.casework.comment(Subject.INCIDENT, str(one.id), "hm", by="bob"),
    ),
    "tags": (
        'changed.tags_added == ["vip"] && changed.tags_removed == []',
        lambda office, one: office.casework.change_incident(one.id, IncidentPatch(tags=("vip",)), by="bob"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_rule_hears_what_changed(office: Office, name: str) -> None:
    condition, change = CHANGES[name]
    office.rule("listener", "incident_updated", conditions=[condition])
    incident = office.tell(apart(1))
    assert office.runs() == [], "created, not updated"
    change(office, incident)
    office.dispatching.step()
    assert "matched" in office.outcomes("listener"), office.runs()
    assert office.incident(incident.id).tags[-1] == "seen"


def test_counts_that_grow_are_no_event(office: Office) -> None:
    office.rule("listener", "incident_updated")
    office.tell(apart(1))
    office.tell(apart(1, count=500, last_seen=NOON + 900))
    assert office.runs() == []


def test_a_rule_does_not_hear_itself_and_rules_that_call_each_other_are_cut(office: Office) -> None:
    office.rule("self", "incident_updated", {"do": "add_comment", "text": "again"})
    incident = office.tell(apart(1))
    office.casework.comment(Subject.INCIDENT, str(incident.id), "hm", by="bob")
    office.dispatching.step()
    office.dispatching.step()
    assert office.outcomes("self") == ["matched"]
    office.rule("other", "incident_updated", {"do": "add_comment", "text": "and again"})
    office.casework.comment(Subject.INCIDENT, str(incident.id), "well", by="bob")
    while office.dispatching.step():
        pass
    found = office.runs()
    assert max(len(run.chain) for run in found) == MOST_CHAIN
    cut = [run for run in found if run.outcome is RunOutcome.CUT]
    assert cut
    assert "self → other → self" in cut[0].why
    assert not [run for run in found if run.outcome is RunOutcome.MATCHED and run.chain[-1:] == (run.rule,)]


def test_expired_disabled_and_deleted_rules_do_not_run(office: Office) -> None:
    office.rule("over", "incident_created", expires_at="2026-01-01T13:00:00Z")
    office.rule("off", "incident_created", enabled=False)
    office.rule("gone", "incident_created")
    office.rulebook.delete("gone", by="ann")
    office.time = NOON + 2 * HOUR
    incident = office.tell(apart(1))
    assert (incident.tags, office.runs()) == ((), [])
    assert {view.known.rule.name: view.state.value for view in office.rulebook.rules()} == {
        "over": "expired",
        "off": "disabled",
    }
    with pytest.raises(ConflictError, match="expired"):
        office.dispatching.run_by_hand("over", About.INCIDENT, str(incident.id), by="ann")
    with pytest.raises(ConflictError, match="disabled"):
        office.dispatching.run_by_hand("off", About.INCIDENT, str(incident.id), by="ann")


def test_what_was_there_before_the_rules_is_not_made_up_for(store: SqlControlStore) -> None:
    store.upsert_alerts([apart(1)], at=NOON)
    Correlation(store.cases, Summing(lambda _: {}, dict), lambda _: {}, lambda: NOON).run()
    office = Office(store)
    office.rule("late", "incident_created")
    office.dispatching.step()
    assert office.runs() == []
    assert office.tell(apart(2)).tags == ("seen",)


def test_a_condition_that_can_not_be_evaluated_is_told_and_nothing_is_done(office: Office) -> None:
    office.rule("odd", "incident_created", conditions=["incident.tags[3] == 'x'"])
    incident = office.tell(apart(1))
    (run,) = office.runs()
    assert (run.outcome, incident.tags) == (RunOutcome.FAILED, ())
    assert "out of bounds" in run.why
    assert run.conditions[0].holds is None


def test_an_action_that_fails_is_told_and_the_next_is_tried(office: Office) -> None:
    wrong = {"do": "change_properties", "determination": "phishing"}
    office.rule("half", "incident_created", wrong, TAG)
    incident = office.tell(apart(1))
    (run,) = office.runs()
    assert [one.outcome for one in run.actions] == [ActionOutcome.FAILED, ActionOutcome.DONE]
    assert "With it go" in run.actions[0].detail
    assert incident.tags == ("seen",)
    office.rule("again", "incident_updated", TAG)
    office.casework.comment(Subject.INCIDENT, str(incident.id), "hm", by="bob")
    office.dispatching.step()
    (again,) = office.runs(rule="again")
    assert again.actions[0].outcome is ActionOutcome.UNCHANGED


def test_an_alert_starts_a_playbook_once_it_has_its_incident(office: Office) -> None:
    start = {"do": "run_playbook", "playbook": "enrich", "inputs": {"ip": "${alert.addresses[0]}", "n": 3}}
    close = {"do": "change_properties", "status": "resolved", "classification": "expected_activity"}
    office.rule("enrich", "alert_created", start, close, TAG, conditions=["incident.id == alert.incident"])
    office.control.upsert_alerts([apart(1)], at=office.time)
    office.dispatching.step()
    assert office.playbooks.asked == [], "not in an incident yet"
    office.correlation.run()
    office.dispatching.step()
    (asked,) = office.playbooks.asked
    assert (asked.playbook, asked.subject.id, asked.inputs) == ("enrich", "a0001", {"ip": "198.51.1.0", "n": 3})
    assert (asked.by, asked.chain, len(asked.key)) == ("rule enrich", ("enrich",), 32)
    (run,) = office.runs()
    assert (run.actions[0].run, run.waiting) == ("run1", False)
    changed = office.control.alert("a0001")
    assert (changed.status, changed.classification) == (AlertStatus.RESOLVED, Classification.EXPECTED)
    assert office.incident(changed.incident).tags == ("seen",)
    office.casework.change_alert("a0001", AlertPatch(assigned_to="ann"), by="ann")
    office.dispatching.step()
    assert len(office.runs()) == 1
    actions = [entry.action for entry in office.control.cases.activities(subject="rule", subject_id="enrich")[0]]
    assert actions == ["playbook_started", "ran", "created"]


def test_suppressed_alerts_start_nothing(office: Office) -> None:
    office.rule("alerts", "alert_created")
    office.rule("incidents", "incident_created")
    rule = Suppression(
        name="ours",
        alert_type="T1",
        conditions=(Condition(field="address", values=("198.51.1.0",)),),
        reason="ours",
        created_at=NOON,
        created_by="ann",
    )
    office.suppressing.put(rule, by="ann")
    office.tell(apart(1))
    assert office.runs() == []
    assert office.dispatching.counts().quiet == 2


def test_findings_open_and_change(office: Office) -> None:
    start = {"do": "run_playbook", "playbook": "ticket"}
    office.rule("opened", "finding_opened", start, conditions=['finding.severity == "high"'])
    office.rule("closed", "finding_changed", start, conditions=['changed.status.after == "healthy"'])
    office.control.put_findings([finding(1, FindingStatus.UNHEALTHY), finding(2, FindingStatus.HEALTHY)])
    office.dispatching.step()
    assert [run.subject for run in office.runs()] == ["f1"]
    office.control.put_findings(
        [finding(2, FindingStatus.UNHEALTHY, cause="x"), finding(1, FindingStatus.UNHEALTHY, cause="y")]
    )
    office.dispatching.step()
    assert sorted((run.rule, run.subject, run.outcome.value) for run in office.runs()) == [
        ("closed", "f2", "not_matched"),
        ("opened", "f1", "matched"),
        ("opened", "f2", "matched"),
    ]
    office.time += 1
    office.control.put_findings([finding(1, FindingStatus.HEALTHY)])
    office.dispatching.step()
    office.time += 1
    office.control.put_findings([finding(2, FindingStatus.HEALTHY)])
    office.control.forget_findings([f"{1:016x}"])
    office.dispatching.step()
    assert office.outcomes("closed") == ["not_matched", "matched", "gone"]
    assert len(office.playbooks.runs) == 3


def test_a_merged_incident_is_said_to_be_gone(office: Office) -> None:
    office.rule("triage", "incident_created")
    office.control.upsert_alerts([apart(1), apart(2)], at=office.time)
    office.correlation.run()
    numbers = [office.control.alert(name).incident for name in ("a0001", "a0002")]
    office.casework.merge(numbers, by="ann", reason="one")
    office.dispatching.step()
    (gone,) = office.runs(outcome=(RunOutcome.GONE,))
    assert gone.why == f"Incident {max(numbers)} was merged into {min(numbers)}."


def test_schedules_run_once_when_they_were_missed(office: Office) -> None:
    start = {"do": "run_playbook", "playbook": "report"}
    office.rule("daily", {"on": "schedule", "cron": "0 8 * * *"}, start, timezone="Europe/Berlin")
    office.rule("night", {"on": "schedule", "cron": "0 * * * *"}, start, conditions=["now.hour < 6"])
    office.dispatching.step()
    assert office.runs() == []
    office.time = NOON + 5 * DAY
    office.dispatching.step()
    office.dispatching.step()
    assert office.outcomes("daily") == ["matched"]
    assert office.outcomes("night") == ["not_matched"]
    (run,) = office.runs(rule="daily")
    assert run.event == f"schedule {NOON + 4 * DAY + 19 * HOUR:.0f}"
    assert (run.about, office.playbooks.asked[0].subject.kind.value) == (About.NONE, "none")
    view = office.rulebook.rule("daily")
    assert view.next_at == NOON + 5 * DAY + 19 * HOUR
    office.rulebook.switch("daily", enabled=False, by="ann")
    office.time += 3 * DAY
    office.rulebook.switch("daily", enabled=True, by="ann")
    office.dispatching.step()
    assert office.outcomes("daily") == ["matched"], "what was due while it was off is not made up for"


def test_a_person_runs_a_rule_on_one_subject(office: Office) -> None:
    start = {"do": "run_playbook", "playbook": "block"}
    office.rule("block", {"on": "manual", "subject": "incident"}, start, conditions=["incident.open"])
    incident = office.tell(apart(1))
    assert office.runs() == []
    run = office.dispatching.run_by_hand("block", About.INCIDENT, str(incident.id), by="bob")
    assert (run.outcome, run.by, run.actions[0].run) == (RunOutcome.MATCHED, "bob", "run1")
    assert office.playbooks.asked[0].by == "bob"
    with pytest.raises(NotFoundError, match="no incident 99"):
        office.dispatching.run_by_hand("block", About.INCIDENT, "99", by="bob")
    with pytest.raises(ConflictError, match="about incident"):
        office.dispatching.run_by_hand("block", About.ALERT, "a0001", by="bob")
    with pytest.raises(NotFoundError):
        office.dispatching.run_by_hand("none", About.ALERT, "a0001", by="bob")


def test_a_playbook_that_is_refused_is_told(office: Office) -> None:
    office.playbooks.refusing["off"] = ConflictError("playbook off is disabled")
    office.rule("start", "incident_created", {"do": "run_playbook", "playbook": "off"}, TAG)
    incident = office.tell(apart(1))
    (run,) = office.runs()
    assert [(one.outcome.value, one.detail) for one in run.actions] == [
        ("failed", "playbook off is disabled"),
        ("done", "seen"),
    ]
    assert incident.tags == ("seen",)
    assert office.dispatching.counts().refused == 1


class KilledError(StoreError):
    """The process ends here."""


@pytest.mark.parametrize("place", ["put_incident", "record", "keep", "move", "start", "replace"])
def test_a_crash_at_any_place_neither_loses_nor_repeats(
    office: Office, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    from gatewatch.store.automation import SqlAutomationUnit
    from gatewatch.store.cases import SqlCaseUnit

    kinds: dict[str, Any] = {"put_incident": SqlCaseUnit, "record": SqlCaseUnit, "start": Recorder}
    kind = kinds.get(place, SqlAutomationUnit)
    start = {"do": "run_playbook", "playbook": "enrich"}
    comment = {"do": "add_comment", "text": "looked at"}
    office.rule("one", "incident_created", comment, start, order=1)
    office.rule("two", "incident_created", comment, order=2, conditions=["incident.updated_at > 0.0"])
    office.control.upsert_alerts([apart(1)], at=office.time)
    office.correlation.run()
    real, left = getattr(kind, place), [1]

    def failing(self: Any, *arguments: Any, **named: Any) -> Any:
        found = real(self, *arguments, **named)
        if left.pop() if left else 0:
            raise KilledError("killed")
        return found

    monkeypatch.setattr(kind, place, failing)
    with pytest.raises(KilledError):
        office.dispatching.step()
    office.restarted().step()
    number = office.control.alert("a0001").incident
    said = office.control.cases.comments(Subject.INCIDENT, [str(number)])[str(number)]
    assert [one.by for one in said] == ["rule one", "rule two"]
    assert sorted(office.outcomes("one") + office.outcomes("two")) == ["matched", "matched"]
    assert len(office.playbooks.runs) == 1
    assert office.dispatching.counts().waiting == 0


def test_two_dispatchers_do_not_run_a_rule_twice(office: Office) -> None:
    office.rule("triage", "incident_created", {"do": "add_comment", "text": "hm"})
    first = office.dispatching
    second = office.restarted()
    office.control.upsert_alerts([apart(n) for n in range(5)], at=office.time)
    office.correlation.run()
    first.step()
    second.step()
    first.step()
    assert office.outcomes("triage") == ["matched"] * 5


@pytest.mark.slow
def test_a_thousand_alerts_ten_rules_and_three_playbooks_drop_nothing(office: Office) -> None:
    for number in range(7):
        office.rule(f"rule{number}", "alert_created", conditions=[f"alert.count >= {number}"], order=number + 1)
    for number in range(3):
        start = {"do": "run_playbook", "playbook": f"p{number}", "inputs": {"id": "${alert.id}"}}
        office.rule(f"start{number}", "alert_created", start, order=100 + number)
    office.control.upsert_alerts([apart(n) for n in range(1000)], at=office.time)
    office.correlation.run()
    office.dispatching.step()
    counts = office.dispatching.counts()
    assert (counts.lag, counts.waiting, counts.events) == (0, 0, 1000)
    assert sum(counts.runs.values()) == 10_000
    assert counts.runs["matched"] == 5000
    assert (len(office.playbooks.runs), counts.started) == (3000, 3000)
    assert {request.inputs["id"] for request in office.playbooks.asked} == {f"a{n:04d}" for n in range(1000)}


def test_runs_are_paged_filtered_and_forgotten(office: Office) -> None:
    office.rule("yes", "incident_created", order=1)
    office.rule("no", "incident_created", order=2, conditions=["incident.alerts > 9"])
    for number in range(5):
        office.time += 1
        office.tell(apart(number))
    table = office.control.automation
    page, cursor = table.runs(RunFilter(), limit=4)
    rest, end = table.runs(RunFilter(), cursor=cursor, limit=100)
    assert (len(page), len(rest), end) == (4, 6, "")
    assert len({run.id for run in (*page, *rest)}) == 10
    assert [run.at for run in (*page, *rest)] == sorted((run.at for run in (*page, *rest)), reverse=True)
    assert len(office.runs(rule="no")) == len(office.runs(outcome=(RunOutcome.NOT_MATCHED,))) == 5
    assert {run.rule for run in office.runs(about=About.INCIDENT, subject="1")} == {"yes", "no"}
    assert table.forget_runs([RunOutcome.MATCHED], before=0, keep=2) == 3
    assert len(office.runs(rule="yes")) == 2
    office.time += 2 * DAY
    assert office.dispatching.tidy() == 5
    assert {run.rule for run in office.runs()} == {"yes"}
    with pytest.raises(NotFoundError):
        table.run("none")


def test_rules_are_changed_with_their_revision_and_everything_is_in_the_audit_log(office: Office) -> None:
    office.rule("one", "incident_created", order=5)
    office.rule("two", "incident_created", order=4)
    assert [view.known.rule.name for view in office.rulebook.rules()] == ["two", "one"]
    with pytest.raises(StaleError):
        office.rulebook.put("one", {"title": "x", "trigger": "incident_created", "actions": [TAG]}, by="b", revision=7)
    with pytest.raises(StaleError):
        office.rulebook.put("new", {"title": "x", "trigger": "incident_created", "actions": [TAG]}, by="b", revision=7)
    changed = office.rulebook.put(
        "one", {"title": "x", "trigger": "incident_created", "actions": [TAG]}, by="bob", revision=1
    )
    rule = changed.known.rule
    assert (rule.revision, rule.created_by, rule.updated_by, rule.order) == (2, "ann", "bob", 100)
    assert [view.known.rule.order for view in office.rulebook.reorder(["one", "two"], by="bob")] == [10, 20]
    with pytest.raises(ConflictError):
        office.rulebook.reorder(["one"], by="bob")
    office.rulebook.switch("one", enabled=False, by="bob", revision=3)
    office.rulebook.switch("one", enabled=False, by="bob")
    office.rulebook.delete("one", by="bob")
    with pytest.raises(NotFoundError):
        office.rulebook.rule("one")
    with pytest.raises(ProblemsError):
        office.rulebook.put_all({"a": {"title": "a", "trigger": "incident_created", "actions": [TAG]}, "b": {}}, by="x")
    assert [view.known.rule.name for view in office.rulebook.rules()] == ["two"]
    log = office.control.cases.activities(subject="rule", subject_id="one")[0]
    assert [entry.action for entry in log] == ["deleted", "disabled", "reordered", "changed", "created"]


def test_a_simulation_tells_what_would_be_done_and_changes_nothing(office: Office) -> None:
    incident = office.tell(*(apart(n, severity=Severity.HIGH if n < 3 else Severity.LOW) for n in range(10)))
    head = office.control.changes.head()
    rules = {
        "incident_created": (10, 3, 'incident.severity == "high"'),
        "alert_created": (10, 3, 'alert.severity == "high"'),
        "incident_updated": (1, 1, "changed.comments_added == 1"),
        "manual": (10, 10, "incident.open"),
    }
    office.casework.comment(Subject.INCIDENT, str(incident.id), "hm", by="bob")
    head = office.control.changes.head()
    start = {"do": "run_playbook", "playbook": "p", "inputs": {"x": "${now.date}"}}
    for trigger, (looked_at, matched, condition) in rules.items():
        data: dict[str, Any] = {"title": "x", "trigger": trigger, "conditions": [condition], "actions": [start, TAG]}
        found = office.simulating.past(office.rulebook.read("x", data, by="ann"), 30)
        assert (found.looked_at, found.matched) == (looked_at, matched), trigger
        assert found.actions == {"run_playbook": matched, "add_tags": matched}
        assert found.first[0].actions[0].inputs == {"x": "2026-01-01"}
    office.control.put_findings([finding(1, FindingStatus.UNHEALTHY), finding(2, FindingStatus.HEALTHY)])
    data = {"title": "x", "trigger": "finding_opened", "actions": [start]}
    assert office.simulating.past(office.rulebook.read("x", data, by="ann"), 30).matched == 1
    data = {"title": "x", "trigger": {"on": "schedule", "cron": "0 8 * * *"}, "actions": [start]}
    assert office.simulating.past(office.rulebook.read("x", data, by="ann"), 30).matched == 30
    one = office.simulating.on(
        office.rulebook.read("x", {"title": "x", "trigger": "incident_updated", "actions": [TAG]}, by="a"),
        About.INCIDENT,
        str(incident.id),
    )
    assert (one.matched, one.first[0].actions[0].outcome) == (1, ActionOutcome.WOULD)
    assert office.playbooks.asked == []
    assert office.control.changes.head() == head + 2
    assert office.incident(incident.id).tags == ()
