"""Answers gateways that ask before they let a call through: ext_authz, forward auth."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol
from urllib.parse import parse_qsl

from gatewatch.model.containment import Effect
from gatewatch.model.decision import ALLOWED, AskedCall, Verdict
from gatewatch.model.enforcement import Enforcement
from gatewatch.model.observation import Actor
from gatewatch.ports.clock import Clock
from gatewatch.ports.gateways import Decisions
from gatewatch.respond.deciding import DecisionTable

__all__ = ["Deciding"]

_MAX_QUERY = 65_536
"""As much as gateways take in their headers: what is cut off could hold the credential."""


class _Identities(Protocol):
    def everyone(self, headers: Mapping[str, str], query: list[tuple[str, str]]) -> tuple[Actor, ...]: ...


class Deciding:
    """Thread-safe. Credentials are read here and nowhere kept; throttles count calls in this process."""

    def __init__(self, decisions: Decisions, identities: _Identities, clock: Clock) -> None:
        """`identities` makes the same actors of credentials as observing does."""
        self._decisions, self._identities, self._clock = decisions, identities, clock
        self._lock = threading.Lock()
        self._made: Sequence[Enforcement] = ()
        self._table = DecisionTable(())
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, *, address: str, method: str, host: str, target: str, headers: Mapping[str, str]) -> Verdict:
        """What a call gets. `target`: path and query as sent; header names in lower case."""
        path, _, query = target.partition("?")
        now = self._clock.now()
        with self._lock:
            table = self._current()
            call = AskedCall(
                address=address, method=method, host=host, path=path or "/", actors=self._actors(headers, query)
            )
            mirrored = ALLOWED
            for one in table.matching(call, now):
                verdict = self._verdict(one, now)
                if verdict.status != ALLOWED.status:
                    return verdict
                mirrored = verdict if verdict.enforcement else mirrored
            return mirrored

    def _current(self) -> DecisionTable:
        current = self._decisions.current()
        if current is not self._made and current != self._made:
            self._made, self._table = tuple(current), DecisionTable(current)
            known = {one.id for one in current}
            self._buckets = {one: bucket for one, bucket in self._buckets.items() if one in known}
        return self._table

    def _actors(self, headers: Mapping[str, str], query: str) -> tuple[tuple[str, str], ...]:
        pairs = parse_qsl(query[:_MAX_QUERY], max_num_fields=None) if query else []
        return tuple((actor.kind.value, actor.id) for actor in self._identities.everyone(headers, pairs))

    def _verdict(self, one: Enforcement, now: float) -> Verdict:
        if one.effect is Effect.MIRROR:
            return Verdict(enforcement=one.id, effect=one.effect)
        if one.effect is Effect.THROTTLE:
            return self._throttled(one, now)
        status = 503 if one.effect is Effect.DISABLE_ENDPOINT else 403
        return Verdict(status=status, enforcement=one.id, effect=one.effect)

    def _throttled(self, one: Enforcement, now: float) -> Verdict:
        """A bucket of `calls`, filled evenly over `per_s`."""
        most = float(one.calls or 1)
        left, at = self._buckets.get(one.id, (most, now))
        left = min(most, left + max(0.0, now - at) * most / one.per_s)
        if left < 1.0:
            self._buckets[one.id] = left, now
            wait = math.ceil((1.0 - left) * one.per_s / most)
            return Verdict(status=429, enforcement=one.id, effect=one.effect, retry_after_s=max(1, wait))
        self._buckets[one.id] = left - 1.0, now
        return ALLOWED
