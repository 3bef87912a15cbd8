"""What an alert names, as correlation looks it up."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from gatewatch.model.alert import Alert
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.observation import ActorKind

__all__ = ["NETWORK", "PRACTICE", "RULE", "entities_of", "keys_of", "network_of"]

NETWORK, RULE, PRACTICE = "network", "rule", "practice"
"""Keys that only correlation uses: /24 or /48 of an address; detector and identity of an alert; type and endpoint."""
_PREFIX = {4: 24, 6: 48}


def entities_of(alert: Alert) -> list[Entity]:
    """Actors, addresses and endpoints, each once. An actor that is only an address counts as address."""
    named = [Entity(EntityKind.ADDRESS, address) for address in alert.client_ips]
    for actor in alert.actors:
        if actor.kind is ActorKind.ADDRESS:
            named.append(Entity(EntityKind.ADDRESS, actor.id))
        else:
            named.append(Entity(EntityKind.ACTOR, f"{actor.kind.value}:{actor.id}"))
    named += [Entity(EntityKind.ENDPOINT, endpoint) for endpoint in alert.endpoints]
    return list(dict.fromkeys(named))


def keys_of(alert: Alert) -> list[tuple[str, str]]:
    """(kind, value) of everything that correlation looks up or leaves behind."""
    entities = entities_of(alert)
    keys = [(entity.kind.value, entity.value) for entity in entities]
    addresses = [entity.value for entity in entities if entity.kind is EntityKind.ADDRESS]
    keys += [(NETWORK, network) for network in dict.fromkeys(map(network_of, addresses)) if network]
    keys += [
        (PRACTICE, f"{alert.alert_type} {entity.value}") for entity in entities if entity.kind is EntityKind.ENDPOINT
    ]
    keys.append((RULE, f"{alert.detector}:{alert.key}"))
    return keys


def network_of(address: str) -> str:
    """/24 of an IPv4, /48 of an IPv6 address; '' for what is none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((parsed, _PREFIX[parsed.version]), strict=False))
