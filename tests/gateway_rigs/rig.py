"""What the contract suite needs of a gateway under test."""

from __future__ import annotations

import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx
import pytest

from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.ports.gateways import Ability, Gateway, Site
from gatewatch.testing.gateways import SetClock, enforcement

NOW = 1_800_000_000.0
HOUR = 3600.0
ENDPOINT = "GET shop.example /api/users/{int}"
BAD, WORSE, GOOD = "203.0.113.7", "2001:db8:7::1", "198.51.100.9"


def one(number: int, value: str = BAD, *, effect: Effect = Effect.BLOCK, **more: Any) -> Enforcement:
    kind = more.pop("kind", ScopeKind.ADDRESS)
    return enforcement(f"c{number}", kind, value, effect, **{"expires_at": NOW + HOUR * number, **more})


ADDRESSES = (one(1), one(2, WORSE), one(3, "192.0.2.0/24", kind=ScopeKind.RANGE))
DISABLED = one(4, ENDPOINT, kind=ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT)
NARROWED = one(5, GOOD, endpoint=ENDPOINT)
THROTTLED = one(6, "198.51.100.77", effect=Effect.THROTTLE, calls=3, per_s=60)
IMPOSSIBLE = one(9, "session:00ff00ff", kind=ScopeKind.ACTOR)

EXAMPLES = {
    ScopeKind.ADDRESS: "203.0.113.50",
    ScopeKind.RANGE: "198.18.0.0/15",
    ScopeKind.CONSUMER: "partner",
    ScopeKind.ENDPOINT: "POST shop.example /api/orders/{uuid}/items",
    ScopeKind.COLLECTION: "shop.example/internal",
}


def eventually(what: Callable[[], object], wanted: object, *, times: int = 2400) -> None:
    """Ask until it answers so; at most about two minutes."""
    waiting, got = threading.Event(), None
    for _ in range(times):
        if (got := what()) == wanted:
            return
        waiting.wait(0.05)
    assert got == wanted


def program(name: str, package: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not found:
        pytest.skip(f"{name} is missing; install the Debian package {package} (`.ci/run` does) and run again")
    return found


class Rig(ABC):
    """A gateway under test; a context manager."""

    samples: ClassVar[tuple[Enforcement, ...]] = ADDRESSES
    impossible: ClassVar[Enforcement] = IMPOSSIBLE
    real = True
    """Calls go through it: what it answers can be asked."""
    survives = False
    """A restart leaves entries in force."""
    tampers = True
    blocked = 403
    other = "203.0.113.8"
    """Another value for the scope of the first sample."""
    races = False
    """Somebody can change things between our read and our write."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock, self.stack = directory, SetClock(NOW), ExitStack()
        self._opened: list[Gateway] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for gateway in self._opened:
            gateway.close()
        self.stack.close()

    def gateway(self) -> Gateway:
        site = self.directory / "site"
        site.mkdir(exist_ok=True)
        made = self.make(Site(name="edge", directory=site, clock=self.clock))
        self._opened.append(made)
        return made

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def make(self, site: Site) -> Gateway: ...

    @abstractmethod
    def plant(self) -> None:
        """Entries of somebody else."""

    @abstractmethod
    def planted(self) -> bool:
        """They are as they were."""

    @abstractmethod
    def restart(self) -> None: ...

    @abstractmethod
    def cut(self) -> None:
        """Nothing answers from now on."""

    @abstractmethod
    def mend(self) -> None: ...

    @abstractmethod
    def tamper(self) -> None:
        """Somebody spoils one of our entries; after `apply(samples)`."""

    @abstractmethod
    def state(self) -> object:
        """All of the gateway's configuration, to see whether something changed."""

    def race(self) -> None:
        """Before our next write, somebody else writes."""
        raise AssertionError("nobody does")

    def raced(self) -> bool:
        """What they wrote is there."""
        return True

    url = ""

    def status(self, address: str, method: str = "GET", path: str = "/", **headers: str) -> int:
        given = {"x-forwarded-for": address, "host": "shop.example", **headers}
        return httpx.request(method, self.url + path, headers=given, timeout=60).status_code

    def examples(self, ability: Ability, number: Iterator[int]) -> Iterator[Enforcement]:
        """What an ability says that it can, one of each."""
        calls = 5 if ability.effect is Effect.THROTTLE else None
        for scope in ability.scopes:
            for value in self.values(scope, ability):
                for endpoint in ("", ENDPOINT) if scope in ability.narrowed else ("",):
                    yield one(next(number), value, kind=scope, effect=ability.effect, endpoint=endpoint, calls=calls)

    def values(self, scope: ScopeKind, ability: Ability) -> tuple[str, ...]:
        """Of a scope kind."""
        if scope is ScopeKind.ACTOR:
            return tuple(f"{kind}:ann" for kind in ability.actors)
        return (EXAMPLES[scope],)


def before_next_write(http: Any) -> Callable[[Callable[[], None]], None]:
    """A function that lets something happen between an adapter's read and its next write."""
    call, waiting = http.call, list[Callable[[], None]]()

    def calling(method: str, path: str, **more: Any) -> Any:
        if method != "GET" and waiting:
            waiting.pop()()
        return call(method, path, **more)

    http.call = calling
    return waiting.append
