"""Keeps gateways in agreement with what is wanted: also after they were away, lost everything, or were changed."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.containment import Containment, ContainmentState
from gatewatch.model.enforcement import Agreement, Enforcement
from gatewatch.ports.clock import Clock
from gatewatch.ports.containments import ContainmentStore
from gatewatch.ports.gateways import Gateway, GatewayAwayError, PartlyAppliedError
from gatewatch.services.containing.absent import AbsentGateway
from gatewatch.services.containing.enforcement import enforcement_of
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["GatewayHealth", "Reconciling"]

_CHECK_S = 15.0
"""How often a gateway is read back though nothing is new."""
_TICK_S = 0.5
_PAUSE_FIRST_S, _PAUSE_MOST_S = 1.0, 60.0
_CONFIRM_S = 10.0


_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError)
"""What an adapter trips over when an answer is built otherwise than its vendor's reference says."""


class GatewayHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one gateway fares; times in Unix seconds, 0 for never."""

    name: str
    kind: str
    in_force: int = 0
    queued: int = 0
    """Wanted, and not confirmed by the gateway."""
    failures: int = 0
    """Since it last agreed."""
    last_error: str = ""
    last_error_at: float = 0.0
    agreed_at: float = 0.0
    next_attempt_at: float = 0.0
    repaired: int = 0
    """How often something of ours was missing, changed or left over on it."""


class Reconciling:
    """One thread per gateway."""

    def __init__(self, gateways: Mapping[str, Gateway], store: ContainmentStore, clock: Clock, log: Log) -> None:
        """Nothing runs yet."""
        absent = {one.plan.gateway: AbsentGateway() for one in store.unfinished() if one.plan.gateway not in gateways}
        known = {**absent, **gateways}
        self._keepers = {name: _Keeper(name, gateway, store, clock, log) for name, gateway in known.items()}
        self._store, self._absent = store, frozenset(absent)

    def start(self) -> None:
        """Begin."""
        for keeper in self._keepers.values():
            keeper.thread.start()

    def stop(self) -> None:
        """End; what is in force stays in force, and expires by itself where the gateway can do that."""
        for keeper in self._keepers.values():
            keeper.wake()
            keeper.thread.stop()

    def wake(self, gateway: str) -> None:
        """Look at once."""
        if gateway in self._keepers:
            self._keepers[gateway].wake()

    def confirm(self, containment_id: str) -> Containment:
        """The containment as soon as its gateway has confirmed it (or its removal), or after ten seconds as it is."""
        known = self._store.containment(containment_id)
        keeper = self._keepers.get(known.plan.gateway)
        if keeper is None:
            return known
        for _ in range(int(_CONFIRM_S / _TICK_S)):
            if known.state is not ContainmentState.QUEUED and (known.state.wanted or known.removed_at is not None):
                break
            keeper.turned.clear()
            keeper.wake()
            keeper.turned.wait(_TICK_S)
            known = self._store.containment(containment_id)
        return known

    def health(self) -> list[GatewayHealth]:
        """All gateways by name."""
        return [keeper.health for _, keeper in sorted(self._keepers.items())]

    @property
    def failing(self) -> list[str]:
        """Configured gateways that do not agree with what is wanted, or whose thread has ended."""
        keepers = sorted(self._keepers.items())
        unwell = {name for name, one in keepers if one.health.failures and name not in self._absent}
        return [name for name, one in keepers if name in unwell or one.thread.failing]


class _Keeper:
    """One gateway's turns."""

    def __init__(self, name: str, gateway: Gateway, store: ContainmentStore, clock: Clock, log: Log) -> None:
        self.gateway, self._store, self._clock, self._log = gateway, store, clock, log
        self._name = name
        self.health = GatewayHealth(name=name, kind=gateway.meta.id)
        self.turned = threading.Event()
        self.thread = Repeating(f"gateway-{name}", self._turn, _TICK_S, log)
        self._asked = threading.Event()
        self._applied: tuple[Enforcement, ...] | None = None
        self._checked = 0.0

    def wake(self) -> None:
        self._asked.set()
        self.thread.wake()

    def _turn(self) -> None:
        asked = self._asked.is_set()
        self._asked.clear()
        now = self._clock.now()
        # A clock that was set back must not make a pause longer than any pause is.
        if 0 < self.health.next_attempt_at - now <= _PAUSE_MOST_S and not asked:
            return
        known = self._expired(self._store.unfinished(self._name), now)
        wanted = tuple(enforcement_of(one) for one in known if one.state.wanted)
        settled = wanted == self._applied and all(one.state is ContainmentState.IN_FORCE for one in known)
        if settled and 0 <= now - self._checked < _CHECK_S:
            self.turned.set()
            return
        self._agree(known, wanted, now)
        self.turned.set()

    def _agree(self, known: Sequence[Containment], wanted: tuple[Enforcement, ...], now: float) -> None:
        refused: Mapping[str, str] = {}
        try:
            if wanted == self._applied:
                before = self.gateway.actual(wanted)
                if before.complete:
                    self._note(known, before, {}, now)
                    return
                self.health = msgspec.structs.replace(self.health, repaired=self.health.repaired + 1)
                self._log.warning("gateway_repaired", gateway=self._name, missing=len(before.missing))
            agreement = self.gateway.apply(wanted)
        except PartlyAppliedError as error:
            agreement, refused = error.agreement, error.refused
        except GatewatchError as error:
            self._failed(known, error, now)
            return
        except _UNREADABLE as fault:
            # One gateway's nonsense must not end its thread: nothing would expire on it any more.
            self._failed(known, GatewayAwayError(f"its answer can't be understood ({_place(fault)})"), now)
            return
        self._applied = wanted
        self._note(known, agreement, refused, now)

    def _note(self, known: Sequence[Containment], agreement: Agreement, refused: Mapping[str, str], now: float) -> None:
        self._checked = now
        there = set(agreement.in_force)
        for one in known:
            changed = _after(one, there=one.id in there, refusal=refused.get(one.id, ""), now=self._clock.now())
            if changed != one:
                self._store.save(changed, expected=one.state)
        queued = sum(one.state.wanted and one.id not in there for one in known)
        self.health = msgspec.structs.replace(
            self.health, in_force=len(there), queued=queued, failures=0, agreed_at=now, next_attempt_at=0.0
        )

    def _failed(self, known: Sequence[Containment], error: GatewatchError, now: float) -> None:
        failures = self.health.failures + 1
        pause = min(_PAUSE_MOST_S, _PAUSE_FIRST_S * 2.0 ** min(failures - 1, 20))
        if failures == 1 or error.message != self.health.last_error:
            self._log.warning("gateway_not_reached", gateway=self._name, code=error.code, why=error.message)
        for one in known:
            if one.state is ContainmentState.QUEUED and one.why != error.message:
                self._store.save(msgspec.structs.replace(one, why=error.message), expected=one.state)
        self._applied = None
        self.health = msgspec.structs.replace(
            self.health,
            queued=sum(one.state is ContainmentState.QUEUED for one in known),
            failures=failures,
            last_error=error.message,
            last_error_at=now,
            next_attempt_at=now + pause,
        )

    def _expired(self, known: Sequence[Containment], now: float) -> list[Containment]:
        found = []
        for one in known:
            if one.state.wanted and one.expires_at <= now:
                ended = msgspec.structs.replace(
                    one, state=ContainmentState.EXPIRED, ended_at=one.expires_at, ended_by="expiry"
                )
                if self._store.save(ended, expected=one.state):
                    found.append(ended)
            else:
                found.append(one)
        return found


def _place(fault: Exception) -> str:
    """Kind and place, without the text: that may hold what the gateway said."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    return f"{type(fault).__name__} in {Path(frame.filename).name}, line {frame.lineno}"


def _after(one: Containment, *, there: bool, refusal: str, now: float) -> Containment:
    """A containment after its gateway was read back."""
    if one.state.wanted and refusal:
        return msgspec.structs.replace(one, state=ContainmentState.REFUSED, why=refusal, ended_at=now, removed_at=now)
    if one.state.wanted and there:
        if one.state is ContainmentState.IN_FORCE:
            return one
        return msgspec.structs.replace(one, state=ContainmentState.IN_FORCE, in_force_at=one.in_force_at or now, why="")
    if one.state.wanted:
        return msgspec.structs.replace(one, state=ContainmentState.QUEUED)
    return one if there else msgspec.structs.replace(one, removed_at=now)
