"""The trees of all hosts: where each origin stands now, and every decision about positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.decisions import Change, judge
from gatewatch.observe.templates.learnt import LearntNode
from gatewatch.observe.templates.origins import Origin
from gatewatch.observe.templates.routes import Route, RouteTable
from gatewatch.observe.templates.segments import is_placeholder
from gatewatch.observe.templates.tree import MAX_SHAPES, Ending, Merge, Position, ShapePlaces
from gatewatch.observe.templates.vocabulary import is_routelike

__all__ = ["Decided", "Forest"]

_MAX_ROUNDS = 64
_MAX_HINT_ROUTES = 20_000

Placed = tuple[str, tuple[str, ...], Ending]
"""Host, template segments, ending."""


class Decided(msgspec.Struct, omit_defaults=True):
    """Decisions of a tree without its counts: what is kept when the learner is dumped or grown anew."""

    children: dict[str, Decided] = {}
    wildcard: str = ""
    folds: dict[str, str] = {}
    endings: dict[str, str] = {}
    merges: dict[str, Merge] = {}
    barred: bool = False


class _Spot(msgspec.Struct):
    """Where an origin stands, found once."""

    given: TemplateReason | None
    place: tuple[str, ...]
    path: list[Position]
    ending: Ending


class Forest:
    """One tree per host for what is learnt, one for what was given (routes), which is never judged."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        """`routes`: pins and documents; routes of gateways join as they are seen."""
        self._imported = routes
        self._hinted: dict[Route, None] = {}
        self._table = RouteTable(routes)
        self._trees: dict[str, Position] = {}
        self._given: dict[str, Position] = {}
        self._shapes: dict[str, ShapePlaces] = {}
        self._placed: set[int] = set()
        self._spots: dict[int, _Spot] = {}
        self._due: dict[int, tuple[str, tuple[str, ...], Position]] = {}
        self._learnt: dict[str, LearntNode] = {}
        self.superseded = False
        """A gateway's route was seen that covers paths which were placed by learning."""

    @property
    def routes(self) -> tuple[Route, ...]:
        """Pins, documents and gateways' routes."""
        return (*self._imported, *self._hinted)

    # -- growing -------------------------------------------------------------------------------------------------

    def given(self, origin: Origin) -> TemplateReason | None:
        """Why an origin's template was told rather than learnt; None when it is learnt."""
        if origin.reason is TemplateReason.HINT:
            return TemplateReason.HINT
        if not self._imported and not self._hinted:
            return None
        route = self._table.find(origin.host, list(origin.segments))
        return route.reason if route else None

    def place(self, origin: Origin) -> tuple[str, ...]:
        """Segments of an origin's template as it is now."""
        if origin.reason is TemplateReason.HINT:
            return origin.segments
        if self._imported or self._hinted:
            route = self._table.find(origin.host, list(origin.segments))
            if route:
                return route.segments
        tree = self._trees.get(origin.host)
        return tuple(tree.resolve(origin.segments)) if tree else origin.segments

    def add(self, origin: Origin, path_id: int, calls: int, succeeded: int, answered: int) -> Placed:
        """Count calls where an origin stands."""
        spot = self._spots.get(path_id)
        if spot is None:
            spot = self._spots[path_id] = self._spot(origin, path_id)
        for node in spot.path:
            node.calls += calls
            node.good += succeeded
        ending = spot.ending
        ending.succeeded += succeeded
        ending.answered += answered
        ending.clients = max(ending.clients, origin.clients)
        ending.blocks = max(ending.blocks, origin.blocks)
        if spot.given is None:
            self._note(origin, spot)
        elif spot.given is TemplateReason.HINT and succeeded:
            self._note_route(Route(origin.host, spot.place, TemplateReason.HINT))
        return origin.host, spot.place, ending

    def _spot(self, origin: Origin, path_id: int) -> _Spot:
        given = self.given(origin)
        place = self.place(origin)
        node = (self._given if given else self._trees).setdefault(origin.host, Position())
        path = [node]
        for segment in place:
            node = node.children.setdefault(segment, Position())
            path.append(node)
        key = (origin.method, origin.operation)
        ending = node.ends.get(key)
        if ending is None:
            ending = node.ends[key] = Ending(*key)
        if path_id not in self._placed:
            self._placed.add(path_id)
            ending.add_path(path_id)
        return _Spot(given, place, path, ending)

    def remove(self, gone: dict[int, Origin]) -> None:
        """Take origins away; what they taught (decisions, counts above them) stays."""
        by_ending: dict[int, tuple[str, _Spot]] = {}
        for path_id, origin in gone.items():
            spot = self._spots.pop(path_id, None) or self._spot(origin, path_id)
            by_ending[id(spot.ending)] = (origin.host, spot)
            self._placed.discard(path_id)
        for host, spot in by_ending.values():
            spot.ending.paths = [path_id for path_id in spot.ending.paths if path_id not in gone]
            spot.ending.newcomers = [path_id for path_id in spot.ending.newcomers if path_id not in gone]
            if not spot.ending.paths:
                _cut_off(spot)
                self._learnt.pop(host, None)

    def mark_placed(self, path_id: int) -> None:
        """A path id stands at an ending without having been counted."""
        self._placed.add(path_id)

    def _note(self, origin: Origin, spot: _Spot) -> None:
        """Remember answers and which positions are to be judged."""
        place, path = spot.place, spot.path
        leaf = path[-1]
        if origin.shapes and len(leaf.shapes) < MAX_SHAPES and not leaf.shapes.issuperset(origin.shapes):
            shapes = self._shapes.setdefault(origin.host, ShapePlaces())
            for shape in origin.shapes if not place or is_routelike(place[-1]) else ():
                shapes.add(shape, place[-2] if len(place) > 1 else "", place[-1] if place else "")
            leaf.shapes.update(origin.shapes)
            for node in path[-3:-1]:
                node.judged_calls = 0
        for depth, node in enumerate(path):
            if len(node.children) > 1 and node.due:
                self._due[id(node)] = (origin.host, place[:depth], node)

    def _note_route(self, route: Route) -> None:
        if route in self._hinted or len(self._hinted) >= _MAX_HINT_ROUTES:
            return
        self._hinted[route] = None
        self._table.add(route)
        tree = self._trees.get(route.host)
        self.superseded |= tree is not None and _covers(route.segments, tree)

    # -- judging -------------------------------------------------------------------------------------------------

    def judge(self) -> list[Placed]:
        """Make every decision that the evidence allows; endings that stand elsewhere now."""
        moved: dict[int, Placed] = {}
        due = sorted((host, prefix) for host, prefix, _ in self._due.values())
        self._due.clear()
        for host, prefix in due:
            self._settle(host, prefix, moved)
        return list(moved.values())

    def _settle(self, host: str, start: tuple[str, ...], moved: dict[int, Placed]) -> None:
        queue = [start]
        for _ in range(_MAX_ROUNDS):
            if not queue:
                return
            prefix = queue.pop()
            node = self._at(host, prefix)
            if node is None or len(node.children) < 2:
                continue
            changes = judge(node, prefix, self._shapes.get(host, ()))
            for change in changes:
                target = _apply(node, change)
                for place, below in target.walk((*prefix, change.placeholder)):
                    for ending in below.ends.values():
                        ending.moved = True
                        for path_id in ending.paths:
                            self._spots.pop(path_id, None)
                        moved[id(ending)] = (host, place, ending)
                    if len(below.children) > 1:
                        queue.append(place)
            node.judged_children, node.judged_calls = len(node.children), node.calls
            if changes:
                self._learnt.pop(host, None)
                queue.append(prefix)

    def _at(self, host: str, prefix: tuple[str, ...]) -> Position | None:
        """The node where a prefix leads after what was decided meanwhile."""
        node = self._trees.get(host)
        for segment in prefix:
            if node is None:
                return None
            node = node.children.get(node.choose(segment, last=False))
        return node

    # -- what was decided ----------------------------------------------------------------------------------------

    def merges(self, host: str, place: tuple[str, ...]) -> list[Merge | None]:
        """For each segment of a template the decision that made it, if one did."""
        node = self._trees.get(host)
        found: list[Merge | None] = []
        for segment in place:
            found.append(node.merges.get(segment) if node else None)
            node = node.children.get(segment) if node else None
        return found

    def last_learnt(self, host: str, segments: tuple[str, ...]) -> int | None:
        """Index of the last segment of a template that statistics made."""
        learnt = [index for index, merge in enumerate(self.merges(host, segments)) if merge]
        return learnt[-1] if learnt else None

    def bar(self, host: str, segments: tuple[str, ...]) -> bool:
        """Undo the decisions at the last learnt segment of a template, for good; whether there was one."""
        index = self.last_learnt(host, segments)
        node = self._at(host, segments[:index]) if index is not None else None
        if node is None:
            return False
        node.wildcard, node.barred = "", True
        node.folds, node.endings, node.merges = {}, {}, {}
        return True

    def learnt(self) -> dict[str, LearntNode]:
        """Decisions of all hosts as matching needs them."""
        for host, tree in self._trees.items():
            if host not in self._learnt:
                self._learnt[host] = _pruned(tree) or LearntNode()
        return {host: node for host, node in self._learnt.items() if node != LearntNode()}

    def decided(self) -> dict[str, Decided]:
        """Decisions of all hosts for keeping."""
        found = {host: _decided(tree) for host, tree in self._trees.items()}
        return {host: decided for host, decided in found.items() if decided}

    def restore(self, decided: dict[str, Decided]) -> None:
        """Begin with decisions that were kept; before anything grows."""
        self._trees = {host: _restored(tree) for host, tree in decided.items()}

    def add_hinted(self, origins: Iterable[Origin]) -> None:
        """Routes of gateways, before what they may cover grows."""
        for origin in origins:
            if origin.reason is TemplateReason.HINT and origin.succeeded:
                self._note_route(Route(origin.host, origin.segments, TemplateReason.HINT))

    def everything(self) -> Iterator[Placed]:
        """All endings where they stand."""
        for trees in (self._given, self._trees):
            for host, tree in trees.items():
                for place, node in tree.walk():
                    yield from ((host, place, ending) for ending in node.ends.values())


def _cut_off(spot: _Spot) -> None:
    """Take an empty ending away, and the nodes above it that hold nothing else."""
    path, ending = spot.path, spot.ending
    path[-1].ends = {key: value for key, value in path[-1].ends.items() if value is not ending}
    for depth in range(len(path) - 1, 0, -1):
        node = path[depth]
        if node.ends or node.children or node.merges or node.barred:
            return
        path[depth - 1].children.pop(spot.place[depth - 1], None)


def _covers(route: tuple[str, ...], node: Position) -> bool:
    """Whether some path of a learnt tree is under a route."""
    if not route:
        return bool(node.ends)
    if is_placeholder(route[0]):
        return any(_covers(route[1:], child) for child in node.children.values())
    child = node.children.get(route[0])
    return child is not None and _covers(route[1:], child)


def _apply(node: Position, change: Change) -> Position:
    """Carry a decision out; the node that took the values in."""
    target = node.children.setdefault(change.placeholder, Position())
    if change.kind == "wildcard":
        node.wildcard = change.placeholder
    elif change.kind == "ending":
        node.endings[change.placeholder.rpartition(".")[2]] = change.placeholder
    elif change.kind == "fold":
        node.folds = {old: change.placeholder if new in change.names else new for old, new in node.folds.items()}
        node.folds |= dict.fromkeys(change.names, change.placeholder)
    node.merges[change.placeholder] = change.merge
    for name in change.names:
        target.absorb(node.children.pop(name))
        node.merges.pop(name, None)
    return target


def _stay(node: Position) -> list[str]:
    """Literals that are no values of the parameter beside them."""
    return [name for name in node.children if not is_placeholder(name)] if node.wildcard else []


def _pruned(node: Position) -> LearntNode | None:
    children = {name: below for name, child in node.children.items() if (below := _pruned(child))}
    for name in _stay(node):
        children.setdefault(name, LearntNode())
    if not (children or node.wildcard or node.folds or node.endings):
        return None
    return LearntNode(children, node.wildcard, node.folds, node.endings)


def _decided(node: Position) -> Decided | None:
    children = {name: below for name, child in node.children.items() if (below := _decided(child))}
    for name in _stay(node):
        children.setdefault(name, Decided())
    if not (children or node.merges or node.barred):
        return None
    return Decided(children, node.wildcard, node.folds, node.endings, node.merges, node.barred)


def _restored(decided: Decided) -> Position:
    return Position(
        children={name: _restored(child) for name, child in decided.children.items()},
        wildcard=decided.wildcard,
        folds=dict(decided.folds),
        endings=dict(decided.endings),
        merges=dict(decided.merges),
        barred=decided.barred,
    )
