"""What was learnt about a position, in the form in which matching needs it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Protocol

import msgspec

from gatewatch.observe.templates.segments import file_ending, is_placeholder
from gatewatch.observe.templates.vocabulary import is_fixture

__all__ = ["Learns", "LearntNode", "choose"]


class Learns(Protocol):
    """A position with its decisions."""

    wildcard: str
    folds: dict[str, str]
    endings: dict[str, str]


class LearntNode(msgspec.Struct):
    """A position of the learnt tree."""

    children: dict[str, LearntNode] = {}
    """What stays as it is; where a wildcard is set this holds every literal that is no value of it."""
    wildcard: str = ""
    """Placeholder of every other literal; '' while undecided."""
    folds: dict[str, str] = {}
    """Typed placeholder -> the one that took it in: `{int}` -> `{id}` where both stand for the same thing."""
    endings: dict[str, str] = {}
    """File ending -> placeholder such as `{name}.png`."""


def choose(node: Learns, children: Container[str] | Mapping[str, object], segment: str, *, last: bool) -> str:
    """What a typed segment becomes at a position; only a last segment can be a file."""
    if segment in children or not (node.wildcard or node.endings or node.folds):
        return segment
    ending = file_ending(segment) if last else ""
    if ending and ending in node.endings:
        return node.endings[ending]
    if is_placeholder(segment):
        return node.folds.get(segment, segment)
    return segment if not node.wildcard or ending or is_fixture(segment) else node.wildcard
