"""What a document is made of, whatever it is rendered as."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import msgspec

__all__ = [
    "Block",
    "Column",
    "Cover",
    "Facts",
    "Grid",
    "Heading",
    "Items",
    "Mark",
    "Notice",
    "Paragraph",
    "Picture",
    "clean",
    "headings",
]


class Cover(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning: what it is, how confidential, and some facts as (label, value)."""

    classification: str
    title: str
    subtitle: str
    facts: tuple[tuple[str, str], ...]


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """`level` 1 begins a part for one kind of reader, 2 a section, 3 is not in the table of contents."""

    level: int
    text: str


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """Running text; `quiet` is said in passing."""

    text: str
    quiet: bool = False


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """A list; `numbered` when the order matters."""

    items: tuple[str, ...]
    numbered: bool = False


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something nobody may miss."""

    title: str
    items: tuple[str, ...] = ()


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Label, value and where the value comes from ('' when that is plain)."""

    rows: tuple[tuple[str, str, str], ...]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """`share` of the width; `kind`: text, code, number, severity."""

    title: str
    share: float
    kind: str = "text"


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """A table; `empty` is said instead of one without rows."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str = "None."


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One shape: `rect` (x, y, width, height), `line` (x1, y1, x2, y2), `dot` (x, y, radius), `text` (x, y, size).

    Units are those of the picture, y downwards. `colour` is a name of `chart.COLOURS`.
    """

    shape: str
    place: tuple[float, float, float, float]
    colour: str
    text: str = ""
    anchor: str = "start"
    bold: bool = False
    hollow: bool = False


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A drawing; `lines` say the same in words, for readers without pictures."""

    width: float
    height: float
    marks: tuple[Mark, ...]
    title: str
    lines: tuple[str, ...]


Block = Cover | Heading | Paragraph | Items | Notice | Facts | Grid | Picture

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    r"""Text of attackers, harmless to look at: what can't be seen, or turns the line around, is written `\u202e`."""
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t":
        return " "
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def headings(blocks: Sequence[Block]) -> list[tuple[int, str, str]]:
    """(level, text, anchor) of what the table of contents has; the n-th such heading has anchor `s<n>`."""
    told = [block for block in blocks if isinstance(block, Heading) and block.level <= 2]
    return [(block.level, block.text, f"s{number}") for number, block in enumerate(told, start=1)]
