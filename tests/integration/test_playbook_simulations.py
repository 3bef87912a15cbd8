"""Simulation over what is stored: thirty days of incidents, every built-in playbook, no way out."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatewatch.bootstrap.playbooks import built_in_playbooks
from gatewatch.errors import InputError, NotFoundError
from gatewatch.model.action import ConnectorMeta
from gatewatch.model.alert import Severity, Tactic
from gatewatch.model.containment import BlastRadius, ContainmentPlan, digest_of
from gatewatch.model.run import Run
from gatewatch.ports.connectors import ActionResult
from gatewatch.ports.containing import Judgement
from gatewatch.ports.playbooks import RunSubject, SubjectKind
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.services.incidents import Casework, Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.playbooks import Changing, Simulating
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.simulations import ExampleConnectors, alert_facts, incident_facts

DAY = 86_400.0
TODAY = NOON + 40 * DAY
METAS = {
    name: msgspec.convert(meta, ConnectorMeta)
    for name, meta in json.loads((Path(__file__).parents[1] / "unit/respond/connections.json").read_text()).items()
}
INPUTS = {"gateway": "edge", "channel": "C1"}


class Today:
    def now(self) -> float:
        return TODAY


class Facts(Changing):
    """What expressions know, of what is stored."""

    def __init__(self, control: SqlControlStore) -> None:
        self._control_store = control
        casework = Casework(control.cases, Summing(lambda _: {}, dict), Today().now)
        super().__init__(control.cases, control, casework, Today())

    def context(self, run: Run) -> dict[str, Any]:
        cases = self._control_store.cases
        if not run.incident:
            return {}
        incident = cases.incident(run.incident)
        found = cases.entities_of(incident.id, 100)
        alerts, _ = cases.alerts_of(incident.id, limit=50)
        return {
            "incident": incident_facts(incident),
            "alerts": [alert_facts(one) for one in alerts],
            "entities": [
                {
                    "kind": str(one.kind),
                    "value": one.value,
                    "verdict": str(incident.verdicts.get(f"{one.kind} {one.value}", "")),
                }
                for one in found
            ],
        }


class Dry:
    """Judges, and can't do anything else."""

    def judge(self, plan: ContainmentPlan) -> Judgement:
        protected = plan.scope.value == "203.0.113.3"
        return Judgement(
            digest=digest_of(plan),
            radius=BlastRadius(hours=24.0, calls=1000, calls_hit=100, actors_hit=3, bystanders_count=2),
            obstacles=("203.0.113.3 is protected",) if protected else (),
            approvals=1,
        )

    def apply(self, plan: ContainmentPlan, *, key: str, by: str, approved_digest: str) -> ActionResult:
        raise AssertionError("a simulation acted on a gateway")

    def read_back(self, key: str) -> ActionResult:
        raise AssertionError("a simulation acted on a gateway")

    def roll_back(self, action: str, *, by: str, reason: str) -> ActionResult:
        raise AssertionError("a simulation acted on a gateway")


@pytest.fixture
def control(tmp_path: Path) -> Iterator[SqlControlStore]:
    """Forty days, an incident each: every second one of a login attack, all by different addresses."""
    made = SqlControlStore(f"sqlite:///{tmp_path / 'control.sqlite'}")
    made.migrate()
    correlation = Correlation(made.cases, Summing(lambda _: {}, dict), lambda _: {}, lambda: now[0])
    now = [NOON]
    for day in range(40):
        now[0] = NOON + day * DAY + 60
        kind = "API_CredentialStuffing" if day % 2 else "API_SprayInRequests"
        made.upsert_alerts(
            [
                alert(
                    day,
                    alert_type=kind,
                    severity=Severity.HIGH if day % 2 else Severity.LOW,
                    tactic=Tactic.CREDENTIAL_ACCESS if day % 2 else Tactic.DISCOVERY,
                    first_seen=NOON + day * DAY,
                    last_seen=NOON + day * DAY + 30,
                    detected_at=NOON + day * DAY + 40,
                    actors=(),
                    client_ips=(f"203.0.113.{day}",),
                    endpoints=("POST shop.example /login",),
                )
            ],
            at=now[0],
        )
        correlation.run()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch, control: SqlControlStore) -> list[object]:
    tried: list[object] = []

    def refuse(*given: object, **named: object) -> None:
        tried.append(given)
        raise AssertionError("a simulation opened a socket")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    return tried


def book(name: str) -> Playbook:
    text = next(one for one in built_in_playbooks() if f"\nname: {name}\n" in one)
    return read_playbook(text, Surroundings(connections=METAS))


def simulating(control: SqlControlStore) -> tuple[Simulating, ExampleConnectors]:
    connectors = ExampleConnectors(METAS)
    made = Simulating(
        cases=control.cases,
        control=control,
        changing=Facts(control),
        connectors=connectors,
        containing=Dry(),
        clock=Today(),
    )
    return made, connectors


def test_thirty_days_tell_runs_actions_approvals_and_what_would_have_been_blocked(
    control: SqlControlStore, connections: list[object]
) -> None:
    desk, connectors = simulating(control)
    progress: list[int] = []
    found = desk.last_days(
        book("contain-credential-stuffing"),
        30.5,
        when="'API_CredentialStuffing' in incident.alert_types",
        inputs=INPUTS,
        progress=progress.append,
    )
    assert (found.subjects, found.runs, found.bounded) == (30, 15, False)
    assert progress == list(range(1, 31))
    assert found.states == {"succeeded": 15}
    assert found.errors == {}
    assert found.actions == {"slack.post_message": 15}
    assert found.approvals == 15
    assert len(found.approvals_per_day) == 15
    assert set(found.approvals_per_day.values()) == {1}
    assert min(found.approvals_per_day) == "2026-01-12"
    assert len(found.blocked) == 15
    one = found.blocked[0]
    assert (one.gateway, one.effect, one.duration_s, one.calls_hit, one.bystanders) == (
        "edge",
        "throttle",
        7200.0,
        100,
        2,
    )
    assert {one.scope for one in found.blocked} == {f"address 203.0.113.{day}" for day in range(11, 40, 2)}
    assert len(found.samples) == 15
    assert [step.path for step in found.samples[0].steps][:3] == ["find", "anything", "slow_down"]
    assert len(connectors.calls) == 15
    assert connections == []


def test_a_guardrail_that_would_have_forbidden_it_is_in_the_report(control: SqlControlStore) -> None:
    desk, _ = simulating(control)
    found = desk.last_days(book("contain-credential-stuffing"), 41.0, inputs=INPUTS)
    assert (found.subjects, found.runs) == (40, 40)
    assert found.states == {"succeeded": 39, "failed": 1}
    assert found.approvals == 19, "of what is forbidden nobody is asked"
    forbidden = [one for one in found.blocked if one.obstacles]
    assert [one.scope for one in forbidden] == ["address 203.0.113.3"]
    assert list(found.errors.values()) == [1]
    assert "203.0.113.3 is protected" in next(iter(found.errors))


def test_what_is_wrong_is_counted_and_not_passed_over(control: SqlControlStore) -> None:
    desk, _ = simulating(control)
    missing = desk.last_days(book("contain-credential-stuffing"), 41.0)
    assert missing.runs == 0
    assert [text.startswith("`gateway` is missing") for text in missing.errors] == [True]
    assert list(missing.errors.values()) == [40]
    broken = desk.last_days(book("enrich-and-comment"), 41.0, when="incident.colour == 'red'")
    assert (broken.runs, list(broken.errors.values())) == (0, [40])
    later = desk.last_days(book("enrich-and-comment"), 41.0, when="incident.created_at > now - 86400.0 * 2.0")
    assert later.runs == 2
    with pytest.raises(InputError, match="names colour"):
        desk.last_days(book("enrich-and-comment"), 41.0, when="colour == 'red'")
    with pytest.raises(InputError, match="findings have no days"):
        desk.last_days(book("finding-to-jira-issue"), 41.0, inputs={"project": "P"})


def test_one_incident_with_other_answers(control: SqlControlStore) -> None:
    desk, _ = simulating(control)
    subject = RunSubject(kind=SubjectKind.INCIDENT, id="2")
    document = book("contain-credential-stuffing")
    run, world = desk.one(document, subject, INPUTS, {"slow_down": "reject"})
    assert (run.state.value, run.error) == ("refused", "slow_down: simulation said reject")
    assert [wish.path for _, wish in world.asked] == ["slow_down"]
    with pytest.raises(NotFoundError):
        desk.one(document, RunSubject(kind=SubjectKind.INCIDENT, id="999"), INPUTS)
    with pytest.raises(InputError, match="about a subject incident"):
        desk.one(document, RunSubject(kind=SubjectKind.NONE), INPUTS)


def test_a_gateway_that_is_not_there_fails_the_step_as_in_a_run(control: SqlControlStore) -> None:
    class Nowhere(Dry):
        def judge(self, plan: ContainmentPlan) -> Judgement:
            raise NotFoundError("no gateway edge")

    text = """\
schema: gatewatch.playbook/v1
name: a-book
title: A
steps:
  - id: block
    contain: {gateway: edge, scope: address, value: 192.0.2.1, effect: block, duration: 1h}
    on_failure: [{id: note, change: {comment: "${steps.block.error}"}}]
"""
    made = Simulating(
        cases=control.cases,
        control=control,
        changing=Facts(control),
        connectors=ExampleConnectors(METAS),
        containing=Nowhere(),
        clock=Today(),
    )
    run, _ = made.one(read_playbook(text, Surroundings()), RunSubject(kind=SubjectKind.INCIDENT, id="1"), {})
    assert run.state.value == "succeeded"
    assert run.steps[-1].inputs == {"comment": "no gateway edge"}
