"""The document as Markdown (CommonMark with tables)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gatewatch.formats.review.blocks import (
    Block,
    Cover,
    Facts,
    Grid,
    Heading,
    Items,
    Notice,
    Paragraph,
    Picture,
    clean,
    headings,
)

__all__ = ["render_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!@])")
_LEADING = re.compile(r"^([-+=]|\d+(?=[.)]))")
_LINKED = re.compile(r"(?<=\w)(?=://)|(?<=\bwww)(?=\.)", re.IGNORECASE)


def render_markdown(blocks: Sequence[Block]) -> str:
    """Text that came from traffic is escaped: it can neither form links nor tags nor break a table."""
    toc = [f"{'  ' * (level - 1)}- {_plain(text)}" for level, text, _ in headings(blocks)]
    parts: list[str] = []
    for index, block in enumerate(blocks):
        parts += _block(block)
        if index == 0 and toc:
            parts += ["## Contents", "\n".join(toc)]
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Text that is only text: no emphasis, tag, list, table or link comes of it."""
    escaped = _LINKED.sub("\\\\", _SPECIAL.sub(r"\\\1", clean(text)))
    return _LEADING.sub(lambda found: f"\\{found[0]}" if not found[0].isdigit() else f"{found[0]}\\", escaped)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Cover():
            yield f"**{_plain(block.classification)}**"
            yield f"# {_plain(block.title)}"
            yield f"**{_plain(block.subtitle)}**"
            yield _table(("", ""), [tuple(map(_plain, row)) for row in block.facts])
        case Heading():
            yield f"{'#' * (block.level + 1)} {_plain(block.text)}"
        case Paragraph():
            yield f"*{_plain(block.text)}*" if block.quiet else _plain(block.text)
        case Items():
            signs = [f"{n}." if block.numbered else "-" for n in range(1, len(block.items) + 1)]
            yield "\n".join(f"{sign} {_plain(item)}" for sign, item in zip(signs, block.items, strict=True))
        case Notice():
            lines = [f"**{_plain(block.title)}**", *(f"- {_plain(item)}" for item in block.items)]
            yield "\n".join(f"> {line}" if line else ">" for line in _spaced(lines))
        case Facts():
            yield _table(("", "", "Source"), [tuple(map(_plain, row)) for row in block.rows])
        case Grid():
            yield _grid(block)
        case Picture():
            yield f"**{_plain(block.title)}**"
            yield "\n".join(f"- {_plain(line)}" for line in block.lines)


def _spaced(lines: list[str]) -> list[str]:
    return [lines[0], "", *lines[1:]] if len(lines) > 1 else lines


def _grid(grid: Grid) -> str:
    if not grid.rows:
        return f"*{_plain(grid.empty)}*"
    kinds = [column.kind for column in grid.columns]
    rows = [
        tuple(_code(cell) if kind == "code" else _plain(cell) for kind, cell in zip(kinds, row, strict=True))
        for row in grid.rows
    ]
    return _table([_plain(column.title) for column in grid.columns], rows, kinds)


def _code(text: str) -> str:
    shown = clean(text).replace("|", "\\|")
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`" if shown else ""


def _table(head: Sequence[str], rows: Sequence[tuple[str, ...]], kinds: Sequence[str] = ()) -> str:
    rule = ["---:" if index < len(kinds) and kinds[index] == "number" else "---" for index in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
