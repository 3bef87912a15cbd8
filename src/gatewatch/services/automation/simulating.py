"""What a rule would do, on one thing or on the last days; nothing is changed and nothing is started."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from gatewatch.errors import ConflictError
from gatewatch.model.alert import Alert
from gatewatch.model.automation import (
    About,
    AlertCreated,
    AutomationRule,
    IncidentCreated,
    IncidentUpdated,
    Manual,
    RuleRun,
    RunOutcome,
    Schedule,
    trigger_name,
)
from gatewatch.model.difference import Difference
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.predicate import Comparison, Operator
from gatewatch.ports.cases import CaseStore, IncidentFilter, Selection, Sighting
from gatewatch.ports.changes import ChangeKind, ChangeLog
from gatewatch.ports.control import ControlStore, FindingFilter
from gatewatch.respond.context import about_of
from gatewatch.respond.rules import Event, event_of, judge, named_roots, run_id, would
from gatewatch.respond.schedules import due_times
from gatewatch.services.automation.scene import Scene

__all__ = ["Simulating", "Simulation"]

_PAGE, _MOST, _SHOWN = 500, 10_000, 50
_DAY_S = 86_400.0


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule would have done."""

    looked_at: int
    matched: int
    failed: int
    """Conditions that could not be evaluated."""
    actions: dict[str, int]
    """How often each kind of action."""
    bounded: bool
    """There were more events than were looked at."""
    note: str
    """What this can not know."""
    first: tuple[RuleRun, ...]
    """Those that matched or failed, bounded; of a single subject always the run."""


class Simulating:
    """Reads only."""

    def __init__(self, control: ControlStore, cases: CaseStore, changes: ChangeLog, now: Callable[[], float]) -> None:
        """`now` in Unix seconds."""
        self._control, self._cases, self._changes, self._now = control, cases, changes, now

    def on(self, rule: AutomationRule, about: About, subject: str) -> Simulation:
        """One subject as it is. Raises NotFoundError; ConflictError for a subject that the rule is not about."""
        if about is not about_of(rule.trigger):
            raise ConflictError(f"rule {rule.name} is about {about_of(rule.trigger).value}, not {about.value}")
        event = Event(key=f"simulation {subject}", triggers=frozenset(), about=about, subject=subject)
        run = self._run(rule, event, self._now())
        return _summed([run], bounded=False, note="The event itself is not simulated: nothing is `changed`.")

    def past(self, rule: AutomationRule, days: float) -> Simulation:
        """Everything that would have started the rule in the last days, oldest or newest first as it is stored."""
        now = self._now()
        runs, bounded = list[RuleRun](), False
        for event, at in self._events(rule, now - days * _DAY_S, now):
            if len(runs) >= _MOST:
                bounded = True
                break
            runs.append(self._run(rule, event, at))
        note = "Conditions see things as they are now, not as they were, and without what other rules did."
        if isinstance(rule.trigger, IncidentUpdated):
            note += " Only changes that are still in the log of changes are looked at."
        return _summed(runs, bounded=bounded, note=note)

    def _events(self, rule: AutomationRule, since: float, now: float) -> Iterator[tuple[Event, float]]:
        trigger = rule.trigger
        if isinstance(trigger, Schedule):
            for due in due_times(trigger.cron, rule.timezone, since, now, _MOST + 1):
                yield Event(key=f"schedule {due:.0f}", triggers=frozenset(), about=About.NONE), due
        elif isinstance(trigger, IncidentUpdated):
            yield from self._updates(rule, since)
        elif isinstance(trigger, AlertCreated):
            for alert in self._alerts(since):
                yield _created(About.ALERT, alert.id), now
        elif isinstance(trigger, IncidentCreated) or (
            isinstance(trigger, Manual) and about_of(trigger) is About.INCIDENT
        ):
            for incident in self._incidents(since):
                yield _created(About.INCIDENT, str(incident.id)), now
        elif about_of(trigger) is About.FINDING:
            for finding in self._findings(since):
                yield _created(About.FINDING, finding.id), now

    def _updates(self, rule: AutomationRule, since: float) -> Iterator[tuple[Event, float]]:
        seq = 0
        while found := self._changes.changes(seq, _PAGE):
            seq = found[-1].seq
            for one in found:
                if one.kind is not ChangeKind.INCIDENT or one.difference is None or one.at < since:
                    continue
                event = event_of(About.INCIDENT, one.subject, one.seq, one.difference)
                if event and trigger_name(rule.trigger) in event.triggers and event.chain[-1:] != (rule.name,):
                    yield event, self._now()

    def _alerts(self, since: float) -> Iterator[Alert]:
        where = Comparison("created_at", Operator.GE, since)
        cursor = ""
        while True:
            wanted = Selection(where=where, order="created_at", limit=_PAGE, cursor=cursor)
            page, cursor = self._cases.select_alerts(wanted)
            yield from page
            if not cursor:
                return

    def _incidents(self, since: float) -> Iterator[Incident]:
        standing = tuple(one for one in IncidentStatus if one is not IncidentStatus.REDIRECTED)
        where, cursor = IncidentFilter(created_since=since, status=standing), ""
        while True:
            page, cursor = self._cases.incidents(where, order="created_at", cursor=cursor, limit=_PAGE)
            yield from page
            if not cursor:
                return

    def _findings(self, since: float) -> Iterator[Finding]:
        where, cursor = FindingFilter(status=(FindingStatus.UNHEALTHY,)), ""
        while True:
            page, cursor = self._control.findings(where, cursor=cursor, limit=_PAGE)
            yield from (one for one in page if one.evaluated_at >= since)
            if not cursor:
                return

    def _run(self, rule: AutomationRule, event: Event, at: float) -> RuleRun:
        scene = Scene(_StoreSight(self._control, self._cases), event, named_roots([rule]), at)
        base = RuleRun(
            id=run_id(rule.name, event.key),
            rule=rule.name,
            revision=rule.revision,
            trigger=trigger_name(rule.trigger),
            seq=event.seq,
            event=event.key,
            about=event.about,
            subject=event.subject,
            incident=scene.incident,
            chain=event.chain,
            outcome=RunOutcome.GONE,
            why=scene.gone or "A suppression put it aside.",
            at=at,
        )
        if scene.gone or scene.quiet:
            return base
        facts, plain = scene.facts(rule.timezone)
        said = judge(rule, facts, plain)
        actions = would(rule, facts) if said.outcome is RunOutcome.MATCHED else ()
        return msgspec.structs.replace(
            base, outcome=said.outcome, why=said.why, conditions=said.conditions, actions=actions
        )


class _StoreSight:
    """The store as scenes read it."""

    def __init__(self, control: ControlStore, cases: CaseStore) -> None:
        self._control, self._cases = control, cases

    def incident(self, incident_id: int) -> Incident:
        return self._cases.incident(incident_id)

    def alert(self, alert_id: str) -> Alert:
        return self._control.alert(alert_id)

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        return self._cases.entities_of(incident, limit)

    def finding(self, finding_id: str) -> Finding:
        return self._control.finding(finding_id)


def _created(about: About, subject: str) -> Event:
    difference = Difference(created=True)
    return Event(
        key=f"simulation {about.value} {subject}",
        triggers=frozenset(),
        about=about,
        subject=subject,
        difference=difference,
    )


def _summed(runs: list[RuleRun], *, bounded: bool, note: str) -> Simulation:
    counted: dict[str, int] = {}
    for run in runs:
        for action in run.actions:
            counted[action.action] = counted.get(action.action, 0) + 1
    told = [run for run in runs if run.outcome in (RunOutcome.MATCHED, RunOutcome.FAILED)]
    return Simulation(
        looked_at=len(runs),
        matched=sum(run.outcome is RunOutcome.MATCHED for run in runs),
        failed=sum(run.outcome is RunOutcome.FAILED for run in runs),
        actions=counted,
        bounded=bounded,
        note=note,
        first=tuple((runs if len(runs) == 1 else told)[:_SHOWN]),
    )
