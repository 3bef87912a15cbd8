"""The undecided part of the paths of one host: what stands at each position, how often, with which answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gatewatch.observe.templates.segments import is_placeholder, is_static_file, is_word

__all__ = ["Group", "Position", "candidate_groups"]

_MIN_SHARED_CHILDREN = 0.5
_MAX_SHAPES = 16


class Position(msgspec.Struct):
    """One node of the prefix tree."""

    children: dict[str, Position] = {}
    calls: int = 0
    """Calls that end here or below."""
    accepted: int = 0
    """Calls ending here that were answered 2xx or 3xx."""
    methods: set[str] = set()
    shapes: set[int] = set()
    """Structures of accepted answers, at most 16."""

    def follow(self, segments: Sequence[str]) -> Position:
        """The node at a path, made when it is not there."""
        node = self
        for segment in segments:
            node = node.children.setdefault(segment, Position())
        return node

    def absorb(self, other: Position) -> None:
        """Add another node's subtree to this one."""
        self.calls += other.calls
        self.accepted += other.accepted
        self.methods |= other.methods
        self.shapes = set(sorted(self.shapes | other.shapes)[:_MAX_SHAPES])
        for name, child in other.children.items():
            self.children.setdefault(name, Position()).absorb(child)

    def walk(self, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Position]]:
        """This node and all below, parents first."""
        yield path, self
        for name, child in list(self.children.items()):
            yield from child.walk((*path, name))


class Group(msgspec.Struct):
    """Siblings that behave alike."""

    names: list[str]
    evidence: str
    """structure, shape, files or none: what makes them alike."""


def _follows(node: Position) -> frozenset[str]:
    return frozenset(node.children)


def _alike(one: Position, other: Position) -> str:
    """Why two siblings may be values of one parameter; '' when something speaks against it."""
    below, below_other = _follows(one), _follows(other)
    if below and below_other:
        shared = len(below & below_other) / min(len(below), len(below_other))
        return "structure" if shared >= _MIN_SHARED_CHILDREN else ""
    if below or below_other:
        # One has children that the other merely has not shown yet: alike only if answers agree where both end.
        return "shape" if one.shapes & other.shapes else ""
    if one.methods and other.methods and not one.methods & other.methods:
        return ""
    if one.shapes and other.shapes:
        return "shape" if one.shapes & other.shapes else ""
    return "none"


def candidate_groups(node: Position) -> Iterator[Group]:
    """Groups of literal, non-vocabulary siblings that nothing tells apart; greedy, O(siblings x groups)."""
    files: dict[str, list[str]] = {}
    literals: list[str] = []
    for name, child in node.children.items():
        if is_placeholder(name):
            continue
        if not child.children and is_static_file(name):
            files.setdefault(name.rpartition(".")[2].lower(), []).append(name)
        elif not is_word(name):
            literals.append(name)
    for names in files.values():
        yield Group(names, "files")
    groups: list[tuple[Position, Group]] = []
    for name in literals:
        child = node.children[name]
        for total, group in groups:
            if why := _alike(total, child):
                group.names.append(name)
                group.evidence = why if group.evidence == "none" or len(group.names) == 2 else group.evidence
                total.absorb(child)
                break
        else:
            total = Position()
            total.absorb(child)
            groups.append((total, Group([name], "none")))
    yield from (group for _, group in groups)
