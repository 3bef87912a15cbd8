"""The current templates as a frozen value that every worker matches paths against."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from gatewatch.model.observation import NO_PATH
from gatewatch.model.path import TemplateReason
from gatewatch.observe.templates.hints import apply_hint
from gatewatch.observe.templates.identity import normal_host, path_identity
from gatewatch.observe.templates.learnt import LearntNode, choose
from gatewatch.observe.templates.routes import Route, RouteTable
from gatewatch.observe.templates.segments import VALUE_TYPES, decoded, is_placeholder, shape_path, split_path
from gatewatch.observe.value_types import classify

__all__ = ["MISSING", "PathMatch", "TemplateSet", "normal_host", "path_identity"]

MISSING = frozenset({400, 404, 405, 410, 414, 501})
"""Answers that do not show that a path exists."""
_REMEMBERED = 32_768
_MAX_SEGMENTS = 32
_KEPT_SETS = 4


class PathMatch(msgspec.Struct, frozen=True, gc=False):
    """What a path is."""

    path_id: int
    template: str
    """'' with `NO_PATH`."""
    reason: TemplateReason
    values: tuple[tuple[str, str, str], ...] = ()
    """(placeholder name `p0` …, value type, percent-decoded segment)."""


_Place = tuple[int, str, str, bool]
"""(index of the segment, placeholder name, its value type or '', whether it takes all segments that follow)."""


class _Plan(msgspec.Struct, frozen=True, gc=False):
    """What paths of one shape have in common."""

    path_id: int
    template: str
    reason: TemplateReason
    places: tuple[_Place, ...]


class _Content(msgspec.Struct, array_like=True):
    version: int
    hosts: dict[str, LearntNode]
    routes: tuple[Route, ...]
    known: frozenset[int]


class TemplateSet:
    """Matches paths. Travels between processes as bytes; a process that has met a set before keeps its warm caches."""

    def __init__(
        self,
        *,
        version: int = 0,
        hosts: dict[str, LearntNode] | None = None,
        routes: tuple[Route, ...] = (),
        known: frozenset[int] = frozenset(),
    ) -> None:
        """`known`: path ids that were seen to exist, so that their 404 answers (a missing object) belong to them."""
        self.version, self.hosts, self.routes, self.known = version, hosts or {}, routes, known
        self._table = RouteTable(routes)
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._ids: dict[tuple[str, str, str, str], int] = {}
        self._bytes = b""

    def __reduce__(self) -> tuple[Callable[[bytes], TemplateSet], tuple[bytes]]:
        """Bytes are made once per set, however often it travels."""
        self._bytes = self._bytes or msgspec.msgpack.encode(_Content(self.version, self.hosts, self.routes, self.known))
        return _received, (self._bytes,)

    @classmethod
    def empty(cls) -> TemplateSet:
        """Knows nothing: only typing works."""
        return cls()

    def match(
        self, method: str, host: str, path: str, *, operation: str = "", status: int, hint: str | None = None
    ) -> PathMatch:
        """Template and path id; `NO_PATH` when the answer says that there is no such path and nothing says otherwise.

        `host` must be normal (`normal_host`). A path under a gateway's route, a document or a pin exists whatever the
        answer.
        """
        segments = split_path(path)
        if hint or self.routes or len(segments) > _MAX_SEGMENTS:
            plan = self._plan(method, host, operation, *self._template(host, segments, hint), len(segments))
        else:
            # Everything but the values follows from the shape, and there are few shapes.
            shaped = shape_path(segments)
            key = (method, host, operation, *shaped)
            known = self._plans.get(key)
            if known is None:
                known = self._plan(method, host, operation, *self._learnt_or_typed(host, shaped), len(segments))
                if len(self._plans) >= _REMEMBERED:
                    self._plans.clear()
                self._plans[key] = known
            plan = known
        values = _values(plan, segments)
        if status in MISSING and plan.path_id not in self.known and not _is_given(plan.reason):
            return PathMatch(NO_PATH, "", plan.reason, values)
        return PathMatch(plan.path_id, plan.template, plan.reason, values)

    def _plan(
        self, method: str, host: str, operation: str, template: list[str], reason: TemplateReason, size: int
    ) -> _Plan:
        text = "/" + "/".join(template)
        key = (method, host, text, operation)
        path_id = self._ids.get(key)
        if path_id is None:
            if len(self._ids) >= _REMEMBERED:
                self._ids.clear()
            path_id = self._ids[key] = path_identity(method, host, text, operation)
        return _Plan(path_id, text, reason, _places(template, size))

    def _template(self, host: str, segments: list[str], hint: str | None) -> tuple[list[str], TemplateReason]:
        if hint and (hinted := apply_hint(hint, segments)) is not None:
            return hinted, TemplateReason.HINT
        if self.routes and (route := self._table.find(host, segments)):
            return list(route.segments), route.reason
        if len(segments) > _MAX_SEGMENTS:
            # Deeper than any route: one bucket per first segments, so that such paths can't be told apart endlessly.
            return self._learnt_or_typed(host, [*shape_path(segments[: _MAX_SEGMENTS - 1]), "{rest}"])
        return self._learnt_or_typed(host, shape_path(segments))

    def _learnt_or_typed(self, host: str, shaped: list[str]) -> tuple[list[str], TemplateReason]:
        learnt = self.learnt(host, shaped)
        if learnt != shaped:
            return learnt, TemplateReason.STATISTICS
        return shaped, TemplateReason.TYPED if any(map(is_placeholder, shaped)) else TemplateReason.LITERAL

    def learnt(self, host: str, shaped: list[str]) -> list[str]:
        """Typed segments with what was learnt applied."""
        node = self.hosts.get(host)
        if node is None:
            return shaped
        result: list[str] = []
        last = len(shaped) - 1
        for index, segment in enumerate(shaped):
            chosen = choose(node, node.children, segment, last=index == last)
            result.append(chosen)
            node = node.children.get(chosen)
            if node is None:
                return result + shaped[index + 1 :]
        return result


def _is_given(reason: TemplateReason) -> bool:
    return reason is TemplateReason.HINT or reason is TemplateReason.SPEC or reason is TemplateReason.PINNED


def _places(template: list[str], size: int) -> tuple[_Place, ...]:
    """Where the values of a path with `size` segments stand."""
    places: list[_Place] = []
    last = len(template) - 1
    for index, pattern in enumerate(template):
        if is_placeholder(pattern):
            whole = index == last and size > len(template)
            places.append((index, f"p{len(places)}", VALUE_TYPES.get(pattern, ""), whole))
    return tuple(places)


def _values(plan: _Plan, segments: list[str]) -> tuple[tuple[str, str, str], ...]:
    """One value per placeholder; a last placeholder that takes the rest of the path gets it whole."""
    values = []
    for index, name, kind, whole in plan.places:
        value = "/".join(segments[index:]) if whole else segments[index]
        if "%" in value:
            value = decoded(value)
        values.append((name, kind or classify(value), value))
    return tuple(values)


_sets: dict[bytes, TemplateSet] = {}


def _received(content: bytes) -> TemplateSet:
    """The set of these bytes, the very one if this process has it."""
    found = _sets.get(content)
    if found is None:
        parts = msgspec.msgpack.decode(content, type=_Content)
        found = TemplateSet(version=parts.version, hosts=parts.hosts, routes=parts.routes, known=parts.known)
        found._bytes = content  # noqa: SLF001 - the same class's own constructor for bytes
        while len(_sets) >= _KEPT_SETS:
            del _sets[next(iter(_sets))]
        _sets[content] = found
    return found
