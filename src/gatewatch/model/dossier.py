"""What is shown of an incident: its story, its graph, its times, who took part."""

from __future__ import annotations

import msgspec

from gatewatch.model.alert import Alert, EvidenceItem, Severity, Tactic
from gatewatch.model.correlation import Entity, Link
from gatewatch.model.incident import EntityVerdict, Incident
from gatewatch.model.inventory import Endpoint
from gatewatch.model.rule import Rule

__all__ = ["AttackStory", "Chapter", "Dossier", "Edge", "EntityGraph", "KnownEntity", "Node", "Step", "Timing"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One alert as part of the story."""

    alert: str
    at: float
    until: float
    tactic: Tactic
    severity: Severity
    title: str
    sentence: str
    actors: tuple[str, ...]
    addresses: tuple[str, ...]
    endpoints: tuple[str, ...]
    calls: int
    evidence: tuple[EvidenceItem, ...]
    links: tuple[Link, ...]
    """Why it belongs here."""
    dismissed: bool


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """Steps of one stage of the kill chain that follow each other."""

    tactic: Tactic
    title: str
    first_seen: float
    last_seen: float
    steps: tuple[Step, ...]


class AttackStory(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    headline: str
    summary: str
    chapters: tuple[Chapter, ...]
    left_out: int
    """Alerts beyond the bound; the list of alerts has them."""


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """One entity or alert."""

    id: str
    kind: str
    """`actor`, `address`, `endpoint` or `alert`."""
    label: str
    verdict: EntityVerdict | None = None
    information_types: tuple[str, ...] = ()
    severity: str = ""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """From who to what; through an alert, whose evidence proves it."""

    source: str
    target: str
    kind: str
    """`uses` (actor, address), `raised` (actor or address, alert), `against` (alert, endpoint)."""
    alert: str
    observations: tuple[str, ...] = ()
    """Ids of stored observations."""


class EntityGraph(msgspec.Struct, frozen=True, kw_only=True):
    """Bounded; `left_out` says how many nodes are missing."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    left_out: int = 0


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds; None while it has not happened."""

    to_detect_s: float
    """From the first call of it to the condition of its first alert, in event time."""
    to_acknowledge_s: float | None
    """From opening to the first person."""
    to_contain_s: float | None
    """From opening to the first containment in force."""
    to_resolve_s: float | None
    """From opening to the resolution."""
    lasted_s: float
    """From its first to its last call, in event time."""


class KnownEntity(msgspec.Struct, frozen=True, kw_only=True):
    """One actor, address or endpoint of an incident."""

    entity: Entity
    verdict: EntityVerdict | None
    """None for endpoints: they are what was attacked."""
    first_seen: float
    last_seen: float
    endpoint: Endpoint | None = None
    """What the inventory knows of it."""


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """One incident."""

    incident: Incident
    story: AttackStory
    graph: EntityGraph
    entities: list[KnownEntity]
    alerts: list[Alert]
    """In event order, at most 500."""
    rules: list[Rule]
    """Of the detectors that raised them, with recommended steps."""
    similar: list[tuple[Incident, list[Entity]]]
    timing: Timing
