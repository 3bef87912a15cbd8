"""A thread that does one thing again and again and shows how it fares."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from gatewatch.errors import GatewatchError
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.telemetry.logs import Log

__all__ = ["Repeating", "nothing"]


def nothing() -> None:
    """Follows a step that nobody waits for."""


class Repeating:
    """Calls `step` every so often until stopped.

    A GatewatchError is logged and the step tried again. Any other is a fault of ours: it ends the thread, which
    `failing` shows from then on (and `telemetry.threads` logs), rather than going on with a state nobody knows.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], object],
        every_s: float,
        log: Log,
        *,
        turn: Turn = ALWAYS,
        then: Callable[[], object] = nothing,
    ) -> None:
        """Nothing runs yet; `every_s` is counted from the begin of one step to the begin of the next.

        Steps outside this server's `turn` are left out. `then` is called after a step that gave anything true: who
        works on with it need not wait for a tick.
        """
        self._step, self._every_s, self._log, self._turn, self._then = step, every_s, log, turn, then
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, name=name, daemon=True)
        self._started = False
        self._failing = ""
        self.last_s = 0.0
        """Seconds that the last step took."""

    @property
    def failing(self) -> str:
        """Why the last step failed, or that the thread has ended; empty when all is well."""
        if self._started and not self._stopping.is_set() and not self._thread.is_alive():
            return f"the thread {self._thread.name} ended by a fault of Gatewatch; see the log and restart"
        return self._failing

    def start(self) -> None:
        """Begin with a step at once."""
        self._started = True
        self._thread.start()

    def wake(self) -> None:
        """Step at once, in its own thread."""
        self._woken.set()

    def stop(self) -> bool:
        """End after the step under way; whether the thread was at work until now."""
        self._stopping.set()
        self._woken.set()
        if not self._thread.is_alive():
            return False
        self._thread.join()
        return True

    def attempt(self) -> None:
        """One step now, in the caller's thread."""
        begin = time.perf_counter()
        try:
            if self._turn.mine() and self._step():
                self._then()
            self._failing = ""
        except GatewatchError as error:
            self._failing = error.message
            self._log.error("delayed", what=self._thread.name, code=error.code, why=error.message)
        self.last_s = time.perf_counter() - begin

    def _loop(self) -> None:
        while not self._stopping.is_set():
            self.attempt()
            self._woken.wait(max(0.0, self._every_s - self.last_s))
            self._woken.clear()
