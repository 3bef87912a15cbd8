"""Learns templates from sightings. Central, bounded, versioned; its state is origins and decisions, nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from gatewatch.model.observe_settings import TemplateSettings
from gatewatch.model.path import PathRecord, PathSighting, PathState, TemplateReason
from gatewatch.observe.templates.forest import Decided, Forest, Placed
from gatewatch.observe.templates.identity import path_identity
from gatewatch.observe.templates.openapi import read_openapi
from gatewatch.observe.templates.origins import Limits, Origin
from gatewatch.observe.templates.routes import Route
from gatewatch.observe.templates.segments import is_placeholder
from gatewatch.observe.templates.template_set import TemplateSet
from gatewatch.observe.templates.tree import Ending

__all__ = ["PathExplanation", "TemplateLearner"]

_CONFIRMING_CALLS, _CONFIRMING_CLIENTS = 3, 2
_WALL_PATHS, _WALL_PER_SEEN = 20, 3
_WALL_CALLS, _WALL_CLIENTS = 20, 5
_REFUSED_ALLOWANCE, _REFUSED_PER_SEEN = 50, 2


class PathExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """One path id: what it is now and what decided each position."""

    record: PathRecord
    calls: int
    succeeded: int
    positions: tuple[tuple[str, str], ...]
    """(segment of the template, sentence)."""


class _State(msgspec.Struct):
    version: int
    origins: dict[int, Origin]
    decided: dict[str, Decided]
    routes: tuple[Route, ...]
    overflow: int
    forgotten: int


class TemplateLearner:
    """Turns sightings into records of table `paths` and into the next template set."""

    def __init__(self, settings: TemplateSettings) -> None:
        """Start with nothing learnt."""
        self._limits = Limits(settings.max_paths)
        self._state = _State(0, {}, {}, (), 0, 0)
        self._restart()

    def _restart(self) -> None:
        self._forest = Forest(self._state.routes)
        self._hosts = Counter(origin.host for origin in self._state.origins.values())
        self._candidates = Counter(o.host for o in self._state.origins.values() if not o.endpoint_id)
        self._refused: Counter[str] = Counter()
        self._seen: Counter[str] = Counter()
        self._templates: TemplateSet | None = None

    @property
    def version(self) -> int:
        """Version of the current template set."""
        return self._state.version

    @property
    def overflow(self) -> int:
        """Sightings of new paths that were not remembered because a limit is reached."""
        return self._state.overflow

    @property
    def forgotten(self) -> int:
        """Candidates and merged paths that made room for others."""
        return self._state.forgotten

    def counts(self) -> dict[str, int]:
        """For metrics: remembered paths, candidates among them, hosts, overflow, forgotten."""
        return {
            "paths": len(self._state.origins),
            "candidates": self._candidates.total(),
            "hosts": len(self._hosts),
            "overflow": self.overflow,
            "forgotten": self.forgotten,
        }

    # -- learning ------------------------------------------------------------------------------------------------

    def learn(self, sightings: Sequence[PathSighting]) -> list[PathRecord]:
        """Take in one block; the records that are new or changed."""
        grown: dict[int, Placed] = {}
        before = self._state.forgotten, len(self._state.origins)
        for sighting in sightings:
            origin = self._state.origins.get(sighting.path_id) or self._admit(sighting)
            if origin is not None:
                counted = origin.add(sighting)
                placed = self._forest.add(origin, sighting.path_id, sighting.calls, *counted)
                grown[id(placed[2])] = placed
        if self._forest.superseded:
            return self._again()
        moved = self._forest.judge()
        grown.update((id(placed[2]), placed) for placed in moved)
        fresh = before != (self._state.forgotten, len(self._state.origins))
        return self._publish(grown.values(), changed=fresh or bool(moved))

    def _admit(self, sighting: PathSighting) -> Origin | None:
        """Remember a new path id, forgetting others if need be; None when there is no room."""
        origins = self._state.origins
        is_candidate = not any(status in range(200, 400) for status in sighting.calls_by_status)
        too_many = is_candidate and self._candidates.total() >= self._limits.candidates
        full = len(origins) >= self._limits.in_all or self._hosts[sighting.host] >= self._limits.per_host
        if too_many or full:
            goers = self._limits.to_forget(origins, self._hosts, sighting.host, candidate=too_many)
            if not goers:
                self._state.overflow += 1
                return None
            self._forget(goers)
        origin = origins[sighting.path_id] = Origin.of(sighting)
        self._hosts[sighting.host] += 1
        self._candidates[sighting.host] += 1
        return origin

    def _forget(self, path_ids: list[int]) -> None:
        gone = {path_id: self._state.origins.pop(path_id) for path_id in path_ids}
        for origin in gone.values():
            if survivor := self._state.origins.get(origin.endpoint_id):
                survivor.take_over(origin)
            self._hosts[origin.host] -= 1
            self._candidates[origin.host] -= not origin.endpoint_id
        self._state.forgotten += len(gone)
        self._forest.remove(gone)

    def _rebuild(self) -> None:
        """Grow everything anew from origins under the decisions as they are."""
        self._state.decided = self._forest.decided()
        self._grow_anew()

    def _grow_anew(self) -> None:
        self._restart()
        self._forest.restore(self._state.decided)
        self._forest.add_hinted(self._state.origins.values())
        self._forest.superseded = False
        for path_id, origin in self._state.origins.items():
            self._forest.add(origin, path_id, origin.calls, origin.succeeded, origin.answered)
        for host, _, ending in self._forest.everything():
            ending.confirmed = bool(ending.succeeded or ending.answered) and any(
                self._state.origins[path_id].endpoint_id for path_id in ending.paths
            )
            if ending.confirmed:
                (self._seen if ending.succeeded else self._refused)[host] += 1
            ending.take_unpublished(anew=False)

    # -- publishing ----------------------------------------------------------------------------------------------

    def _exists(self, host: str, ending: Ending) -> bool:
        """Success confirms; refusals alone need calls by several clients, and stay a bounded share of a host."""
        if ending.confirmed:
            return True
        if ending.succeeded:
            self._seen[host] += 1
        else:
            if not self._refusals_count(host, ending):
                return False
            self._refused[host] += 1
        ending.confirmed = True
        return True

    def _refusals_count(self, host: str, ending: Ending) -> bool:
        """Whether an ending that only ever refused is an endpoint: something must have asked for it more than once.

        A host that refuses everything to a scanner has far more refused paths than endpoints; there only heavy use by
        many clients counts.
        """
        behind_wall = self._candidates[host] > _WALL_PATHS + _WALL_PER_SEEN * self._seen[host]
        calls, times = (_WALL_CALLS, _WALL_CLIENTS) if behind_wall else (_CONFIRMING_CALLS, _CONFIRMING_CLIENTS)
        wide = ending.clients >= times or (ending.blocks > times and not behind_wall)
        room = self._refused[host] < _REFUSED_ALLOWANCE + _REFUSED_PER_SEEN * self._seen[host]
        return ending.answered >= calls and wide and room

    def _publish(self, grown: Iterable[Placed], *, changed: bool) -> list[PathRecord]:
        news: list[tuple[int, tuple[str, ...]]] = []
        for host, place, ending in list(grown):
            if not ending.paths:
                continue
            known = ending.confirmed
            exists = self._exists(host, ending)
            template = "/" + "/".join(place)
            endpoint_id = path_identity(ending.method, host, template, ending.operation) if exists else 0
            if exists and len(ending.paths) > 1 and endpoint_id not in self._state.origins:
                self._found(endpoint_id, host, place, ending)
            paths = ending.take_unpublished(anew=exists != known)
            news += [(path_id, place) for path_id in paths if self._assign(path_id, endpoint_id)]
        if changed or news:
            self._state.version += 1
            self._templates = None
        return [self._record(path_id, place) for path_id, place in news]

    def _assign(self, path_id: int, endpoint_id: int) -> bool:
        """Note where a path belongs; whether that is news."""
        origin = self._state.origins[path_id]
        if origin.endpoint_id == endpoint_id:
            return False
        self._candidates[origin.host] += (not endpoint_id) - (not origin.endpoint_id)
        origin.endpoint_id = endpoint_id
        return True

    def _found(self, endpoint_id: int, host: str, place: tuple[str, ...], ending: Ending) -> None:
        """The merged endpoint gets a path id of its own before the first worker writes it."""
        self._state.origins[endpoint_id] = Origin(
            ending.method, host, place, ending.operation, TemplateReason.STATISTICS
        )
        self._hosts[host] += 1
        self._candidates[host] += 1
        ending.add_path(endpoint_id)
        self._forest.mark_placed(endpoint_id)

    def _record(self, path_id: int, place: tuple[str, ...]) -> PathRecord:
        origin = self._state.origins[path_id]
        state = PathState.CANDIDATE
        if origin.endpoint_id:
            state = PathState.CONFIRMED if origin.endpoint_id == path_id else PathState.MERGED
        reason, confidence, why = self._explain(origin, place)
        return PathRecord(
            path_id=path_id,
            endpoint_id=origin.endpoint_id,
            method=origin.method,
            host=origin.host,
            template="/" + "/".join(place),
            operation=origin.operation,
            state=state,
            reason=reason,
            confidence=confidence,
            why=why,
            version=self._state.version,
        )

    def _explain(self, origin: Origin, place: tuple[str, ...]) -> tuple[TemplateReason, float, str]:
        if given := self._forest.given(origin):
            return given, 1.0, _GIVEN_WHY[given]
        merges = [merge for merge in self._forest.merges(origin.host, place) if merge]
        if merges:
            return TemplateReason.STATISTICS, min(m.confidence for m in merges), " / ".join(m.why for m in merges)
        if any(map(is_placeholder, place)):
            return TemplateReason.TYPED, 0.95, "each placeholder is an identifier of a known kind"
        return TemplateReason.LITERAL, 0.8, "no position shows signs of being a parameter"

    def records(self) -> list[PathRecord]:
        """Every path as it stands."""
        return [self._record(i, self._forest.place(origin)) for i, origin in self._state.origins.items()]

    def explain(self, path_id: int) -> PathExplanation | None:
        """What decided each position of a path; None when the id is unknown (or was forgotten)."""
        origin = self._state.origins.get(path_id)
        if origin is None:
            return None
        place = self._forest.place(origin)
        given = self._forest.given(origin)
        merges = [None] * len(place) if given else self._forest.merges(origin.host, place)
        sentences = [
            merge.why if merge else _GIVEN_WHY[given] if given else _POSITION_WHY[is_placeholder(segment)]
            for segment, merge in zip(place, merges, strict=True)
        ]
        return PathExplanation(
            record=self._record(path_id, place),
            calls=origin.calls,
            succeeded=origin.succeeded,
            positions=tuple(zip(place, sentences, strict=True)),
        )

    def templates(self) -> TemplateSet:
        """The current template set."""
        if self._templates is None:
            origins = self._state.origins
            known = frozenset(o.endpoint_id or i for i, o in origins.items())
            self._templates = TemplateSet(
                version=self._state.version, hosts=self._forest.learnt(), routes=self._forest.routes, known=known
            )
        return self._templates

    # -- by hand -------------------------------------------------------------------------------------------------

    def import_openapi(self, document: bytes, name: str) -> list[PathRecord]:
        """Take the paths of an OpenAPI document as templates. Raises DefinitionError."""
        return self._add_routes(read_openapi(document, name))

    def pin(self, host: str, template: str) -> list[PathRecord]:
        """Fix a template by hand; it wins over everything but the gateway's own route. `host` '' is every host."""
        segments = tuple(part for part in template.split("/") if part)
        return self._add_routes([Route(host, segments, TemplateReason.PINNED)])

    def unpin(self, host: str, template: str) -> list[PathRecord]:
        """Take a pin back."""
        segments = tuple(part for part in template.split("/") if part)
        gone = Route(host, segments, TemplateReason.PINNED)
        self._state.routes = tuple(route for route in self._state.routes if route != gone)
        return self._again()

    def split(self, host: str, template: str, literals: Sequence[str] = ()) -> list[PathRecord]:
        """Undo the statistical decision behind the last learnt placeholder of `template`; history is re-keyed.

        With `literals` only these values stand alone again and the parameter stays; without, the position is never
        decided again by itself.
        """
        segments = tuple(part for part in template.split("/") if part)
        if not literals:
            return self._again() if self._forest.bar(host, segments) else []
        index = self._forest.last_learnt(host, segments)
        if index is None:
            return []
        return self._add_routes(
            [
                Route(host, (*segments[:index], value, *segments[index + 1 :]), TemplateReason.PINNED)
                for value in literals
            ]
        )

    def _add_routes(self, routes: Iterable[Route]) -> list[PathRecord]:
        known = set(self._state.routes)
        added = tuple(route for route in dict.fromkeys(routes) if route not in known)
        if not added:
            return []
        self._state.routes = (*self._state.routes, *added)
        return self._again()

    def _again(self) -> list[PathRecord]:
        """Place every origin anew and publish what changed."""
        self._rebuild()
        placed = list(self._forest.everything())
        for _, _, ending in placed:
            ending.moved = True
        return self._publish(placed, changed=True)

    # -- persistence ---------------------------------------------------------------------------------------------

    def dump(self) -> bytes:
        """The whole state, for `load`."""
        self._state.decided = self._forest.decided()
        return msgspec.msgpack.encode(self._state)

    @classmethod
    def load(cls, data: bytes, settings: TemplateSettings) -> TemplateLearner:
        """A learner as it was when dumped."""
        learner = cls(settings)
        learner._state = msgspec.msgpack.decode(data, type=_State)
        learner._grow_anew()
        return learner


_GIVEN_WHY = {
    TemplateReason.HINT: "the gateway's own route",
    TemplateReason.SPEC: "a path of an imported OpenAPI document",
    TemplateReason.PINNED: "pinned by hand",
}
_POSITION_WHY = {False: "stays literal: nothing shows that it is a value", True: "an identifier of a known kind"}
