"""What only one of several servers on one database may do: each asks for its turn before it does something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from gatewatch.ports.leases import Lease, LeaseStore
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["ALWAYS", "LEASE_S", "LeasedTurn", "Leasing", "Turn"]

LEASE_S = 15.0
"""How long a server that vanished keeps the others waiting."""
_RENEWALS = 3
"""Per lease: two may fail."""


class Turn(Protocol):
    """Whether it is this server that does a job."""

    @property
    def term(self) -> int:
        """Grows whenever the job comes to this server: what it remembered of the job before is out of date."""
        ...

    def mine(self) -> bool:
        """Ask before every step. Raises StoreError when nobody can tell."""
        ...


class _Always:
    """The only server there is."""

    term = 1

    def mine(self) -> bool:
        """Yes."""
        return True


ALWAYS: Turn = _Always()


class LeasedTurn:
    """One job under one lease."""

    def __init__(self, name: str, take: Callable[[], bool], monotonic: Callable[[], float], ttl_s: float) -> None:
        """Nothing is taken yet."""
        self.name, self._take, self._monotonic, self._ttl_s = name, take, monotonic, ttl_s
        self._lock = threading.Lock()
        self._until, self._renew_at = 0.0, 0.0
        self._held = False
        self.term = 0

    @property
    def held(self) -> bool:
        """Whether it was this server's when last looked at."""
        return self._held and self._monotonic() < self._until

    def mine(self) -> bool:
        """From memory while the lease is fresh, else from the store."""
        with self._lock:
            if self._held and self._monotonic() < self._renew_at:
                return True
            return self._ask()

    def renew(self) -> None:
        """Keep it through a long step; a lease that is not held is not asked for."""
        with self._lock:
            if self._held:
                self._ask()

    def lose(self) -> None:
        """It was given up."""
        with self._lock:
            self._held = False

    def _ask(self) -> bool:
        # Counted from before the question: the store's time is later, so it ends there no sooner than here.
        asked, before = self._monotonic(), self._held and self._monotonic() < self._until
        self._held = self._take()
        if self._held:
            self._until, self._renew_at = asked + self._ttl_s, asked + self._ttl_s / _RENEWALS
            self.term += not before
        return self._held


class Leasing:
    """This server's leases: renewed by a thread, given up when it stops."""

    def __init__(
        self, store: LeaseStore, holder: str, monotonic: Callable[[], float], log: Log, *, ttl_s: float = LEASE_S
    ) -> None:
        """`holder` names this process and no other; `monotonic` in seconds."""
        self._store, self.holder, self._monotonic, self._ttl_s = store, holder, monotonic, ttl_s
        self._turns: dict[str, LeasedTurn] = {}
        self._renewing = Repeating("leases", self.renew, ttl_s / _RENEWALS, log)

    def turn(self, name: str) -> LeasedTurn:
        """The turn of one job; the same one whenever it is asked for."""
        if name not in self._turns:
            take = partial(self._store.take, name, self.holder, self._ttl_s)
            self._turns[name] = LeasedTurn(name, take, self._monotonic, self._ttl_s)
        return self._turns[name]

    def start(self) -> None:
        """Begin renewing."""
        self._renewing.start()

    def stop(self) -> None:
        """Give everything up; call it when all jobs have ended."""
        self._renewing.stop()
        for turn in self._turns.values():
            turn.lose()
            self._store.release(turn.name, self.holder)

    @property
    def failing(self) -> str:
        """Why leases could not be renewed; shown by readiness."""
        return self._renewing.failing

    def renew(self) -> None:
        """All that are held. Raises StoreError."""
        for turn in list(self._turns.values()):
            turn.renew()

    def leases(self) -> list[Lease]:
        """Everybody's."""
        return self._store.leases()
