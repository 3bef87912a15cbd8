"""Follows the log of changes and the clock, and runs the rules that they concern: each event once, in order."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.automation import (
    About,
    AutomationRule,
    RuleRun,
    RunOutcome,
    Schedule,
    trigger_name,
)
from gatewatch.ports.automation import AutomationStore, AutomationUnit
from gatewatch.ports.changes import Change, ChangeKind, ChangeLog
from gatewatch.ports.clock import Clock
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.playbooks import PlaybookStarter
from gatewatch.respond.context import about_of
from gatewatch.respond.rules import MOST_CHAIN, Event, concerned, event_of, judge, named_roots, run_id
from gatewatch.respond.schedules import last_due
from gatewatch.services.automation.acting import Acting, entry_of
from gatewatch.services.automation.scene import Scene, UnitSight
from gatewatch.services.automation.starting import Starting
from gatewatch.services.incidents import Casework
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["Counts", "Dispatching"]

_PAGE = 100
"""Changes in one transaction: others who write wait for its end, 0.1 s when every change meets ten rules."""
_TICK_S = 1.0
_TIDY_S = 3600.0
_DAY_S = 86_400.0
_ABOUT = {ChangeKind.INCIDENT: About.INCIDENT, ChangeKind.ALERT: About.ALERT, ChangeKind.FINDING: About.FINDING}
_KEEP = {
    (RunOutcome.MATCHED, RunOutcome.FAILED, RunOutcome.CUT): (90 * _DAY_S, 500_000),
    (RunOutcome.NOT_MATCHED, RunOutcome.GONE): (_DAY_S, 100_000),
}
"""Outcomes -> (seconds, number) of runs kept: what did something is asked for months later, the rest is not."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """For metrics; since the start but for the first three."""

    lag: int
    """Changes not worked off."""
    lag_s: float
    """Age of the first of them."""
    waiting: int
    """Runs whose playbook is still to be started."""
    events: int
    quiet: int
    """Events of what a suppression put aside."""
    runs: dict[str, int]
    """By outcome."""
    started: int
    refused: int
    """Playbooks that could not be started."""
    last_s: float


class Dispatching:
    """One per installation."""

    def __init__(
        self,
        *,
        store: AutomationStore,
        changes: ChangeLog,
        casework: Casework,
        starter: PlaybookStarter,
        clock: Clock,
        log: Log,
        turn: Turn = ALWAYS,
    ) -> None:
        """A new installation begins with what changes from now on. `casework` works for rules, not for people.

        Events are worked off in this server's `turn` only.
        """
        self._job, self._term = turn, turn.term
        self._store, self._changes, self._clock, self._log = store, changes, clock, log
        self._acting = Acting(casework)
        self._starting = Starting(store, starter, clock.now)
        self._position = store.begin(changes.head())
        self._turn = threading.Lock()
        self._runs: Counter[str] = Counter()
        self._events = self._quiet = 0
        self._ticks = Repeating("automation", self.step, _TICK_S, log, turn=turn)
        self._tidying = Repeating("automation-tidying", self.tidy, _TIDY_S, log)

    def start(self) -> None:
        """Begin."""
        self._ticks.start()
        self._tidying.start()

    def wake(self) -> None:
        """Something has changed."""
        self._ticks.wake()

    def stop(self) -> None:
        """End; what is not worked off is taken up by the next start."""
        self._ticks.stop()
        self._tidying.stop()

    @property
    def failing(self) -> str:
        """Why the last step failed; shown by readiness."""
        return self._ticks.failing

    def position(self) -> int:
        """Changes after this one are still needed."""
        return self._position

    def counts(self) -> Counts:
        """As it is now."""
        lag, first = self._store.lag()
        return Counts(
            lag=lag,
            lag_s=max(0.0, self._clock.now() - first) if lag else 0.0,
            waiting=self._store.waiting_count(),
            events=self._events,
            quiet=self._quiet,
            runs=dict(self._runs),
            started=self._starting.started,
            refused=self._starting.refused,
            last_s=self._ticks.last_s,
        )

    def step(self) -> int:
        """Everything that there is to do now; how many changes were worked off."""
        if self._job.term != self._term:  # another server has worked meanwhile
            self._term, self._position = self._job.term, self._store.begin(self._changes.head())
        count = 0
        self._starting.run()
        while found := self._changes.changes(self._position, _PAGE):
            count += len(found)
            self._work_off(found)
            self._starting.run()
        self._keep_schedules()
        self._starting.run()
        return count

    def run_by_hand(self, name: str, about: About, subject: str, *, by: str) -> RuleRun:
        """One rule on one subject, whatever its trigger. Raises NotFoundError, ConflictError."""
        at = self._clock.now()
        event = Event(
            key=f"manual {about.value} {subject} {at:.6f}", triggers=frozenset(), about=about, subject=subject
        )
        with self._store.unit(at) as unit:
            rule = next((one.rule for one in unit.rules() if one.rule.name == name), None)
            if rule is None:
                raise NotFoundError(f"no automation rule {name}")
            _check_by_hand(rule, about, at)
            scene = Scene(UnitSight(unit), event, named_roots([rule]), at)
            if scene.gone:
                raise NotFoundError(scene.gone.rstrip("."))
            run = self._run(unit, rule, scene, at, by)
            _keep(unit, [run])
        self._runs[run.outcome.value] += 1
        self._starting.run()
        return self._store.run(run.id)

    def tidy(self) -> int:
        """Forget old runs; how many."""
        now = self._clock.now()
        return sum(
            self._store.forget_runs(outcomes, before=now - seconds, keep=number)
            for outcomes, (seconds, number) in _KEEP.items()
        )

    def _work_off(self, found: Sequence[Change]) -> None:
        at = self._clock.now()
        runs: list[RuleRun] = []
        events = quiet = 0
        with self._store.unit(at) as unit:
            position, last = unit.position(), found[-1].seq
            if position == self._position:
                rules = [one.rule for one in unit.rules() if one.rule.enabled and not one.rule.expired(at)]
                sight, roots = UnitSight(unit), named_roots(rules)
                for event in _events(sight, found, rules):
                    events += 1
                    told = self._event(unit, sight, event, rules, roots, at)
                    quiet += told is None
                    runs += told or ()
                _keep(unit, runs)
                unit.move(last)
                position = last
        # Only now: what was rolled back has not happened.
        self._position = position
        self._events += events
        self._quiet += quiet
        self._runs.update(run.outcome.value for run in runs)

    def _event(
        self,
        unit: AutomationUnit,
        sight: UnitSight,
        event: Event,
        rules: Sequence[AutomationRule],
        roots: frozenset[str],
        at: float,
    ) -> list[RuleRun] | None:
        """What became of each rule; None when the event is of something that was put aside."""
        chosen = concerned(rules, event, at)
        if not chosen:
            return []
        if len(event.chain) >= MOST_CHAIN:
            why = f"Cut: {' → '.join(event.chain)} led to each other; a chain has at most {MOST_CHAIN} rules."
            return [_untouched(rule, event, RunOutcome.CUT, why, at) for rule in chosen]
        scene = Scene(sight, event, roots, at)
        if scene.quiet:
            return None
        found = []
        for rule in chosen:
            if scene.gone:
                found.append(_untouched(rule, event, RunOutcome.GONE, scene.gone, at))
            else:
                found.append(self._run(unit, rule, scene, at))
        return found

    def _run(self, unit: AutomationUnit, rule: AutomationRule, scene: Scene, at: float, by: str = "") -> RuleRun:
        """Decide and change, in the transaction at hand."""
        begin = time.perf_counter()
        said = judge(rule, *scene.facts(rule.timezone))
        run = _untouched(rule, scene.event, said.outcome, said.why, at)
        run = msgspec.structs.replace(run, incident=scene.incident, by=by, conditions=said.conditions)
        if said.outcome is not RunOutcome.MATCHED:
            return msgspec.structs.replace(run, took_s=time.perf_counter() - begin)
        actions = self._acting.act(unit, rule, scene, at)
        unit.cases.because_of(())
        return msgspec.structs.replace(run, actions=actions, took_s=time.perf_counter() - begin)

    def _keep_schedules(self) -> None:
        """What was due since it was last carried out is carried out once, however often it was missed."""
        now = self._clock.now()
        for known in self._store.rules():
            rule = known.rule
            if not isinstance(rule.trigger, Schedule) or not rule.enabled or rule.expired(now):
                continue
            due = last_due(rule.trigger.cron, rule.timezone, now)
            if due > known.due:
                self._carry_out(rule.name, due, now)

    def _carry_out(self, name: str, due: float, at: float) -> None:
        event = Event(key=f"schedule {due:.0f}", triggers=frozenset({"schedule"}), about=About.NONE)
        with self._store.unit(at) as unit:
            known = next((one for one in unit.rules() if one.rule.name == name), None)
            if known is None or known.due >= due or not known.rule.enabled:
                return
            run = self._run(unit, known.rule, Scene(UnitSight(unit), event, frozenset(), at), at)
            _keep(unit, [run])
            unit.was_due(name, due)
        self._runs[run.outcome.value] += 1


def _events(sight: UnitSight, found: Sequence[Change], rules: Sequence[AutomationRule]) -> list[Event]:
    """In the order of the log; nothing is made of kinds that no rule is about."""
    wanted = {about_of(rule.trigger) for rule in rules}
    events = []
    sight.prepare([one.subject for one in found if one.kind is ChangeKind.FINDING and About.FINDING in wanted])
    for one in found:
        about = _ABOUT.get(one.kind)
        if about is None or about not in wanted or one.difference is None:
            continue
        status = sight.status_of(one.subject) if about is About.FINDING else ""
        event = event_of(about, one.subject, one.seq, one.difference, status)
        if event is not None:
            events.append(event)
    return events


def _untouched(rule: AutomationRule, event: Event, outcome: RunOutcome, why: str, at: float) -> RuleRun:
    return RuleRun(
        id=run_id(rule.name, event.key),
        rule=rule.name,
        revision=rule.revision,
        trigger=trigger_name(rule.trigger),
        seq=event.seq,
        event=event.key,
        about=event.about,
        subject=event.subject,
        chain=event.chain,
        outcome=outcome,
        why=why,
        at=at,
    )


def _keep(unit: AutomationUnit, runs: Sequence[RuleRun]) -> None:
    """With an entry of the audit log for each that did something."""
    entries = []
    for run in runs:
        if run.outcome is RunOutcome.MATCHED:
            told = (f"{one.action} {one.outcome.value}: {one.detail or one.playbook}" for one in run.actions)
            entries.append(entry_of(run, "ran", "; ".join(told), run.at))
    unit.cases.record(entries)
    unit.keep(runs)


def _check_by_hand(rule: AutomationRule, about: About, at: float) -> None:
    if about is not about_of(rule.trigger):
        raise ConflictError(f"rule {rule.name} is about {about_of(rule.trigger).value}, not {about.value}")
    if not rule.enabled:
        raise ConflictError(f"rule {rule.name} is disabled", cure="Enable it, or simulate it.")
    if rule.expired(at):
        raise ConflictError(f"rule {rule.name} has expired", cure="Give it a later expires_at, or simulate it.")
