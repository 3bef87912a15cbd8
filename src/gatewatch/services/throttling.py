"""How often somebody may ask: counted per key over sliding stretches of time, in bounded memory."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.ports.clock import Clock

__all__ = ["Allowance", "Standing", "Throttle", "ThrottledError"]

_MOST_KEYS = 10_000
"""The key that was quiet longest is forgotten beyond this."""


class Allowance(msgspec.Struct, frozen=True):
    """So many in so long."""

    count: int
    window_s: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How it is after one more, for the tightest allowance."""

    limit: int
    remaining: int
    reset_s: int
    """When the oldest that counts is forgotten; the wait when nothing remains."""


class ThrottledError(GatewatchError):
    """Too often; nothing was done. Try again after `retry_after_s` seconds."""

    code = "throttled"

    def __init__(self, message: str, *, standing: Standing) -> None:
        """Carry the wait that the client should respect."""
        self.retry_after_s = standing.reset_s
        super().__init__(message, cure=f"Try again in {standing.reset_s} seconds.")
        self.standing = standing


class Throttle:
    """Thread-safe; of one process."""

    def __init__(self, clock: Clock) -> None:
        """Time is the clock's."""
        self._clock, self._lock = clock, threading.Lock()
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, key: str, allowances: tuple[Allowance, ...]) -> Standing:
        """Count one. Raises ThrottledError when there is none left; that one is not counted."""
        with self._lock:
            seen, now = self._of(key, allowances), self._clock.now()
            standing = _standing(seen, allowances, now)
            if standing.remaining <= 0:
                raise ThrottledError(f"more than {standing.limit} requests", standing=standing)
            seen.append(now)
            return _standing(seen, allowances, now)

    def check(self, key: str, allowances: tuple[Allowance, ...]) -> None:
        """Whether one more would be let through; counts nothing. Raises ThrottledError."""
        with self._lock:
            standing = _standing(self._of(key, allowances), allowances, self._clock.now())
        if standing.remaining <= 0:
            raise ThrottledError(f"more than {standing.limit} requests", standing=standing)

    def _of(self, key: str, allowances: tuple[Allowance, ...]) -> deque[float]:
        seen = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        if len(self._seen) > _MOST_KEYS:
            self._seen.popitem(last=False)
        oldest = self._clock.now() - max(one.window_s for one in allowances)
        while seen and seen[0] <= oldest:
            seen.popleft()
        return seen


def _standing(seen: deque[float], allowances: tuple[Allowance, ...], now: float) -> Standing:
    found = []
    for one in allowances:
        counted = [at for at in seen if at > now - one.window_s]
        # The wait is until so many are forgotten that one more fits.
        first = counted[max(len(counted) - one.count, 0)] if counted else now
        wait = max(1, math.ceil(first + one.window_s - now))
        found.append(Standing(limit=one.count, remaining=max(one.count - len(counted), 0), reset_s=wait))
    return min(found, key=lambda standing: (standing.remaining, -standing.reset_s))
