"""The guard for libraries that open sockets of their own (apprise and what it uses).

Python tells an audit hook (PEP 578) of every name that is looked up and every address that is connected to, and the
hook may forbid it. The hook is installed when the first connection needs it, stays for good, as hooks do, and does
nothing in threads that are not inside `guarded`. What it can't see: sockets opened by C libraries without Python's
`socket`, and those of threads that the library starts, which Python tells of from 3.12 on only.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gatewatch.egress.addresses import host_name
from gatewatch.egress.errors import RefusedError
from gatewatch.egress.guard import Guard

__all__ = ["Trace", "guarded"]


class Trace:
    """What happened inside: libraries swallow errors."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.refusals: list[RefusedError] = []
        self.connections = 0
        """Attempts that the guard let through."""


class _Watch(threading.local):
    guard: Guard | None = None
    last: str
    trace: Trace | None = None


_watch = _Watch()
_installing = threading.Lock()
_installed: list[bool] = []
_FORBIDDEN = frozenset(
    {
        "_thread.start_new_thread",
        "ctypes.dlopen",
        "os.exec",
        "os.fork",
        "os.posix_spawn",
        "os.system",
        "subprocess.Popen",
        "syslog.openlog",
        "syslog.syslog",
    }
)


@contextmanager
def guarded(guard: Guard) -> Iterator[Trace]:
    """Inside, this thread reaches nobody but the guard's hosts."""
    with _installing:
        if not _installed:
            sys.addaudithook(_hook)
            _installed.append(True)
    trace = Trace()
    _watch.last, _watch.trace, _watch.guard = "", trace, guard
    try:
        yield trace
    finally:
        _watch.guard, _watch.trace = None, None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watch.guard is None or _watch.trace is None:
        return
    try:
        if event == "socket.getaddrinfo":
            _watch.guard.check_host(_text(arguments[0]))
            _watch.last = host_name(_text(arguments[0]))
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            _check(_watch.guard, arguments[1])
            _watch.trace.connections += 1
        elif event in ("socket.gethostbyname", "socket.gethostbyaddr"):
            _watch.guard.check_host(_text(arguments[0]))
        elif event in _FORBIDDEN:
            _leave(event)
    except RefusedError as error:
        _watch.trace.refusals.append(error)
        # What libraries expect of sockets, so that they close theirs.
        raise PermissionError(error.message) from error


def _check(guard: Guard, place: Any) -> None:
    if place is None:
        return
    if not isinstance(place, tuple):
        raise RefusedError("the library wanted a socket that is not of the Internet")
    address = str(place[0])
    # Addresses come from the last name that was looked up in this thread; a literal one counts as its own name.
    host = _watch.last or host_name(address)
    guard.check_host(host)
    guard.check_address(host, address)


def _leave(event: str) -> None:
    raise RefusedError(f"the library wanted to leave the guard ({event})")


def _text(host: Any) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")
