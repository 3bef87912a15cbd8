"""The paths of one host as a prefix tree: what stands at each position, how often, with which answers."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gatewatch.observe.templates.learnt import choose

__all__ = ["MAX_SHAPES", "Ending", "Merge", "Position", "ShapePlaces"]

MAX_SHAPES = 16
_MAX_TRACKED_SHAPES = 20_000
_GENERIC_PLACES = 3


class Merge(msgspec.Struct, frozen=True):
    """Why a placeholder stands where literals stood."""

    confidence: float
    why: str
    """One sentence with the numbers that decided."""
    values: int
    """Distinct values at the time of the decision."""


class Ending(msgspec.Struct):
    """What ends at a position with one method and operation: an endpoint, once it is seen to exist."""

    method: str
    operation: str
    paths: list[int] = []
    succeeded: int = 0
    answered: int = 0
    """Calls answered neither with success nor as missing: 401, 403, 422, 429, 5xx …"""
    clients: int = 0
    """Most distinct clients in one block."""
    blocks: int = 0
    """Blocks that had such answers."""
    confirmed: bool = False
    newcomers: list[int] = []
    """Paths that were not published as part of this ending yet."""
    moved: bool = False
    """It stands elsewhere since it was last published."""

    def add_path(self, path_id: int) -> None:
        """One more path that ends here."""
        self.paths.append(path_id)
        self.newcomers.append(path_id)

    def take_unpublished(self, *, anew: bool) -> list[int]:
        """Paths to publish: all when something about the ending changed, else those that are new."""
        paths = self.paths if anew or self.moved else self.newcomers
        self.newcomers, self.moved = [], False
        return paths

    def absorb(self, other: Ending) -> None:
        """Add another ending of the same method and operation."""
        self.paths = [*self.paths, *other.paths]
        self.succeeded += other.succeeded
        self.answered += other.answered
        self.clients = max(self.clients, other.clients)
        self.blocks = max(self.blocks, other.blocks)
        self.confirmed |= other.confirmed
        self.moved = True
        other.paths, other.newcomers = [], []


class Position(msgspec.Struct):
    """One node."""

    children: dict[str, Position] = {}
    calls: int = 0
    """Calls that end here or below."""
    good: int = 0
    """Of those, answered 2xx or 3xx."""
    shapes: set[int] = set()
    """Structures of successful answers that end here, at most 16."""
    ends: dict[tuple[str, str], Ending] = {}
    """By method and operation."""
    wildcard: str = ""
    folds: dict[str, str] = {}
    endings: dict[str, str] = {}
    merges: dict[str, Merge] = {}
    """Placeholder -> why it was made."""
    barred: bool = False
    """Split by hand: no decision here again."""
    judged_children: int = 0
    judged_calls: int = 0

    def choose(self, segment: str, *, last: bool) -> str:
        """What a typed segment becomes here."""
        return choose(self, self.children, segment, last=last)

    def resolve(self, segments: tuple[str, ...]) -> list[str]:
        """Typed segments with the decisions below this node applied."""
        node: Position | None = self
        result: list[str] = []
        for index, segment in enumerate(segments):
            chosen = node.choose(segment, last=index == len(segments) - 1) if node else segment
            result.append(chosen)
            node = node.children.get(chosen) if node else None
        return result

    def absorb(self, other: Position) -> None:
        """Add another node's subtree to this one; its literals go where this node's decisions send them."""
        self.calls += other.calls
        self.good += other.good
        self.shapes = set(sorted(self.shapes | other.shapes)[:MAX_SHAPES])
        self.barred |= other.barred
        self.wildcard = self.wildcard or other.wildcard
        self.folds = {**other.folds, **self.folds}
        self.endings = {**other.endings, **self.endings}
        self.merges = {**other.merges, **self.merges}
        for key, ending in other.ends.items():
            mine = self.ends.get(key)
            if mine is None:
                self.ends[key] = ending
            else:
                mine.absorb(ending)
        for name, child in other.children.items():
            self.children.setdefault(self.choose(name, last=not child.children), Position()).absorb(child)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Position]]:
        """This node and all below, parents first."""
        yield path, self
        for name, child in list(self.children.items()):
            yield from child.walk((*path, name))

    @property
    def due(self) -> bool:
        """Whether enough was added since the last judgement: a twentieth more siblings, or half as many calls again."""
        return len(self.children) > self.judged_children * 1.05 or self.calls >= self.judged_calls * 1.5


class ShapePlaces:
    """Where on a host an answer's structure occurs: `{"status": …}` under everything says nothing about siblings."""

    def __init__(self) -> None:
        """Nothing seen."""
        self._places: dict[int, tuple[set[str], set[str]]] = {}

    def add(self, shape: int, parent: str, leaf: str) -> None:
        """One more place; bounded."""
        places = self._places.get(shape)
        if places is None:
            if len(self._places) >= _MAX_TRACKED_SHAPES:
                return
            places = self._places[shape] = (set(), set())
        for names, name in zip(places, (parent, leaf), strict=True):
            if len(names) < _GENERIC_PLACES:
                names.add(name)

    def __contains__(self, shape: object) -> bool:
        """Whether the structure is generic: under three parents and three names of routes."""
        if not isinstance(shape, int):
            return False
        places = self._places.get(shape)
        return places is not None and min(map(len, places)) >= _GENERIC_PLACES
