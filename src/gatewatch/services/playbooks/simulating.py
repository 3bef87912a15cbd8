"""What a playbook would have done: on one subject, or on everything of the last days, with no way out of Gatewatch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from gatewatch.errors import GatewatchError, InputError
from gatewatch.model.run import Run, RunState, StepRecord
from gatewatch.ports.cases import CaseStore, IncidentFilter
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.containing import Containing
from gatewatch.ports.control import AlertFilter, ControlStore
from gatewatch.ports.playbooks import RunSubject, SubjectKind
from gatewatch.respond.conditions import Condition
from gatewatch.respond.playbooks.checking import roots_of
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.respond.playbooks.interpreting import Interpreter
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.respond.playbooks.world import Branch, BranchEnd
from gatewatch.services.playbooks.changing import Changing
from gatewatch.services.playbooks.library import chosen_inputs
from gatewatch.services.playbooks.running import facts_of
from gatewatch.services.playbooks.simulated import SimulatedEngine, SimulatedWorld, at_once

__all__ = ["Blocked", "SimulatedRun", "Simulating", "Simulation"]

_DAY_S = 86_400.0
_MOST, _PAGE, _MOST_RUNS_KEPT = 20_000, 200, 50


class Blocked(msgspec.Struct, frozen=True, kw_only=True):
    """A containment that would have been planned."""

    subject: str
    gateway: str
    effect: str
    scope: str
    duration_s: float
    calls_hit: int = 0
    bystanders: int = 0
    obstacles: tuple[str, ...] = ()


class SimulatedRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it would have been."""

    subject: RunSubject
    state: RunState
    error: str
    steps: tuple[StepRecord, ...]
    took_s: float
    """Of waiting; the rest is not simulated."""


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What would have happened."""

    playbook: str
    days: float
    subjects: int
    """Looked at; `runs` of them met the condition."""
    runs: int
    states: dict[str, int]
    actions: dict[str, int]
    """`connection.action` -> how often."""
    approvals: int
    approvals_per_day: dict[str, int]
    """Day (UTC) -> how often people would have been asked."""
    blocked: tuple[Blocked, ...]
    errors: dict[str, int]
    bounded: bool
    """There was more than could be looked at."""
    samples: tuple[SimulatedRun, ...]


class Simulating:
    """Thread-safe; every simulation has its own world."""

    def __init__(
        self,
        *,
        cases: CaseStore,
        control: ControlStore,
        changing: Changing,
        connectors: Connectors,
        containing: Containing | None,
        clock: Clock,
    ) -> None:
        """`connectors` are simulated ones."""
        self._cases, self._control, self._changing = cases, control, changing
        self._connectors, self._containing, self._clock = connectors, containing, clock

    def one(
        self, document: Playbook, subject: RunSubject, inputs: Mapping[str, Any], choices: dict[str, str] | None = None
    ) -> tuple[SimulatedRun, SimulatedWorld]:
        """On one incident, alert or finding. Raises NotFoundError, InputError for wrong inputs."""
        if document.subject not in (subject.kind.value, "none"):
            raise InputError(f"the playbook is about a subject {document.subject}, not {subject.kind.value}")
        now = self._clock.now()
        run = Run(
            id=key_of("simulation", f"{document.name} {subject.kind.value} {subject.id}"),
            playbook=document.name,
            version=0,
            subject_kind=subject.kind.value,
            subject_id=subject.id,
            incident=self._changing.incident_of(subject.kind, subject.id),
            by="simulation",
            reason="simulation",
            inputs=chosen_inputs(document, inputs),
            staged=True,
            created_at=now,
        )
        steps: list[StepRecord] = []
        world = SimulatedWorld(
            run,
            context=self._changing.context,
            connectors=self._connectors,
            containing=self._containing,
            now=now,
            keep=steps.append,
            choices=choices,
        )

        def branch(one: Branch) -> BranchEnd:
            found: BranchEnd = at_once(interpreter.branch(one))
            return found

        interpreter = Interpreter(document, SimulatedEngine(branch, world), world, run=run.id, incident=run.incident)
        end: BranchEnd = at_once(interpreter.run(facts_of(run, document), run.inputs))
        state = end.stopped or RunState.SUCCEEDED
        done = SimulatedRun(subject=subject, state=state, error=end.error, steps=tuple(steps), took_s=world.now - now)
        return done, world

    def last_days(
        self,
        document: Playbook,
        days: float,
        *,
        when: str = "",
        inputs: Mapping[str, Any] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Simulation:
        """On everything of the last days that meets `when` (CEL). Raises InputError."""
        condition = Condition(when, roots_of(document.subject)) if when else None
        counting = _Counting(document.name, days)
        for number, (subject, at) in enumerate(self._subjects(document.subject, self._clock.now() - days * _DAY_S)):
            if number >= _MOST:
                counting.bounded = True
                break
            counting.subjects += 1
            self._count(counting, document, subject, at, inputs or {}, condition)
            if progress is not None:
                progress(counting.subjects)
        return counting.result()

    def _count(
        self,
        counting: _Counting,
        document: Playbook,
        subject: RunSubject,
        at: float,
        inputs: Mapping[str, Any],
        condition: Condition | None,
    ) -> None:
        try:
            if condition is None or self._meets(condition, subject, inputs):
                counting.add(*self.one(document, subject, inputs), at)
        except GatewatchError as error:
            counting.wrong(error.message)

    def _meets(self, condition: Condition, subject: RunSubject, inputs: Mapping[str, Any]) -> bool:
        """Raises InputError for a condition that can't be evaluated here: the report tells."""
        incident = self._changing.incident_of(subject.kind, subject.id)
        probe = Run(
            id="",
            playbook="",
            version=0,
            subject_kind=subject.kind.value,
            subject_id=subject.id,
            incident=incident,
            by="",
            reason="",
            created_at=0.0,
        )
        known = {"inputs": dict(inputs), "steps": {}, "vars": {}, "run": {}, "now": self._clock.now()}
        return condition.holds({**self._changing.context(probe), **known})

    def _subjects(self, kind: str, since: float) -> Iterator[tuple[RunSubject, float]]:
        """(subject, when it came up)."""
        cursor = ""
        while kind == "incident":
            page, cursor = self._cases.incidents(
                IncidentFilter(created_since=since), order="created_at", cursor=cursor, limit=_PAGE
            )
            for incident in page:
                yield RunSubject(kind=SubjectKind.INCIDENT, id=str(incident.id)), incident.created_at
            if not cursor:
                return
        while kind == "alert":
            alerts, cursor = self._control.alerts(AlertFilter(since=since), cursor=cursor, limit=_PAGE)
            for alert in alerts:
                yield RunSubject(kind=SubjectKind.ALERT, id=alert.id), alert.detected_at
            if not cursor:
                return
        if kind == "none":
            yield RunSubject(kind=SubjectKind.NONE), self._clock.now()
        if kind == "finding":
            raise InputError("findings have no days", cure="Simulate on one finding.")


class _Counting:
    """Adds up."""

    def __init__(self, playbook: str, days: float) -> None:
        self._playbook, self._days = playbook, days
        self.subjects = self._runs = self._approvals = 0
        self.bounded = False
        self._states: dict[str, int] = {}
        self._actions: dict[str, int] = {}
        self._days_asked: dict[str, int] = {}
        self._errors: dict[str, int] = {}
        self._blocked: list[Blocked] = []
        self._samples: list[SimulatedRun] = []

    def add(self, run: SimulatedRun, world: SimulatedWorld, at: float) -> None:
        self._runs += 1
        self._states[run.state.value] = self._states.get(run.state.value, 0) + 1
        for step in run.steps:
            if "." in step.kind:
                self._actions[step.kind] = self._actions.get(step.kind, 0) + 1
        if run.error:
            self.wrong(run.error)
        day = datetime.fromtimestamp(at, UTC).date().isoformat()
        if world.asked:
            self._approvals += len(world.asked)
            self._days_asked[day] = self._days_asked.get(day, 0) + len(world.asked)
        for plan, judged in world.plans:
            self._blocked.append(
                Blocked(
                    subject=run.subject.id,
                    gateway=plan.gateway,
                    effect=plan.effect.value,
                    scope=f"{plan.scope.kind.value} {plan.scope.value}",
                    duration_s=plan.duration_s,
                    calls_hit=judged["radius"].get("calls_hit", 0),
                    bystanders=judged["radius"].get("bystanders_count", 0),
                    obstacles=tuple(judged["obstacles"]),
                )
            )
        if len(self._samples) < _MOST_RUNS_KEPT:
            self._samples.append(run)

    def wrong(self, message: str) -> None:
        self._errors[message] = self._errors.get(message, 0) + 1

    def result(self) -> Simulation:
        return Simulation(
            playbook=self._playbook,
            days=self._days,
            subjects=self.subjects,
            runs=self._runs,
            states=self._states,
            actions=dict(sorted(self._actions.items())),
            approvals=self._approvals,
            approvals_per_day=dict(sorted(self._days_asked.items())),
            blocked=tuple(self._blocked),
            errors=self._errors,
            bounded=self.bounded,
            samples=tuple(self._samples),
        )
