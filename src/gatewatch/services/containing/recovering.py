"""Watches traffic after a containment is gone; an attack that is back opens its incident again."""

from __future__ import annotations

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.activity import Subject
from gatewatch.model.alert import Alert
from gatewatch.model.containment import Containment, Recovery, RecoveryVerdict
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.predicate import Membership
from gatewatch.ports.cases import CaseStore, Selection
from gatewatch.ports.clock import Clock
from gatewatch.ports.containments import ContainmentStore
from gatewatch.ports.control import AlertFilter, ControlStore
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.respond.recovery import Minute, Watched, recovery_of
from gatewatch.services.containing.traffic import minutes_of
from gatewatch.services.incidents.casework import Casework
from gatewatch.services.incidents.patches import IncidentPatch
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["BY", "Recovering"]

_EVERY_S = 10.0
_LAG_S = 3.0
"""Traffic needs so long from the gateway into the store."""
_LEAST_S = 600.0
_MOST_ALERTS, _MOST_KEPT = 200, 20
BY = "recovery"


class Recovering:
    """A thread."""

    def __init__(
        self,
        *,
        store: ContainmentStore,
        control: ControlStore,
        cases: CaseStore,
        casework: Casework,
        traffic: TrafficStore,
        watch_s: float,
        clock: Clock,
        log: Log,
        turn: Turn = ALWAYS,
    ) -> None:
        """Watches each for `watch_s` seconds; `casework` acts as the system. Nothing runs yet."""
        self._store, self._control, self._cases, self._casework = store, control, cases, casework
        self._traffic, self._watch_s, self._clock, self._log = traffic, watch_s, clock, log
        self._counted: dict[str, tuple[list[Minute], list[Minute]]] = {}
        self.thread = Repeating("containment-recovery", self.turn, _EVERY_S, log, turn=turn)

    def turn(self) -> int:
        """Look at everything that is being watched; how many verdicts were reached."""
        watched = self._store.recovering()
        self._counted = {one.id: self._counted[one.id] for one in watched if one.id in self._counted}
        return sum(self._look(one) for one in watched)

    def _look(self, one: Containment) -> bool:
        now = self._clock.now()
        until = min(now - _LAG_S, (one.removed_at or now) + self._watch_s)
        if one.removed_at is None or one.in_force_at is None or until <= one.removed_at:
            return False
        incident = self._incident(one.plan.incident)
        found = recovery_of(self._watched(one, incident, until), one.plan.expects)
        if found.verdict is RecoveryVerdict.STILL_ATTACKED and incident is not None:
            # First the incident: should this end in between, the next turn finds its comment and goes on.
            self._reopen(one, incident, found)
        done = self._store.save(msgspec.structs.replace(one, recovery=found), expected=one.state)
        return done and found.verdict is not RecoveryVerdict.WATCHING

    def _watched(self, one: Containment, incident: Incident | None, until: float) -> Watched:
        assert one.removed_at is not None
        usual, attacked = self._former(one, incident)
        return Watched(
            since=one.removed_at,
            until=until,
            over=until >= one.removed_at + self._watch_s,
            usual=usual,
            attacked=attacked,
            after=minutes_of(self._traffic, one, since=one.removed_at, until=until),
            alerts=self._alerts(one, incident, one.removed_at),
        )

    def _former(self, one: Containment, incident: Incident | None) -> tuple[list[Minute], list[Minute]]:
        """(before the attack, before the containment); counted once, as it is over."""
        assert one.in_force_at is not None
        known = self._counted.get(one.id)
        if known is None:
            length = max(_LEAST_S, self._watch_s)
            begun = min(one.in_force_at, incident.first_activity) if incident else one.in_force_at
            usual = minutes_of(self._traffic, one, since=begun - length, until=begun)
            attacked = minutes_of(self._traffic, one, since=one.in_force_at - length, until=one.in_force_at)
            known = self._counted[one.id] = usual, attacked
        return known

    def _incident(self, number: int) -> Incident | None:
        """The one that it belongs to now."""
        if not number:
            return None
        incident = self._cases.incident(number)
        while incident.redirect_to:
            incident = self._cases.incident(incident.redirect_to)
        return incident

    def _alerts(self, one: Containment, incident: Incident | None, since: float) -> tuple[str, ...]:
        """Of the incident, and of its detectors about its attackers, when they saw an attack since."""
        if incident is None:
            return ()
        wanted = Selection(where=Membership("incident", (incident.id,)), order="last_seen", limit=_MOST_ALERTS)
        own, _ = self._cases.select_alerts(wanted)
        detectors = tuple(sorted({alert.detector for alert in own}))
        others: list[Alert] = []
        if detectors:
            others, _ = self._control.alerts(AlertFilter(detector=detectors, since=since), limit=_MOST_ALERTS)
        found = [alert for alert in own if _anew(alert, since)]
        found += [alert for alert in others if _anew(alert, since) and _names(alert) & set(one.attackers)]
        return tuple(dict.fromkeys(alert.id for alert in found))[:_MOST_KEPT]

    def _reopen(self, one: Containment, incident: Incident, found: Recovery) -> None:
        told = self._cases.comments(Subject.INCIDENT, [str(incident.id)]).get(str(incident.id), ())
        if any(entry.by == BY and one.id in entry.text for entry in told):
            return
        at = self._clock.now()
        try:
            with self._cases.unit(at) as unit:
                if incident.status is IncidentStatus.RESOLVED:
                    patch = IncidentPatch(status=IncidentStatus.ACTIVE)
                    self._casework.change_incident_in(unit, incident.id, patch, by=BY, at=at)
                text = _why(one, found)
                self._casework.comment_in(unit, Subject.INCIDENT, str(incident.id), text, by=BY, at=at)
        except GatewatchError as error:
            self._log.warning("incident_not_reopened", incident=incident.id, why=error.message)
            raise


def _anew(alert: Alert, since: float) -> bool:
    """Whether a detector saw an attack that began since.

    A window in which the containment ended holds the attack before it, too: any call since makes its alert newer.
    """
    return alert.first_seen > since or any(window.start >= since for window in alert.windows)


def _names(alert: Alert) -> set[str]:
    actors = {f"{actor.kind.value}:{actor.id}" for actor in alert.actors}
    return actors | {f"address:{address}" for address in alert.client_ips}


def _why(one: Containment, found: Recovery) -> str:
    seen = []
    if found.attack_after:
        share = f", {found.attack_share:.0%} of the rate before it" if found.attack_share is not None else ""
        seen.append(f"{found.attack_after} calls of attackers got through in {found.after_s:.0f} s{share}")
    if found.alerts:
        seen.append(f"{len(found.alerts)} alerts saw something since, {found.alerts[0]} among them")
    return f"The attack is back after containment {one.id} ended ({one.plan.scope.value}): {'; '.join(seen)}."
