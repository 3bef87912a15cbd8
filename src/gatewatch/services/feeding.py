"""What is in force, for those that pull it: bouncers of CrowdSec, our own middleware."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from ipaddress import ip_network

import msgspec

from gatewatch.errors import InputError
from gatewatch.model.containment import Effect
from gatewatch.model.enforcement import Enforcement, Network, network_of
from gatewatch.ports.clock import Clock
from gatewatch.ports.gateways import Decisions

__all__ = ["DecisionFeed", "PulledDecision"]

_TYPES = {Effect.BLOCK: "ban", Effect.CHALLENGE: "captcha"}
_OVERLAP_S = 5.0
"""Told again, against what changed while the last answer was made."""
_MEMORY_S = 31 * 86_400.0
_MOST_KEYS = 10_000


class PulledDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision in CrowdSec's own members (LAPI `Decision`)."""

    id: int
    origin: str = "gatewatch"
    type: str
    scope: str
    value: str
    duration: str
    """Go duration until the end; negative when it is over."""
    scenario: str


class DecisionFeed:
    """Thread-safe. Remembers in memory when each key pulled last; a key it does not know is told everything."""

    def __init__(self, bouncers: Decisions, middleware: Decisions, clock: Clock) -> None:
        """Each may be empty."""
        self._bouncers, self._middleware, self._clock = bouncers, middleware, clock
        self._lock = threading.Lock()
        self._pulled: dict[str, float] = {}
        self._told: dict[str, dict[tuple[str, str], PulledDecision]] = {}

    def stream(
        self, key: str, *, startup: bool, scopes: Collection[str] = ()
    ) -> tuple[list[PulledDecision], list[PulledDecision]]:
        """(new, deleted) since this key pulled last; with `startup` everything there is.

        Bouncers forget a value, not an id, when it is deleted: nothing that another enforcement still covers is said to
        be deleted, and of several that cover it the one that ends last is told.
        """
        now = self._clock.now()
        with self._lock:
            since = None if startup else self._pulled.get(key)
            current = self._merged(self._bouncers.current(), now)
            ended = self._bouncers.ended_since(now - _MEMORY_S if since is None else since - _OVERLAP_S)
            gone = {name: one for name, one in self._merged(ended, now).items() if name not in current}
            told = self._told.get(key, {}) if since is not None else {}
            new = [one for name, one in current.items() if name not in told or told[name].id != one.id]
            # Whatever the clock did meanwhile: what this key was told and is no more is gone.
            gone = {name: _over(one) for name, one in told.items() if name not in current} | gone
            if len(self._pulled) >= _MOST_KEYS and key not in self._pulled:
                self._pulled.clear()
                self._told.clear()
            self._pulled[key] = now
            self._told[key] = current
        return _within(new, scopes), _within(gone.values(), scopes)

    def decisions(self, *, ip: str = "", network: str = "", scopes: Collection[str] = ()) -> list[PulledDecision]:
        """Those in force, or only those that cover an address or a range. Raises InputError."""
        wanted = _network(ip or network) if ip or network else None
        found = self._merged(self._bouncers.current(), self._clock.now()).values()
        return _within((one for one in found if wanted is None or _covers(one, wanted)), scopes)

    def enforcements(self) -> Sequence[Enforcement]:
        """For our own middleware."""
        return self._middleware.current()

    def _merged(self, enforcements: Iterable[Enforcement], now: float) -> dict[tuple[str, str], PulledDecision]:
        """(type, value) -> the decision that ends last."""
        latest: dict[tuple[str, str], tuple[Enforcement, Network]] = {}
        for one in enforcements:
            network = network_of(one.scope)
            if network is None or one.effect not in _TYPES:
                continue
            name = (_TYPES[one.effect], str(network))
            if name not in latest or latest[name][0].expires_at < one.expires_at:
                latest[name] = one, network
        return {name: _decision(one, network, name[0], now) for name, (one, network) in latest.items()}


def _decision(one: Enforcement, network: Network, kind: str, now: float) -> PulledDecision:
    single = network.num_addresses == 1
    digest = blake2b(f"{one.id} {one.expires_at}".encode(), digest_size=6).digest()
    return PulledDecision(
        id=int.from_bytes(digest, "big"),
        type=kind,
        scope="Ip" if single else "Range",
        value=str(network.network_address if single else network),
        duration=f"{one.expires_at - now:.0f}s",
        scenario=f"gatewatch/{one.id}",
    )


def _over(one: PulledDecision) -> PulledDecision:
    return msgspec.structs.replace(one, duration="-1s")


def _within(decisions: Iterable[PulledDecision], scopes: Collection[str]) -> list[PulledDecision]:
    wanted = {scope.lower() for scope in scopes}
    return [one for one in decisions if not wanted or one.scope.lower() in wanted]


def _network(text: str) -> Network:
    try:
        return ip_network(text, strict=False)
    except ValueError as error:
        raise InputError(f"`{text[:64]}` is no address or range") from error


def _covers(one: PulledDecision, wanted: Network) -> bool:
    have = ip_network(one.value)
    return have.version == wanted.version and wanted.supernet(new_prefix=min(have.prefixlen, wanted.prefixlen)) == have
