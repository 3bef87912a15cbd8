"""Learns templates from sightings. Central, bounded, versioned; its state is origins and decisions, nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gatewatch.config.settings import TemplateSettings
from gatewatch.model.path import PathRecord, PathSighting, PathState, TemplateReason
from gatewatch.observe.templates.decisions import Decision, decide
from gatewatch.observe.templates.openapi import read_openapi
from gatewatch.observe.templates.segments import is_placeholder, is_static_file
from gatewatch.observe.templates.template_set import LearntNode, Route, TemplateSet, path_identity
from gatewatch.observe.templates.tree import Position, candidate_groups

__all__ = ["TemplateLearner"]

_CONFIRMING_CALLS = 3
_MAX_SHAPES = 4
_SUCCESS = range(200, 400)
_MISSING = frozenset({0, 400, 404, 405, 410, 414, 501})
_RANKS = (TemplateReason.PINNED, TemplateReason.SPEC, TemplateReason.HINT)


class Origin(msgspec.Struct):
    """A path as some worker wrote it, with its counts."""

    method: str
    host: str
    segments: tuple[str, ...]
    operation: str
    reason: TemplateReason
    calls: int = 0
    succeeded: int = 0
    answered: int = 0
    """Calls answered neither with success nor as missing: 401, 403, 422, 429, 5xx …"""
    shapes: tuple[int, ...] = ()
    endpoint_id: int = 0
    """As last published."""


class _State(msgspec.Struct):
    version: int
    origins: dict[int, Origin]
    decisions: dict[str, list[tuple[tuple[str, ...], Decision]]]
    """Host -> (prefix of the position, decision), in the order they were made."""
    routes: tuple[Route, ...]
    overflow: int


class TemplateLearner:
    """Turns sightings into records of table `paths` and into the next template set."""

    def __init__(self, settings: TemplateSettings) -> None:
        """Start with nothing learnt."""
        self._limit = settings.max_paths
        self._state = _State(0, {}, {}, (), 0)
        self._trees: dict[str, Position] = {}
        self._confirmed: dict[int, tuple[int, int]] = {}
        self._templates: TemplateSet | None = None

    @property
    def overflow(self) -> int:
        """Sightings of new paths that were not remembered because the limit is reached."""
        return self._state.overflow

    @property
    def version(self) -> int:
        """Version of the current template set."""
        return self._state.version

    def learn(self, sightings: Sequence[PathSighting]) -> list[PathRecord]:
        """Take in one block; the records that are new or changed."""
        touched: set[int] = set()
        hosts: set[str] = set()
        for sighting in sightings:
            if self._take(sighting):
                touched.add(sighting.path_id)
                hosts.add(sighting.host)
        decided = {host for host in hosts if self._decide(host)}
        moved = set(touched)
        for path_id, origin in self._state.origins.items():
            if origin.host in decided:
                moved.add(path_id)
        return self._publish(moved, new_version=bool(decided))

    def _take(self, sighting: PathSighting) -> bool:
        """Count a sighting; whether its path deserves another look."""
        origin = self._state.origins.get(sighting.path_id)
        if origin is None:
            if len(self._state.origins) >= self._limit:
                self._state.overflow += 1
                return False
            segments = tuple(part for part in sighting.template.split("/") if part)
            origin = Origin(sighting.method, sighting.host, segments, sighting.operation, sighting.reason)
            self._state.origins[sighting.path_id] = origin
        by_status = sighting.calls_by_status
        succeeded = sum(n for status, n in by_status.items() if status in _SUCCESS)
        missing = sum(n for status, n in by_status.items() if status in _MISSING)
        origin.calls += sighting.calls
        origin.succeeded += succeeded
        origin.answered += sighting.calls - succeeded - missing
        origin.shapes = tuple(sorted({*origin.shapes, *sighting.response_shapes})[:_MAX_SHAPES])
        if origin.reason not in _RANKS:
            self._grow(origin, sighting.calls, succeeded)
        return origin.endpoint_id == 0 or self._state.version == 0

    def _grow(self, origin: Origin, calls: int, succeeded: int) -> None:
        root = self._trees.setdefault(origin.host, Position())
        node = root
        for segment in self._resolved(origin):
            node.calls += calls
            node = node.children.setdefault(segment, Position())
        node.calls += calls
        node.accepted += succeeded
        node.methods.add(origin.method + origin.operation)
        node.shapes.update(origin.shapes)

    def _decide(self, host: str) -> bool:
        """Make every decision that the host's evidence now allows; whether there was one."""
        root = self._trees.get(host)
        found = False
        again = root is not None
        while again and root is not None:
            again = False
            for prefix, node in list(root.walk()):
                if len(node.children) < 2:
                    continue
                made = [d for group in candidate_groups(node) if (d := decide(node, group))]
                for decision in made:
                    self._merge(host, prefix, node, decision)
                if made:
                    found = again = True
                    break
        return found

    def _merge(self, host: str, prefix: tuple[str, ...], node: Position, decision: Decision) -> None:
        target = node.children.setdefault(decision.placeholder, Position())
        for name in decision.names:
            target.absorb(node.children.pop(name))
        self._state.decisions.setdefault(host, []).append((prefix, decision))
        self._templates = None

    def _resolved(self, origin: Origin) -> list[str]:
        if origin.reason in _RANKS:
            return list(origin.segments)
        return self.templates().learnt(origin.host, list(origin.segments))

    def _publish(self, path_ids: Iterable[int], *, new_version: bool) -> list[PathRecord]:
        endpoints = {path_id: self._endpoint(path_id) for path_id in path_ids}
        if not endpoints:
            return []
        totals: dict[int, tuple[int, int]] = {}
        wanted = {endpoint_id for endpoint_id, _ in endpoints.values()}
        for path_id, origin in self._state.origins.items():
            endpoint_id = endpoints[path_id][0] if path_id in endpoints else origin.endpoint_id
            if endpoint_id in wanted:
                succeeded, answered = totals.get(endpoint_id, (0, 0))
                totals[endpoint_id] = (succeeded + origin.succeeded, answered + origin.answered)
        records = []
        for path_id, (endpoint_id, template) in endpoints.items():
            succeeded, answered = totals[endpoint_id]
            exists = succeeded > 0 or answered >= _CONFIRMING_CALLS
            origin = self._state.origins[path_id]
            if (endpoint_id if exists else 0) != origin.endpoint_id:
                new_version = True
                origin.endpoint_id = endpoint_id if exists else 0
                records.append((path_id, template, exists))
        if new_version:
            self._state.version += 1
            self._templates = None
        return [self._record(path_id, template, exists=exists) for path_id, template, exists in records]

    def _endpoint(self, path_id: int) -> tuple[int, str]:
        origin = self._state.origins[path_id]
        template = "/" + "/".join(self._resolved(origin))
        return path_identity(origin.method, origin.host, template, origin.operation), template

    def _record(self, path_id: int, template: str, *, exists: bool) -> PathRecord:
        origin = self._state.origins[path_id]
        state = (
            PathState.CANDIDATE
            if not exists
            else PathState.CONFIRMED
            if origin.endpoint_id == path_id
            else PathState.MERGED
        )
        reason, confidence, why = self._explain(origin, template)
        return PathRecord(
            path_id=path_id,
            endpoint_id=origin.endpoint_id,
            method=origin.method,
            host=origin.host,
            template=template,
            operation=origin.operation,
            state=state,
            reason=reason,
            confidence=confidence,
            why=why,
            version=self._state.version,
        )

    def _explain(self, origin: Origin, template: str) -> tuple[TemplateReason, float, str]:
        segments = [part for part in template.split("/") if part]
        if origin.reason in _RANKS:
            return (
                origin.reason,
                1.0,
                "the gateway's route" if origin.reason is TemplateReason.HINT else "from a document",
            )
        for prefix, decision in reversed(self._state.decisions.get(origin.host, [])):
            if segments[: len(prefix)] == list(prefix) and segments[len(prefix) : len(prefix) + 1] == [
                decision.placeholder
            ]:
                return TemplateReason.STATISTICS, decision.confidence, decision.why
        if any(map(is_placeholder, segments)):
            return TemplateReason.TYPED, 0.95, "each placeholder is an identifier of a known kind"
        return TemplateReason.LITERAL, 0.8, "no position shows signs of being a parameter"

    def templates(self) -> TemplateSet:
        """The current template set."""
        if self._templates is None:
            hosts: dict[str, LearntNode] = {}
            for host, decisions in self._state.decisions.items():
                root = hosts.setdefault(host, LearntNode())
                tree = self._trees.get(host, Position())
                for prefix, decision in decisions:
                    _add_decision(root, tree, prefix, decision)
            known = frozenset(i for i, origin in self._state.origins.items() if origin.endpoint_id)
            published = frozenset(origin.endpoint_id for origin in self._state.origins.values() if origin.endpoint_id)
            self._templates = TemplateSet(
                version=self._state.version, hosts=hosts, routes=self._state.routes, known=known | published
            )
        return self._templates

    def records(self) -> list[PathRecord]:
        """Every path as it stands."""
        return [
            self._record(path_id, self._endpoint(path_id)[1], exists=bool(origin.endpoint_id))
            for path_id, origin in self._state.origins.items()
        ]

    def import_openapi(self, document: bytes, name: str) -> list[PathRecord]:
        """Take the paths of an OpenAPI document as templates. Raises DefinitionError."""
        known = set(self._state.routes)
        added = tuple(route for route in read_openapi(document, name) if route not in known)
        self._state.routes = (*self._state.routes, *added)
        return self._publish([], new_version=bool(added)) if not added else self._bump()

    def pin(self, host: str, template: str) -> list[PathRecord]:
        """Fix a template by hand; it wins over what is learnt from the next block on."""
        segments = tuple(part for part in template.split("/") if part)
        self._state.routes = (*self._state.routes, Route(host, segments, TemplateReason.PINNED))
        return self._bump()

    def split(self, host: str, template: str) -> list[PathRecord]:
        """Undo the statistical decision that made the last placeholder of `template`; its paths stand alone again."""
        segments = [part for part in template.split("/") if part]
        kept = []
        for prefix, decision in self._state.decisions.get(host, []):
            depth = len(prefix)
            undone = segments[:depth] == list(prefix) and segments[depth : depth + 1] == [decision.placeholder]
            if undone:
                self._state.routes += tuple(
                    Route(host, (*prefix, name, *segments[depth + 1 :]), TemplateReason.PINNED)
                    for name in decision.names
                )
            else:
                kept.append((prefix, decision))
        self._state.decisions[host] = kept
        return self._bump()

    def _bump(self) -> list[PathRecord]:
        self._templates = None
        return self._publish(list(self._state.origins), new_version=True)

    def dump(self) -> bytes:
        """The whole state, for `load`."""
        return msgspec.msgpack.encode(self._state)

    @classmethod
    def load(cls, data: bytes, settings: TemplateSettings) -> TemplateLearner:
        """A learner as it was when dumped."""
        learner = cls(settings)
        learner._state = msgspec.msgpack.decode(data, type=_State)
        for origin in learner._state.origins.values():
            if origin.reason not in _RANKS:
                learner._grow(origin, origin.calls, origin.succeeded)
        learner._templates = None
        return learner


def _add_decision(root: LearntNode, tree: Position, prefix: tuple[str, ...], decision: Decision) -> None:
    node = root
    position: Position | None = tree
    for segment in prefix:
        node = node.children.setdefault(segment, LearntNode())
        position = position.children.get(segment) if position else None
    if is_static_file(decision.names[0]):
        node.endings[decision.names[0].rpartition(".")[2].lower()] = decision.placeholder
    else:
        node.wildcard = decision.placeholder
    node.children.setdefault(decision.placeholder, LearntNode())
    for name in position.children if position else ():
        # What stayed literal beside the parameter is known, so that it does not fall into the wildcard.
        if not is_placeholder(name):
            node.children.setdefault(name, LearntNode())
