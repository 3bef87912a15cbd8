"""The frame of export formats: what a format says of itself, and rendering of one item."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from gatewatch.model.export import ExportItem, ExportKind, Shape
from gatewatch.model.rule import Rule
from gatewatch.plugins import discover

__all__ = ["Context", "Format", "FormatMeta", "Shape", "all_formats", "fallback_rule"]


class FormatMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a format, and what a target's settings are checked against."""

    id: str
    title: str
    description: str
    kinds: tuple[ExportKind, ...]
    """What it can say. A target that asks it for more is refused when it is configured."""
    shape: Shape
    content_type: str
    """Of one rendered item."""
    references: tuple[str, ...] = ()


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """What formats know besides the item."""

    rules: Mapping[str, Rule]
    """Texts of detectors by id."""
    host: str
    """Name of this installation, as receivers see it."""
    version: str
    """Of Gatewatch."""
    url: str = ""
    """Where people look things up; '' when nobody said."""


class Format(ABC):
    """One format; one file; stateless."""

    meta: ClassVar[FormatMeta]
    preamble: ClassVar[bytes] = b""
    """What stands once at the start of a file, without a line feed."""

    @abstractmethod
    def render(self, item: ExportItem, context: Context) -> bytes:
        """One item on one line, UTF-8. The same item gives the same octets. Only for kinds in `meta.kinds`."""


def all_formats() -> dict[str, Format]:
    """Built-in formats and those of entry-point group `gatewatch.formats`, by id."""
    kinds = discover("gatewatch.formats.export", Format, group="gatewatch.formats")
    return {kind.meta.id: kind() for kind in kinds}


def fallback_rule(context: Context, detector: str) -> Rule:
    """The texts of a detector; empty ones for a detector that is no more."""
    empty = Rule(
        id=detector, title=detector, description="", known_misses="", steps=(), techniques=(), references=(), needs=()
    )
    return context.rules.get(detector, empty)
