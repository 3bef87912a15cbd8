"""Templates known from elsewhere (documents, pins, gateway routes) and a trie that finds the most specific one."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.segments import is_placeholder

__all__ = ["Route", "RouteTable"]

_PART = re.compile(r"\{[^{}]*\}")
_ORDER = {TemplateReason.PINNED: 0, TemplateReason.HINT: 1, TemplateReason.SPEC: 2}


class Route(msgspec.Struct, frozen=True):
    """A template that was not learnt."""

    host: str
    """'' for every host."""
    segments: tuple[str, ...]
    reason: TemplateReason


class _Fork:
    """One position: exact segments first, then segments with a pattern in them, then a whole placeholder."""

    __slots__ = ("any", "exact", "patterns", "route")

    def __init__(self) -> None:
        self.exact: dict[str, _Fork] = {}
        self.patterns: list[tuple[str, re.Pattern[str], _Fork]] = []
        self.any: _Fork | None = None
        self.route: Route | None = None

    def next(self, segment: str) -> _Fork:
        if not is_placeholder(segment):
            return self.exact.setdefault(segment, _Fork())
        if _PART.fullmatch(segment):
            self.any = self.any or _Fork()
            return self.any
        for text, _, fork in self.patterns:
            if text == segment:
                return fork
        pattern = "[^/]+?".join(map(re.escape, _PART.split(segment)))
        fork = _Fork()
        self.patterns.append((segment, re.compile(pattern), fork))
        return fork

    def find(self, segments: list[str], index: int = 0) -> Route | None:
        if index == len(segments):
            return self.route
        segment = segments[index]
        if (fork := self.exact.get(segment)) and (found := fork.find(segments, index + 1)):
            return found
        for text, pattern, fork in self.patterns:
            if (segment == text or pattern.fullmatch(segment)) and (found := fork.find(segments, index + 1)):
                return found
        return self.any.find(segments, index + 1) if self.any else None


class RouteTable:
    """Finds the route of a path: pins, then gateway routes, then documents; a host's own before those of every host."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Of two routes of the same places the first stays."""
        self._tables: dict[tuple[int, str], _Fork] = {}
        self._orders: list[int] = []
        for route in routes:
            self.add(route)

    def add(self, route: Route) -> None:
        """One more route."""
        order = _ORDER[route.reason]
        fork = self._tables.setdefault((order, route.host), _Fork())
        for segment in route.segments:
            fork = fork.next(segment)
        fork.route = fork.route or route
        if order not in self._orders:
            self._orders = sorted((*self._orders, order))

    def find(self, host: str, segments: list[str]) -> Route | None:
        """The most specific route; exact segments beat placeholders from the left."""
        for order in self._orders:
            for name in (host, "") if host else ("",):
                table = self._tables.get((order, name))
                if table and (found := table.find(segments)):
                    return found
        return None
