"""The playbooks that come with Gatewatch: they fit the connectors, and simulated they do what they say, and no more."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from gatewatch.bootstrap.playbooks import built_in_playbooks
from gatewatch.model.action import ConnectorMeta
from gatewatch.model.run import Run, RunState, StepState
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.control import ControlStore
from gatewatch.ports.playbooks import RunSubject, SubjectKind
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.document import Contain, Playbook
from gatewatch.respond.playbooks.walking import steps_of
from gatewatch.services.playbooks import Simulating
from gatewatch.services.playbooks.simulated import SimulatedWorld
from gatewatch.services.playbooks.simulating import SimulatedRun
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON
from gatewatch.testing.simulations import FINDING, INCIDENT, ExampleConnectors, MadeUpSubjects

HERE = Path(__file__).parent
TEXTS = {yaml.safe_load(text)["name"]: text for text in built_in_playbooks()}
METAS = {
    name: msgspec.convert(meta, ConnectorMeta)
    for name, meta in json.loads((HERE / "connections.json").read_text()).items()
}
CONNECTORS = {"jira": "jira_cloud", "webhook": "http", "enrichment": "http", "gatewatch": "http"}
"""Connection -> kind of connector, where they are called differently."""
INPUTS: dict[str, Any] = {
    "gateway": "edge",
    "channel": "C1",
    "project": "SEC",
    "recipients": ["soc@example.org"],
    "lead": ["lead@example.org"],
    "owner": ["owner@example.org"],
    "expected": ["203.0.113.7", "198.51.100.9", "198.51.100.10", "192.0.2.1"],
}
VARIANTS: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    **{name: (name, {}, {}) for name in TEXTS},
    "ask-before-blocking-address, block": ("ask-before-blocking-address", {}, {"question": "Block"}),
    "ask-before-blocking-address, throttle": ("ask-before-blocking-address", {}, {"question": "Throttle"}),
    "request-owner-input, stop": ("request-owner-input", {}, {"opinion": "Stop"}),
    "request-owner-input, expected": ("request-owner-input", {}, {"opinion": "Expected"}),
    "close-expected-activity, low": (
        "close-expected-activity",
        {"severity": "low", "severity_rank": 1},
        {},
    ),
    "contain-credential-stuffing, refused": ("contain-credential-stuffing", {}, {"slow_down": "reject"}),
    "contain-credential-stuffing, going-on": ("contain-credential-stuffing", {"last_activity": NOON + 4600.0}, {}),
}
"""Title -> (playbook, what is different about the incident, what people say)."""
LEFT_ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "a ticket for an incident that has one": ("open-ticket-and-notify", {"tags": ["ticket"]}),
    "an issue for an incident that has one": ("jira-issue-and-notify", {"tags": ["ticket"]}),
    "a ticket for what is closed": ("open-ticket-and-notify", {"open": False, "status": "resolved"}),
    "blocking for what is closed": ("ask-before-blocking-address", {"open": False}),
    "blocking for a low severity": ("ask-before-blocking-address", {"severity_rank": 1}),
    "throttling for what is closed": ("contain-credential-stuffing", {"open": False}),
    "locking out for what is closed": ("account-takeover-response", {"open": False}),
    "threat lists for what is closed": ("block-on-threat-intelligence", {"open": False}),
    "a page for a low priority": ("notify-on-call", {"priority": 79}),
    "a page for what was paged": ("notify-on-call", {"tags": ["paged"]}),
    "a reminder for what somebody has taken": ("escalate-unassigned", {"assigned_to": "ann"}),
    "sharing what nobody has confirmed": ("share-indicators-misp", {"classification": "unknown"}),
    "sharing twice": ("share-indicators-misp", {"tags": ["shared"]}),
    "banning for what is closed": ("crowdsec-ban", {"open": False}),
    "closing what is closed": ("close-expected-activity", {"open": False}),
    "closing what a stranger takes part in": ("close-expected-activity", {}),
    "enriching what is closed": ("enrich-and-comment", {"open": False}),
    "asking the owner about what is closed": ("request-owner-input", {"open": False}),
}


class Noon:
    def now(self) -> float:
        return NOON + 3700.0


@pytest.fixture(autouse=True)
def connections(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """No test here may open a socket; what was tried."""
    tried: list[object] = []

    def refuse(*given: object, **named: object) -> None:
        tried.append(given)
        raise AssertionError("a simulation opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tried


def document(name: str) -> Playbook:
    return read_playbook(TEXTS[name], Surroundings(connections=METAS, gateways=["edge"], playbooks={}))


def simulated(
    name: str, changes: dict[str, Any], choices: dict[str, str], *, strangers: bool = False
) -> tuple[SimulatedRun, SimulatedWorld, ExampleConnectors]:
    playbook = document(name)
    facts = {**INCIDENT, "incident": {**INCIDENT["incident"], **changes}}
    if name == "close-expected-activity" and not strangers:
        facts["entities"] = [one for one in facts["entities"] if one["verdict"] != "compromised"]
    found = {"incident": facts, "finding": FINDING, "none": {}}[playbook.subject]
    connectors = ExampleConnectors(METAS)

    def made(run: Run) -> dict[str, Any]:
        return msgspec.json.decode(msgspec.json.encode(found), type=dict)

    store: Any = None
    cases: CaseStore = store
    control: ControlStore = store
    simulating = Simulating(
        cases=cases,
        control=control,
        changing=MadeUpSubjects(made),
        connectors=connectors,
        containing=None,
        clock=Noon(),
    )
    kind = SubjectKind(playbook.subject)
    given = {key: value for key, value in INPUTS.items() if key in playbook.inputs}
    subject = RunSubject(kind=kind, id={"incident": "7", "finding": "f1", "none": ""}[kind.value])
    run, world = simulating.one(playbook, subject, given, choices)
    return run, world, connectors


def told(run: SimulatedRun, world: SimulatedWorld) -> str:
    lines = [f"{run.state.value} after {run.took_s:g} s{': ' + run.error if run.error else ''}"]
    for step in run.steps:
        said = f" {step.note}" if step.note not in ("", "simulated") else ""
        given = f" {json.dumps(step.inputs, sort_keys=True)}" if step.inputs else ""
        lines.append(f"{step.path}: {step.kind} {step.state.value}{said}{given}")
    lines += [f"asked at {at - NOON:g} s: {wish.path} {list(wish.plan)}" for at, wish in world.asked]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", TEXTS)
def test_they_fit_the_connectors_and_say_what_they_do_need_and_do_not(name: str) -> None:
    found = document(name)
    for word in ("Does:", "Needs:", "Does not:", "Guard:", "Undo:"):
        assert word in found.description, word
    assert all(one.description for one in found.inputs.values())
    for one in steps_of(found.steps):
        if isinstance(one.body, Contain):
            assert one.body.gateway == "${inputs.gateway}"
            assert one.body.duration <= 86_400.0
            assert "contain" in name or "ask" in name or one.approved, "people decide before customers feel it"


def test_the_connections_here_are_those_of_the_connectors() -> None:
    registry = pytest.importorskip("gatewatch.connectors.registry")
    known = registry.kinds()
    assert {name: shape(known[CONNECTORS.get(name, name)].meta) for name in METAS} == {
        name: shape(meta) for name, meta in METAS.items()
    }


def shape(meta: ConnectorMeta) -> dict[str, Any]:
    """What a playbook can see of a connector; not its prose."""
    return {
        action.id: (
            sorted((one.name, one.type, one.required, one.choices) for one in action.inputs),
            {one.name: one.example for one in action.outputs},
        )
        for action in meta.actions
    }


@pytest.mark.parametrize("title", VARIANTS)
def test_simulated_on_a_made_up_incident_they_take_these_steps(title: str, connections: list[object]) -> None:
    name, changes, choices = VARIANTS[title]
    run, world, _ = simulated(name, changes, choices)
    path = HERE / "simulated" / f"{title.replace(', ', '--')}.txt"
    if "GATEWATCH_WRITE_GOLDEN" in os.environ:
        path.write_text(told(run, world))
    assert told(run, world) == path.read_text(), "GATEWATCH_WRITE_GOLDEN=1 writes it anew"
    assert connections == []


@pytest.mark.parametrize("title", LEFT_ALONE)
def test_what_they_leave_alone(title: str) -> None:
    name, changes = LEFT_ALONE[title]
    run, world, connectors = simulated(name, changes, {}, strangers=True)
    assert run.state is RunState.SUCCEEDED, run.error
    assert (connectors.calls, world.plans, world.asked) == ([], [], [])
    assert not [step for step in run.steps if step.kind == "change" and step.state is not StepState.SKIPPED]


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_fails_in_a_simulation(name: str) -> None:
    run, _, _ = simulated(name, {}, {})
    assert run.state is RunState.SUCCEEDED, run.error
    assert not [step for step in run.steps if step.state is StepState.FAILED]


def test_they_are_kept_off_and_staged(tmp_path: Path) -> None:
    from gatewatch.services.playbooks import Library

    control = SqlControlStore(f"sqlite:///{tmp_path / 'control.sqlite'}")
    control.migrate()
    library = Library(control.runs, control.cases, Noon(), Surroundings)
    library.keep_built_in(list(TEXTS.values()))
    library.keep_built_in(list(TEXTS.values()))
    kept = library.playbooks()
    assert [one.name for one in kept] == sorted(TEXTS)
    assert all(not one.enabled and one.staging and one.built_in and one.version == 1 for one in kept)
    control.close()
