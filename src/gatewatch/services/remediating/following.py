"""Follows remediation: progress and completion by evidence, recurrences, ends of exceptions, retention."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gatewatch.model.activity import Activity
from gatewatch.model.finding import finding_id
from gatewatch.model.remediation import RemediationActivity, RemediationStatus, Target
from gatewatch.ports.clock import Clock
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.remediation import RemediationStore, RemediationUnit, Suspect
from gatewatch.respond.remediating import judged_target, progressed
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.remediating.auditing import SYSTEM, entry
from gatewatch.services.remediating.excepting import Excepting
from gatewatch.services.remediating.merging import Merged
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["KEPT_S", "Following"]

KEPT_S = 180 * 86_400.0
"""Completed activities are forgotten after this time."""
_EVERY_S = 10.0
_SWEEP_S = 3600.0
_PAGE = 1000


class Following:
    """A thread."""

    def __init__(
        self,
        *,
        store: RemediationStore,
        catalogue: Catalogue,
        excepting: Excepting,
        clock: Clock,
        log: Log,
        turn: Turn = ALWAYS,
    ) -> None:
        """Nothing runs yet."""
        self._store, self._catalogue, self._excepting, self._clock = store, catalogue, excepting, clock
        self._swept = float("-inf")
        self.thread = Repeating("remediation", self.turn, _EVERY_S, log, turn=turn)

    def turn(self) -> int:
        """Look at the evidence once; how many targets changed."""
        self._excepting.expire()
        now = self._clock.now()
        if now - self._swept >= _SWEEP_S:
            self._sweep(now)
            self._swept = now
        # Before the inventory was read every endpoint would seem to be gone.
        return self._judge(now) if self._catalogue.version else 0

    def _judge(self, now: float) -> int:
        changed, after = 0, ("", "")
        merged = Merged(self._catalogue)
        while True:
            page = self._store.suspects(_PAGE, after)
            for activity_id in dict.fromkeys(one.activity for one in page):
                mine = [one for one in page if one.activity == activity_id]
                changed += self._look(activity_id, mine, merged, now)
            if len(page) < _PAGE:
                return changed
            after = page[-1].activity, page[-1].target.endpoint_id

    def _look(self, activity_id: str, suspects: Sequence[Suspect], merged: Merged, now: float) -> int:
        moved = [(one, merged.of(one.target.endpoint)) for one in suspects if self._gone(one)]
        successors = [(one.target, new) for one, new in moved if new is not None]
        away = {target.endpoint_id for target, _ in successors}
        judged = [(one.target, self._judged(one, now)) for one in suspects if one.target.endpoint_id not in away]
        changed = [(old, new) for old, new in judged if new != old]
        if not changed and not successors:
            return 0
        with self._store.unit(now) as unit:
            known = unit.activity(activity_id)
            for target, endpoint in successors:
                finding = finding_id(known.recommendation, endpoint.id)
                label = f"{endpoint.method} {endpoint.host}{endpoint.template}"
                there = msgspec.structs.replace(target, endpoint_id=endpoint.id, endpoint=label, finding=finding)
                unit.move_target(activity_id, target.endpoint_id, there)
                text = f"{target.endpoint} became {label}, which takes its place."
                unit.record([entry(known.id, "merged", text, by=SYSTEM, at=now, incident=known.incident)])
            unit.put_targets(activity_id, [new for _, new in changed])
            self._progress(unit, known, changed, now)
        return len(changed) + len(successors)

    def _gone(self, one: Suspect) -> bool:
        return one.finding is None and not one.target.fixed and not self._catalogue.knows(one.target.endpoint_id)

    def _judged(self, one: Suspect, now: float) -> Target:
        return judged_target(one.target, one.finding, living=self._catalogue.knows(one.target.endpoint_id), now=now)

    def _progress(
        self, unit: RemediationUnit, known: RemediationActivity, changed: Sequence[tuple[Target, Target]], now: float
    ) -> None:
        targeted, fixed = unit.count_targets(known.id)
        recurred = [new for old, new in changed if new.recurrences > old.recurrences]
        counted = msgspec.structs.replace(known, targeted=targeted)
        new = progressed(counted, fixed=fixed, recurred=bool(recurred), now=now)
        unit.put(msgspec.structs.replace(new, revision=known.revision + 1))
        unit.record(_told(known, new, recurred, now))

    def _sweep(self, now: float) -> None:
        with self._store.unit(now) as unit:
            gone = unit.forget_completed(now - KEPT_S)
            text = "Forgotten 180 days after its completion."
            unit.record([entry(one.id, "removed", text, by=SYSTEM, at=now, incident=one.incident) for one in gone])


def _told(old: RemediationActivity, new: RemediationActivity, recurred: Sequence[Target], now: float) -> list[Activity]:
    found = [("progress", f"{new.fixed} of {new.targeted} endpoints are fixed.")] if new.fixed != old.fixed else []
    if recurred:
        found.append(("recurrence", f"Unhealthy again: {recurred[0].endpoint} ({recurred[0].why})."))
    if new.status is not old.status:
        done = new.status is RemediationStatus.COMPLETED
        found.append(("completed", "Every endpoint is fixed.") if done else ("reopened", "Opened again by recurrence."))
    return [entry(old.id, action, text, by=SYSTEM, at=now, incident=old.incident) for action, text in found]
