"""What only one of several servers on one database may do: each asks for its turn before it does something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from gatewatch.errors import StoreError
from gatewatch.ports.leases import ALWAYS, Lease, LeaseStore, Turn
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["LEASE_S", "LeasedTurn", "Leasing"]

LEASE_S = 15.0
"""How long a server that vanished keeps the others waiting."""
_RENEWALS, _QUESTIONS = 3, 15
"""Per lease: two renewals may fail; how often one who has it not asks for it."""
_STEP_S = 300.0
"""A job that did not ask for so long has died or hangs: its lease is not renewed any more, so that another goes on."""


class LeasedTurn:
    """One job under one lease. Thread-safe."""

    def __init__(self, name: str, take: Callable[[], bool], monotonic: Callable[[], float], ttl_s: float) -> None:
        """Nothing is taken yet."""
        self.name, self._take, self._monotonic, self._ttl_s = name, take, monotonic, ttl_s
        self._lock = threading.Lock()
        self._held = False
        self._until = self._ask_at = self._asked_at = monotonic()
        self.term = 0

    @property
    def held(self) -> bool:
        """Whether this server has it, as far as it knows."""
        return self._held and self._monotonic() < self._until

    def mine(self) -> bool:
        """From memory as long as the answer is fresh, else from the store."""
        with self._lock:
            self._asked_at = self._monotonic()
            return self._held if self._asked_at < self._ask_at else self._ask()

    def renew(self) -> None:
        """Keep it through a long step; one that is not held is not asked for."""
        with self._lock:
            if self._held and self._monotonic() < self._asked_at + _STEP_S:
                self._ask()

    def lose(self) -> None:
        """It was given up."""
        with self._lock:
            self._held, self._ask_at = False, self._monotonic()

    def _ask(self) -> bool:
        # Counted from before the question: in the store it ends no sooner than here.
        now, before = self._monotonic(), self.held
        self._held = self._take()
        self._until = now + self._ttl_s
        self._ask_at = now + self._ttl_s / (_RENEWALS if self._held else _QUESTIONS)
        self.term += self._held and not before
        return self._held


class Leasing:
    """This server's leases: renewed by a thread, given up when it stops."""

    def __init__(
        self, store: LeaseStore | None, holder: str, monotonic: Callable[[], float], log: Log, *, ttl_s: float = LEASE_S
    ) -> None:
        """`holder` names this process and no other; `monotonic` in seconds. No store: there is only this server."""
        self._store, self.holder, self._monotonic, self._ttl_s, self._log = store, holder, monotonic, ttl_s, log
        self._turns: dict[str, LeasedTurn] = {}
        self._renewing = Repeating("leases", self.renew, ttl_s / _RENEWALS, log)

    def turn(self, name: str) -> Turn:
        """The turn of one job; the same one whenever it is asked for."""
        if self._store is None:
            return ALWAYS
        if name not in self._turns:
            take = partial(self._store.take, name, self.holder, self._ttl_s)
            self._turns[name] = LeasedTurn(name, take, self._monotonic, self._ttl_s)
        return self._turns[name]

    def start(self) -> None:
        """Begin renewing."""
        if self._store is not None:
            self._renewing.start()

    def stop(self) -> None:
        """Give everything up; to be called when all jobs have ended. What can't be given up ends by itself."""
        self._renewing.stop()
        for turn in self._turns.values():
            turn.lose()
            self._release(turn.name)

    def _release(self, name: str) -> None:
        try:
            if self._store is not None:
                self._store.release(name, self.holder)
        except StoreError as error:
            self._log.warning("lease_not_released", job=name, why=error.message)

    @property
    def failing(self) -> str:
        """Why leases could not be renewed; shown by readiness."""
        return self._renewing.failing

    def renew(self) -> None:
        """All that are held. Raises StoreError."""
        for turn in list(self._turns.values()):
            turn.renew()

    def held(self) -> dict[str, bool]:
        """Of each job whether this server does it; empty when there is only this server."""
        return {name: turn.held for name, turn in sorted(self._turns.items())}

    def leases(self) -> list[Lease]:
        """Everybody's."""
        return self._store.leases() if self._store is not None else []
