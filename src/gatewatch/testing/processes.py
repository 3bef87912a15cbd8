"""Servers that tests, benchmarks and the demo start as child processes, and end whatever happens."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import httpx

__all__ = ["ChildProcess", "answers", "free_port"]

_START_S = 120.0
_STOP_S = 60.0
_POLL_S = 0.05
_SHOWN_CHARS = 4000
_PORTS = range(12_000, 32_000)
"""Below those that systems give to outgoing connections."""
_BLOCK = 16


def _ports_of_ours() -> Iterator[int]:
    """Ports in blocks; a UDP socket at the first of each tells other processes until this one ends."""
    count = len(_PORTS) // _BLOCK
    for number in range(count):
        begin = _PORTS[(os.getpid() + number) % count * _BLOCK]
        held = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            held.bind(("127.0.0.1", begin))
        except OSError:
            held.close()
            continue
        atexit.register(held.close)
        yield from range(begin, begin + _BLOCK)


_FREE, _ONE_AT_A_TIME = _ports_of_ours(), threading.Lock()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that nobody else is given as long as this process lives.

    A port that the system chooses can be given away again before a server listens on it, or while it restarts: to a
    test beside this one, or to any outgoing connection.
    """
    with _ONE_AT_A_TIME:
        for port in _FREE:
            with socket.socket() as tried:
                try:
                    tried.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
    raise RuntimeError("no port of this machine is free")


def answers(url: str) -> Callable[[], bool]:
    """A condition: a GET of `url` gives 2xx."""

    def ask() -> bool:
        try:
            return httpx.get(url, timeout=5).is_success
        except httpx.HTTPError:
            return False

    return ask


class ChildProcess:
    """One command, output in a file; ends with the `with` block."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        ready: Callable[[], bool],
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing runs before `start`. `environment` is added to ours."""
        self._command, self.log, self._ready, self._cwd = command, log, ready, cwd
        self._environment = os.environ | dict(environment or {})
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running child. Raises RuntimeError when there is none."""
        if self._child is None:
            raise RuntimeError(f"{self._command[0]} is not running")
        return self._child.pid

    def start(self) -> None:
        """Start and wait until ready. Raises RuntimeError with the end of the output when that fails."""
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + _START_S
        while not self._ready():
            ended = self._child.poll() is not None
            if ended or time.monotonic() > until:
                self.stop()
                what = "ended at once" if ended else f"was not ready within {_START_S:.0f} seconds"
                raise RuntimeError(f"{self._command[0]} {what}:\n{self.output()[-_SHOWN_CHARS:]}")
            time.sleep(_POLL_S)

    def output(self) -> str:
        """What it wrote until now, standard error included."""
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """SIGTERM, after a while SIGKILL to the whole group; the exit code (0 when it was not running)."""
        child, self._child = self._child, None
        if child is None:
            return 0
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            return child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            return child.wait()

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        self.stop()
