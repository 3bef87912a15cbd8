"""Whether containments did what they promised, from traffic; what did not is taken back."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.containment import Containment, ContainmentState, Effect, Evidence, Verdict
from gatewatch.ports.clock import Clock
from gatewatch.ports.containments import ContainmentFilter, ContainmentStore
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.respond.effect import evidence_of, judged, measured, promised_fall
from gatewatch.services.containing.desk import ContainmentDesk
from gatewatch.services.containing.traffic import counts_of
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["Measuring"]

_EVERY_S = 5.0
_AGAIN_S = 300.0
"""How often what is concluded is looked at again, for harm that shows later."""
_LAG_S = 3.0
"""Traffic needs so long from the gateway into the store."""
_LEAST_S = 30.0
_BEFORE_END = 0.8
_MOST = 5000
_SETTLED = (Verdict.WORKED, Verdict.INCONCLUSIVE)
BY = "measurement"


class Measuring:
    """A thread."""

    def __init__(
        self,
        desk: ContainmentDesk,
        store: ContainmentStore,
        traffic: TrafficStore,
        clock: Clock,
        log: Log,
        turn: Turn = ALWAYS,
        *,
        settles: Mapping[str, float] | None = None,
    ) -> None:
        """`settles`: seconds that gateways take until no call passes any more. Nothing runs yet."""
        self._settles = settles or {}
        self._desk, self._store, self._traffic, self._clock, self._log = desk, store, traffic, clock, log
        self.thread = Repeating("containment-effects", self.turn, _EVERY_S, log, turn=turn)

    def turn(self) -> int:
        """Measure everything in force; how many were rolled back."""
        rolled_back = 0
        for one in self._store.unfinished():
            if one.state is ContainmentState.IN_FORCE and one.plan.effect is not Effect.MIRROR:
                rolled_back += self._look(one)
        return rolled_back

    def evidence(self) -> list[Evidence]:
        """Of all that was measured, by kind of action."""
        seen: list[Containment] = []
        cursor = ""
        while len(seen) < _MOST:
            page, cursor = self._store.containments(ContainmentFilter(), cursor=cursor, limit=500)
            seen += page
            if not cursor:
                break
        return evidence_of(seen)

    def _look(self, one: Containment) -> int:
        now = self._clock.now() - _LAG_S
        if one.in_force_at is None or now <= one.in_force_at:
            return 0
        # What should be rolled back and still is in force was cut off, or failed: it is tried again at once.
        if one.verdict in _SETTLED and one.measured is not None and 0 <= now - one.measured.at < _AGAIN_S:
            return 0
        settles_s = self._settles.get(one.plan.gateway, 0.0)
        counts = counts_of(self._traffic, one, until=now, settles_s=settles_s)
        found = measured(counts, now)
        # What was concluded stays, unless harm shows later.
        verdict = judged(found, one.plan, attack_s=counts.attack_s, over=now >= _due(one, settles_s))
        if one.verdict is not Verdict.MEASURING and verdict is not Verdict.COLLATERAL:
            verdict = one.verdict
        seen = msgspec.structs.replace(one, measured=found, verdict=verdict)
        if not self._store.save(seen, expected=one.state):
            return 0
        if verdict not in (Verdict.COLLATERAL, Verdict.NO_EFFECT):
            return 0
        try:
            self._desk.roll_back(one.id, by=BY, reason=_why(seen, attack_s=counts.attack_s))
        except GatewatchError as error:
            self._log.warning("roll_back_delayed", containment=one.id, why=error.message)
            return 0
        return 1


def _due(one: Containment, settles_s: float) -> float:
    """When the effect is judged: as promised, but once there is something to see and before it ends."""
    begin = one.in_force_at or one.created_at
    promised = max(one.plan.expects.within_s, settles_s + _LEAST_S)
    return begin + min(promised, _BEFORE_END * (one.expires_at - begin))


def _why(one: Containment, *, attack_s: float) -> str:
    found, expects = one.measured, one.plan.expects
    assert found is not None
    if one.verdict is Verdict.COLLATERAL and found.collateral_low <= expects.collateral_at_most:
        return (
            f"It shut out {found.shut_out} others who had got through before;"
            f" {expects.bystanders_at_most} were allowed."
        )
    if one.verdict is Verdict.COLLATERAL:
        return (
            f"It refused {found.refused} of {found.bystander_calls} calls of others ({found.collateral:.1%}, at least"
            f" {found.collateral_low:.1%}); {expects.collateral_at_most:.1%} were allowed."
        )
    fell = f"{found.fell_by:.0%}" if found.fell_by is not None else "nothing"
    promised = promised_fall(one.plan, found, attack_s=attack_s)
    return f"The attack fell by {fell} in {found.after_s:.0f} s; {promised:.0%} were expected."
