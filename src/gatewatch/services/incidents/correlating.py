"""Every alert into exactly one incident: linked, merged, re-opened, summed up; each step in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from gatewatch.correlate.entities import PRACTICE, keys_of
from gatewatch.correlate.guards import obstacle
from gatewatch.correlate.linking import JOIN, MERGE, WINDOW_S, Match, Meeting, matches
from gatewatch.correlate.suppression import suppressing
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Alert, AlertStatus
from gatewatch.model.correlation import CorrelationReason, EntityKind, Link
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.suppression import Suppression
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import CaseStore, CaseUnit, Sighting
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.services.incidents.merging import merge
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.repeating import Repeating, nothing
from gatewatch.telemetry.logs import Log

__all__ = ["BY", "Correlating", "Correlation", "Crowds", "sightings_of"]

BY = "correlation"
_BATCH = 200
_CANDIDATES = 20
"""Newest incidents looked at per thing that an alert names."""
_REOPEN_S = 7 * 86_400.0
_TICK_S = 1.0

Crowds = Callable[[Collection[str]], Mapping[str, int]]
"""Address -> actors usually seen behind it; addresses that nothing is known of are left out."""


class Correlation:
    """Works through pending alerts. Same alerts in the same order give the same incidents."""

    def __init__(self, cases: CaseStore, summing: Summing, crowds: Crowds, now: Callable[[], float]) -> None:
        """`now` in Unix seconds stamps what is done."""
        self._cases, self._summing, self._crowds, self._now = cases, summing, crowds, now
        self.bounded = 0
        """Alerts for which more incidents shared an actor or address than were looked at."""

    def run(self) -> int:
        """Until nothing is pending; how many alerts were looked at."""
        count = 0
        while done := self.step():
            count += done
        return count

    def step(self) -> int:
        """One batch in one transaction."""
        at = self._now()
        with self._cases.unit(at) as unit:
            pending = unit.pending(_BATCH)
            if not pending:
                return 0
            addresses = {address for alert in pending if not alert.incident for address in alert.client_ips}
            batch = _Batch(unit, at, self._crowds(addresses) if addresses else {}, unit.suppressions())
            for alert in pending:
                batch.take(alert)
            unit.settle([alert.id for alert in pending])
            self._summing.refresh(unit, batch.touched, at)
            unit.record(batch.activities)
            self.bounded += batch.bounded
        return len(pending)


class _Batch:
    """One transaction's work."""

    def __init__(
        self, unit: CaseUnit, at: float, crowds: Mapping[str, int], suppressions: Sequence[Suppression]
    ) -> None:
        self._unit, self._at, self._crowds, self._suppressions = unit, at, crowds, list(suppressions)
        self.touched: dict[int, None] = {}
        self.bounded = 0
        self.activities: list[Activity] = []

    def take(self, alert: Alert) -> None:
        """Place one alert."""
        if alert.incident:
            self._follow(alert)
            return
        rule = suppressing(alert, self._suppressions, self._at)
        if rule is not None:
            self._suppress(alert, rule)
            return
        found = self._matches(alert)
        best = next((match for match in found if match.belief >= JOIN), None)
        if best is None:
            self._join(alert, self._open(alert), ())
            return
        target = self._unite(alert, best, [m for m in found if m.belief >= MERGE and m is not best])
        self._join(alert, target, best.links)

    def _follow(self, alert: Alert) -> None:
        """A known alert that changed: its incident hears of it, and opens again when it was thought to be over."""
        incident = self._unit.incident(alert.incident)
        while incident.status is IncidentStatus.REDIRECTED:  # merged by an alert before it in this batch
            incident = self._unit.incident(incident.redirect_to)
        if incident.status is IncidentStatus.RESOLVED and alert.status in (AlertStatus.NEW, AlertStatus.IN_PROGRESS):
            self._reopen(incident, alert)
        self._see(alert, incident.id)

    def _matches(self, alert: Alert) -> list[Match]:
        meetings: list[Meeting] = []
        full = False
        for kind, value in keys_of(alert):
            since, until = alert.first_seen - _REOPEN_S, alert.last_seen + WINDOW_S
            limit = 2 * _CANDIDATES if kind == PRACTICE else _CANDIDATES
            seen = self._unit.sightings(kind, value, since=since, until=until, limit=limit)
            meetings += [_meeting(one, alert, len(seen)) for one in seen]
            full |= len(seen) == limit and kind in (EntityKind.ACTOR, EntityKind.ADDRESS)
        self.bounded += full
        incidents = self._unit.incidents({meeting.incident for meeting in meetings})
        usable = {number: one for number, one in incidents.items() if one.status is not IncidentStatus.REDIRECTED}
        chosen = [meeting for meeting in meetings if meeting.incident in usable]
        history = alert.first_seen - self._unit.first_activity()
        found = matches(alert, chosen, usable, self._crowds, history_s=history)
        return [match for match in found if _may_join(usable[match.incident], match)]

    def _unite(self, alert: Alert, best: Match, others: Sequence[Match]) -> Incident:
        """The alert shows that incidents are one: the oldest stays, unless something speaks against it."""
        target = self._unit.incident(best.incident)
        if target.status is IncidentStatus.RESOLVED:
            return self._reopen(target, alert)
        for match in others:
            other = self._unit.incident(match.incident)
            if best.belief < MERGE or not other.status.open:
                continue
            kept, gone = sorted((target, other), key=lambda incident: incident.id)
            why = obstacle(kept, gone, self._unit.entity_count(kept.id) + self._unit.entity_count(gone.id))
            if why:
                self._note(kept, "not_merged", f"Incident {gone.id} looks like the same, but {why}.")
                continue
            text = f"Both fit alert {alert.id}: {_reasons(match.links)}."
            self.activities += merge(self._unit, kept, [gone], by=BY, origin=Origin.SYSTEM, text=text, at=self._at)
            self.touched |= {kept.id: None, gone.id: None}
            target = self._unit.incident(kept.id)
        return target

    def _open(self, alert: Alert) -> Incident:
        incident = Incident(
            id=self._unit.new_incident_id(),
            name=alert.title,
            severity=alert.severity,
            created_at=self._at,
            updated_at=self._at,
            updated_by=BY,
            first_activity=alert.first_seen,
            last_activity=alert.last_seen,
            first_detected=alert.detected_at,
            tactics=(alert.tactic,),
            alert_types=(alert.alert_type,),
            detectors=(alert.detector,),
        )
        self._unit.put_incident(incident)
        self._note(incident, "created", f"Opened by alert {alert.id}: {alert.title}.")
        return incident

    def _join(self, alert: Alert, incident: Incident, links: Sequence[Link]) -> None:
        placed = msgspec.structs.replace(
            alert,
            incident=incident.id,
            links=tuple(links),
            revision=alert.revision + 1,
            # Assignment is inherited, so that nobody has to take every alert of an incident.
            assigned_to=alert.assigned_to or incident.assigned_to,
        )
        self._unit.put_alert(placed)
        if links:
            self._note(incident, "joined", f"Alert {alert.id} ({alert.title}) joined: {_reasons(links)}.")
            known = msgspec.structs.replace(
                incident,
                alerts=incident.alerts + 1,
                alert_types=tuple(dict.fromkeys((*incident.alert_types, alert.alert_type))),
                tactics=tuple(dict.fromkeys((*incident.tactics, alert.tactic))),
                campaigns=tuple(dict.fromkeys((*incident.campaigns, *_campaigns(links)))),
                first_activity=min(incident.first_activity, alert.first_seen),
                last_activity=max(incident.last_activity, alert.last_seen),
            )
            self._unit.put_incident(known)
        self._see(alert, incident.id)

    def _see(self, alert: Alert, incident: int) -> None:
        self._unit.see(sightings_of(alert, incident))
        self.touched[incident] = None

    def _reopen(self, incident: Incident, alert: Alert) -> Incident:
        again = msgspec.structs.replace(
            incident,
            status=IncidentStatus.ACTIVE,
            resolved_at=None,
            reopened=incident.reopened + 1,
            system_tags=tuple(dict.fromkeys((*incident.system_tags, "Reopened"))),
        )
        self._unit.put_incident(again)
        self._note(again, "reopened", f"Alert {alert.id} ({alert.title}) came back after the resolution.")
        return again

    def _suppress(self, alert: Alert, rule: Suppression) -> None:
        """Dismissed, and kept in the standing incident of its rule: so it is in exactly one, and disturbs nobody."""
        if not rule.incident:
            rule = msgspec.structs.replace(rule, incident=self._standing(rule, alert).id)
        rule = msgspec.structs.replace(rule, dismissed=rule.dismissed + 1)
        self._unit.put_suppression(rule)
        self._suppressions = [rule if known.name == rule.name else known for known in self._suppressions]
        dismissed = msgspec.structs.replace(
            alert,
            incident=rule.incident,
            status=AlertStatus.DISMISSED,
            suppressed_by=rule.name,
            resolved_at=self._at,
            revision=alert.revision + 1,
        )
        self._unit.put_alert(dismissed)
        self.touched[rule.incident] = None
        self.activities.append(
            Activity(
                at=self._at,
                origin=Origin.SYSTEM,
                by=f"suppression {rule.name}",
                subject=Subject.ALERT,
                subject_id=alert.id,
                incident=rule.incident,
                action="suppressed",
                text=f"Dismissed: {rule.reason}",
            )
        )

    def _standing(self, rule: Suppression, alert: Alert) -> Incident:
        opened = self._open(alert)
        standing = msgspec.structs.replace(
            opened,
            name=f"Suppressed: {rule.name}",
            named=True,
            status=IncidentStatus.RESOLVED,
            resolved_at=self._at,
            system_tags=("Suppressed",),
        )
        self._unit.put_incident(standing)
        return standing

    def _note(self, incident: Incident, action: str, text: str) -> None:
        self.activities.append(
            Activity(
                at=self._at,
                origin=Origin.SYSTEM,
                by=BY,
                subject=Subject.INCIDENT,
                subject_id=str(incident.id),
                incident=incident.id,
                action=action,
                text=text,
            )
        )


def sightings_of(alert: Alert, incident: int) -> list[Sighting]:
    """What an alert leaves behind for those that come after it."""
    return [
        Sighting(incident=incident, kind=kind, value=value, first_seen=alert.first_seen, last_seen=alert.last_seen)
        for kind, value in keys_of(alert)
    ]


def _meeting(seen: Sighting, alert: Alert, shared_by: int) -> Meeting:
    gap = max(0.0, alert.first_seen - seen.last_seen, seen.first_seen - alert.last_seen)
    return Meeting(incident=seen.incident, kind=seen.kind, value=seen.value, gap_s=gap, shared_by=shared_by)


def _may_join(incident: Incident, match: Match) -> bool:
    """Open ones; a resolved one only when the same detection comes back and nobody called it harmless."""
    if incident.status.open:
        return True
    harmless = incident.classification in (Classification.FALSE_POSITIVE, Classification.EXPECTED)
    return incident.status is IncidentStatus.RESOLVED and match.recurs and not harmless


def _campaigns(links: Sequence[Link]) -> list[str]:
    return [link.subject for link in links if link.reason is CorrelationReason.CAMPAIGN]


def _reasons(links: Sequence[Link]) -> str:
    return ", ".join(f"{link.reason.value} {link.subject}" for link in links[:4])


class Correlating:
    """The thread that correlates, shortly after the detectors."""

    def __init__(
        self, correlation: Correlation, log: Log, turn: Turn = ALWAYS, then: Callable[[], object] = nothing
    ) -> None:
        """Nothing runs yet; in this server's `turn` only. `then` is called when alerts were placed."""
        self._correlation = correlation
        self._runs = Repeating("correlating", self._run, _TICK_S, log, turn=turn, then=then)
        self.correlated = 0
        """Alerts placed or looked at again since the start."""

    @property
    def failing(self) -> str:
        """Why the last run failed; shown by readiness."""
        return self._runs.failing

    @property
    def last_s(self) -> float:
        """Seconds that the last run took."""
        return self._runs.last_s

    @property
    def bounded(self) -> int:
        """See Correlation.bounded."""
        return self._correlation.bounded

    def start(self) -> None:
        """Begin."""
        self._runs.start()

    def wake(self) -> None:
        """There is something to place."""
        self._runs.wake()

    def stop(self) -> None:
        """End; what the detectors found last is still placed."""
        if self._runs.stop():
            self._runs.attempt()

    def _run(self) -> int:
        placed = self._correlation.run()
        self.correlated += placed
        return placed
