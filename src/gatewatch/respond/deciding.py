"""Which enforcements a call falls under. Flat in their number for addresses, ranges and actors; linear for places."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv6Address, ip_address

from gatewatch.model.containment import Effect
from gatewatch.model.decision import AskedCall
from gatewatch.model.enforcement import Enforcement, Place, actor_of, network_of, place_of

__all__ = ["DecisionTable"]

_HARSHEST = (
    Effect.BLOCK,
    Effect.SUSPEND_KEY,
    Effect.CHALLENGE,
    Effect.DISABLE_ENDPOINT,
    Effect.THROTTLE,
    Effect.MIRROR,
)
_RANK = {effect: rank for rank, effect in enumerate(_HARSHEST)}


class DecisionTable:
    """Made once for a set of enforcements, asked for every call."""

    def __init__(self, enforcements: Iterable[Enforcement]) -> None:
        """What can't be read is left out: nobody is blocked by a mistake."""
        self._networks: dict[tuple[int, int], dict[int, list[Enforcement]]] = defaultdict(lambda: defaultdict(list))
        self._actors: dict[tuple[str, str], list[Enforcement]] = defaultdict(list)
        self._places: list[Enforcement] = []
        self._where: dict[str, tuple[Place, re.Pattern[str]]] = {}
        for one in enforcements:
            try:
                self._keep(one)
            except ValueError:
                continue

    def matching(self, call: AskedCall, now: float) -> list[Enforcement]:
        """Those in force that the call falls under, harshest first."""
        host = call.host.lower().rpartition("]")
        name = host[0] + host[1] if host[1] else host[2].partition(":")[0]
        found = [
            one
            for one in (*self._by_address(call.address), *self._by_actor(call.actors), *self._places)
            if one.expires_at > now and self._there(one, call, name)
        ]
        return sorted(found, key=lambda one: (_RANK[one.effect], one.id))

    def _keep(self, one: Enforcement) -> None:
        network, place, actor = network_of(one.scope), place_of(one.scope), actor_of(one.scope)
        if place is not None:
            self._where[one.id] = place, re.compile(place.pattern(raw=True), re.DOTALL)
        if network is not None:
            bits = int(network.network_address) >> (network.max_prefixlen - network.prefixlen)
            self._networks[network.version, network.prefixlen][bits].append(one)
        elif actor[0]:
            self._actors[actor].append(one)
        elif place is not None:
            self._places.append(one)

    def _by_address(self, text: str) -> Iterator[Enforcement]:
        try:
            address = ip_address(text)
        except ValueError:
            return
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        for (version, length), networks in self._networks.items():
            if version == address.version:
                yield from networks.get(int(address) >> (address.max_prefixlen - length), ())

    def _by_actor(self, actors: Sequence[tuple[str, str]]) -> Iterator[Enforcement]:
        for actor in actors:
            yield from self._actors.get(actor, ())

    def _there(self, one: Enforcement, call: AskedCall, host: str) -> bool:
        if (where := self._where.get(one.id)) is None:
            return True
        place, pattern = where
        return (
            (not place.method or place.method == call.method)
            and (not place.name or place.name == host)
            and pattern.search(call.path) is not None
        )
