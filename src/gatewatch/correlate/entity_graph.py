"""Entities of an incident and what connects them, as data for a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gatewatch.correlate.entities import entities_of
from gatewatch.correlate.verdicts import verdict_of
from gatewatch.model.alert import Alert
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.dossier import Edge, EntityGraph, Node
from gatewatch.model.incident import Incident
from gatewatch.model.inventory import Endpoint

__all__ = ["draw"]

_MOST_NODES = 300


def draw(incident: Incident, alerts: Sequence[Alert], endpoints: Mapping[str, Endpoint]) -> EntityGraph:
    """`endpoints` by label `METHOD host template`."""
    nodes: dict[str, Node] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    left_out: set[str] = set()
    for alert in sorted(alerts, key=lambda one: (one.first_seen, one.id)):
        named = entities_of(alert)
        new = [_entity_node(entity, incident, alerts, endpoints) for entity in named]
        new.append(Node(id=f"alert {alert.id}", kind="alert", label=alert.title, severity=alert.severity.value))
        for node in new:
            if len(nodes) < _MOST_NODES:
                nodes.setdefault(node.id, node)
            elif node.id not in nodes:
                left_out.add(node.id)
        for edge in _edges(alert, named):
            if edge.source in nodes and edge.target in nodes:
                edges.setdefault((edge.source, edge.target, edge.kind), edge)
    return EntityGraph(nodes=tuple(nodes.values()), edges=tuple(edges.values()), left_out=len(left_out))


def _entity_node(
    entity: Entity, incident: Incident, alerts: Sequence[Alert], endpoints: Mapping[str, Endpoint]
) -> Node:
    known = endpoints.get(entity.value) if entity.kind is EntityKind.ENDPOINT else None
    types = sorted({fact.type for fact in known.information_types}) if known else []
    verdict = None if entity.kind is EntityKind.ENDPOINT else verdict_of(entity, incident, alerts)
    return Node(
        id=_id(entity), kind=entity.kind.value, label=entity.value, verdict=verdict, information_types=tuple(types)
    )


def _edges(alert: Alert, named: Sequence[Entity]) -> list[Edge]:
    proof = tuple(item.observation_id for item in alert.evidence)
    here = f"alert {alert.id}"
    actors = [entity for entity in named if entity.kind is EntityKind.ACTOR]
    addresses = [entity for entity in named if entity.kind is EntityKind.ADDRESS]
    edges = []
    if len(actors) == 1 or len(addresses) == 1:  # otherwise who used which address is not known
        edges += [
            Edge(source=_id(actor), target=_id(address), kind="uses", alert=alert.id, observations=proof)
            for actor in actors
            for address in addresses
        ]
    for who in actors or addresses:
        edges.append(Edge(source=_id(who), target=here, kind="raised", alert=alert.id, observations=proof))
    for address in addresses if actors and not edges else []:
        edges.append(Edge(source=_id(address), target=here, kind="raised", alert=alert.id, observations=proof))
    for entity in named:
        if entity.kind is EntityKind.ENDPOINT:
            edges.append(Edge(source=here, target=_id(entity), kind="against", alert=alert.id, observations=proof))
    return edges


def _id(entity: Entity) -> str:
    return f"{entity.kind.value} {entity.value}"
