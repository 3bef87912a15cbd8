"""What speaks for and against siblings being values of one parameter, as log odds that add up.

Every sign is weak; the sum decides (lessons F1). Weights were fitted by hand on the tuning tables of
benchmarks/template_quality.py; results/template_quality.md has the first runs on tables that they were not fitted on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from math import exp, log

import msgspec

from gatewatch.observe.templates.segments import is_placeholder
from gatewatch.observe.templates.tree import Position
from gatewatch.observe.templates.vocabulary import Look, is_collection, is_fixture, look_of

__all__ = ["Place", "Verdict", "below", "conflicting", "specific_shapes", "weigh"]

_BIAS = -7.0
_PER_COUNT = 2.2
_SHAPE, _PER_SHAPE, _SHAPES_DIFFER = 1.6, 1.1, -3.5
_BELOW, _PER_BELOW, _PER_SHARED_NAME = 1.6, 1.1, 0.7
_RESOURCES = -3.0
_BESIDE_IDENTIFIERS = 1.0
_PAGE, _PAGES = 1.0, (".html", ".htm", ".xhtml", ".md")
_IDENTIFIERS = frozenset({"{id}", "{token}", "{slug}", "{hash}", "{ulid}"})
_OPEN, _CLOSED, _CLOSED_CALLS = 2.5, -0.8, 12
_COLLECTION, _ROOT, _AFTER_PLACEHOLDER, _AFTER_API = 1.3, -1.5, -2.0, -1.5
_FIXTURES = -2.0
_HEAVY, _HEAVY_CALLS = -1.5, 200
_API = frozenset({"api", "apis", "rest", "rpc", "graphql", "services", "service", "command", "commands", "actions"})
_ENUMERATED = frozenset({Look.CODE, Look.REGION})
_ALIKE = _HALF = 0.5
_TELLING_LOOK = 1.5


class Place(msgspec.Struct, frozen=True):
    """Where the siblings stand."""

    parent: str
    """Segment before; '' at the root."""
    fixtures: int
    """Route vocabulary among the siblings."""


class Verdict(msgspec.Struct, frozen=True):
    """The sum, and what it is made of."""

    score: float
    """Log odds; above 0 the siblings are values."""
    look: float
    """Mean of the siblings' looks."""
    why: str

    @property
    def confidence(self) -> float:
        """Probability of the score, at most 0.99."""
        return round(min(0.99, 1 / (1 + exp(-max(-30.0, min(30.0, self.score))))), 2)


def specific_shapes(node: Position, generic: Container[int]) -> set[int]:
    """Structures of a node's answers that say something about what it is."""
    return {shape for shape in node.shapes if shape not in generic}


def below(node: Position) -> set[str]:
    """Names of sub-paths that tell something: every resource has identifiers and actions below it, so those do not."""
    return {name for name in node.children if not is_placeholder(name) and look_of(name) is not Look.ACTION}


def conflicting(nodes: Sequence[Position], generic: Container[int]) -> bool:
    """Whether the same sub-path answers differently under each node: `/widgets/list` is not `/gizmos/list`."""
    answers: dict[str, list[set[int]]] = {}
    for node in nodes[:200]:
        for name, child in node.children.items():
            if shapes := specific_shapes(child, generic):
                answers.setdefault(name, []).append(shapes)
    judged = [_disagree(sets) for sets in answers.values() if len(sets) > 1]
    return bool(judged) and sum(judged) / len(judged) > _ALIKE


def _disagree(sets: list[set[int]]) -> bool:
    """Whether no structure is shared by two of three and more, or by the only two."""
    counts = Counter(shape for shapes in sets for shape in shapes)
    return max(counts.values()) == 1


def weigh(node: Position, names: Sequence[str], place: Place, generic: Container[int]) -> Verdict:
    """Judge one group of siblings."""
    children = [node.children[name] for name in names]
    count = len(names)
    calls = sum(child.calls for child in children)
    once = sum(child.calls == 1 for child in children)
    looks = Counter(map(look_of, names))
    look = sum(kind.value * n for kind, n in looks.items()) / count
    kind, most = max(looks.items(), key=lambda item: (item[1], item[0].name))
    said = [
        f"{count} values in {calls} calls, {once} of them seen once",
        f"{most / count:.0%} read like a {kind.name.lower()}",
    ]
    score = _BIAS + _PER_COUNT * log(count) + look
    if sum(name.endswith(_PAGES) for name in names) > count * _ALIKE:
        score += _PAGE
    if any(is_placeholder(name) and name in _IDENTIFIERS for name in node.children):
        score += _BESIDE_IDENTIFIERS
    score += _answers(children, generic, said) + _structure(children, said) + _place(place, count, look, said)
    enumerated = sum(looks[kind] for kind in _ENUMERATED) / count
    if calls >= 2 * count:
        score += _OPEN * once / count
        if calls >= _CLOSED_CALLS * count and not once and enumerated < _ALIKE:
            score += _CLOSED
            said.append("no new one for long")
    if calls / count > _HEAVY_CALLS and enumerated < _ALIKE:
        score += _HEAVY
    return Verdict(round(score, 2), look, "; ".join(said))


def _answers(children: Sequence[Position], generic: Container[int], said: list[str]) -> float:
    sets = [shapes for child in children if (shapes := specific_shapes(child, generic))]
    if len(sets) < 2:
        return 0.0
    counts = Counter(shape for shapes in sets for shape in shapes)
    agreeing = sum(any(counts[shape] > 1 for shape in shapes) for shapes in sets)
    if agreeing / len(sets) < _ALIKE:
        said.append(f"{len(sets)} answer with different structures")
        return _SHAPES_DIFFER
    said.append(f"{agreeing} of {len(sets)} share the structure of their answers")
    return _SHAPE + _PER_SHAPE * log(agreeing)


def _structure(children: Sequence[Position], said: list[str]) -> float:
    names = Counter(name for child in children for name in below(child))
    inner = sum(bool(child.children) for child in children)
    resources = sum(any(map(is_placeholder, child.children)) for child in children)
    weight = _RESOURCES * resources / len(children)
    if resources > len(children) * _ALIKE:
        said.append(f"{resources} have identifiers below, as resources do")
    return weight + _shared_below(names, inner, said)


def _shared_below(names: Counter[str], inner: int, said: list[str]) -> float:
    if inner < 2 or not names:
        return 0.0
    name, shared = max(names.items(), key=lambda item: (item[1], item[0]))
    if shared < 2 or shared / inner < _ALIKE:
        return -_BELOW
    said.append(f"{shared} of {inner} have `{name}` below")
    many = sum(n >= max(2, inner * _ALIKE) for n in names.values())
    return _BELOW + _PER_BELOW * log(shared) + _PER_SHARED_NAME * log(many)


def _place(place: Place, count: int, look: float, said: list[str]) -> float:
    weight = _FIXTURES * place.fixtures / (place.fixtures + count)
    if place.fixtures > count:
        said.append(f"among {place.fixtures} fixed routes")
    if not place.parent:
        return weight + _ROOT
    if is_placeholder(place.parent):
        return weight + _AFTER_PLACEHOLDER * (_HALF if look >= _TELLING_LOOK else 1)
    if place.parent.lower() in _API or (is_fixture(place.parent) and place.parent[:1] in "vV"):
        return weight + _AFTER_API
    if is_collection(place.parent):
        said.append(f"below the collection `{place.parent}`")
        return weight + _COLLECTION
    return weight
