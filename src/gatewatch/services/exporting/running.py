"""The thread of one target: works while there is something to do, backs off when the target does not take it."""

from __future__ import annotations

import random
import threading
from concurrent.futures import Future
from queue import Empty, SimpleQueue

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.export import ExportItem
from gatewatch.ports.clock import Clock
from gatewatch.ports.export import DeliveryError, TargetState
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.services.exporting.following import Follower, FullError
from gatewatch.telemetry.logs import Log

__all__ = ["Health", "Runner", "pause_s"]

_LEAST_SHARE = 0.5
"""Jitter takes away at most so much of a pause: targets that failed together come back apart."""
_JOIN_S = 15.0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a target's deliveries go; times in Unix seconds."""

    state: TargetState
    attempts: int = 0
    last_error: str = ""
    last_error_at: float = 0.0
    next_attempt_at: float = 0.0


def pause_s(attempts: int, first_s: float, most_s: float, asked_s: float | None, chance: float) -> float:
    """Seconds until the next attempt.

    Doubling and capped, less up to half of it by `chance` (0 to 1); never before the target asked for, but at most an
    hour later.
    """
    grown: float = min(most_s, first_s * 2.0 ** min(attempts - 1, 62))
    return max(grown * (_LEAST_SHARE + (1 - _LEAST_SHARE) * chance), min(asked_s or 0.0, 3600.0))


class Runner:
    """Starts with `start`; everything else may be called from any thread."""

    def __init__(self, follower: Follower, clock: Clock, chance: random.Random, log: Log, turn: Turn = ALWAYS) -> None:
        """Nothing runs yet; in this server's `turn` only, but for tests."""
        self.follower, self._clock, self._chance, self._log = follower, clock, chance, log
        self._turn, self._term = turn, turn.term
        self.health = Health(state=TargetState.RUNNING)
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._tests: SimpleQueue[tuple[ExportItem, Future[None]]] = SimpleQueue()
        name = f"export-{follower.target.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand; what was not settled is sent by the next start."""
        self._stopping.set()
        self._wake.set()

    def join(self) -> None:
        """Wait for the end, but not longer than a target may hang."""
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def wake(self) -> None:
        """Look again at once, also when backing off."""
        self._wake.set()

    def test(self, item: ExportItem) -> Future[None]:
        """Send one item out of turn; the future raises what the delivery raises."""
        answer: Future[None] = Future()
        self._tests.put((item, answer))
        self.wake()
        return answer

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._send_tests()
                self._sleep(self._attempt())
        finally:
            self.follower.target.exporter.close()
            if not self._stopping.is_set():
                self.health = msgspec.structs.replace(self.health, state=TargetState.STOPPED)

    def _attempt(self) -> float:
        """One step; seconds until the next."""
        settings, before = self.follower.target.settings, self.follower.progress.delivered
        try:
            mine = self._turn.mine()
            if mine and self._term != self._turn.term:
                self._term = self._turn.term
                self.follower.count_letters()
            worked = mine and self.follower.step()
        except GatewatchError as error:
            return self._failed(error, progressed=self.follower.progress.delivered > before)
        if self.health.attempts:
            self._log.info("export_recovered", target=settings.name, failures=self.health.attempts)
        self.health = Health(
            state=TargetState.RUNNING if mine else TargetState.STANDBY,
            last_error=self.health.last_error,
            last_error_at=self.health.last_error_at,
        )
        return 0.0 if worked else settings.poll_s

    def _failed(self, error: GatewatchError, *, progressed: bool) -> float:
        settings, now = self.follower.target.settings, self._clock.now()
        attempts = 1 if progressed else self.health.attempts + 1
        asked = error.retry_after_s if isinstance(error, DeliveryError) else None
        wait = pause_s(attempts, settings.retry_first_s, settings.retry_max_s, asked, self._chance.random())
        if error.message != self.health.last_error or attempts == 1:
            self._log.warning("export_delayed", target=settings.name, code=error.code, why=error.message)
        self.health = Health(
            state=TargetState.BLOCKED if isinstance(error, FullError) else TargetState.WAITING,
            attempts=attempts,
            last_error=error.message,
            last_error_at=now,
            next_attempt_at=now + wait,
        )
        return wait

    def _sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._wake.wait(seconds)
        if not self._stopping.is_set():
            self._wake.clear()

    def _send_tests(self) -> None:
        while True:
            try:
                item, answer = self._tests.get_nowait()
            except Empty:
                return
            try:
                self.follower.send_test(item)
            except GatewatchError as error:
                answer.set_exception(error)
            else:
                answer.set_result(None)
