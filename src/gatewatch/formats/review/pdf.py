"""The document as PDF: A4, table of contents, page numbers, classification on every page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Any

from reportlab.graphics.shapes import Circle, Drawing, Line, Rect, String
from reportlab.lib.colors import HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    ListFlowable,
    ListItem,
    PageBreak,
    PageTemplate,
    Spacer,
    Table,
)
from reportlab.platypus import Paragraph as Text
from reportlab.platypus.tableofcontents import TableOfContents

from gatewatch.formats.review.blocks import (
    Block,
    Cover,
    Facts,
    Grid,
    Heading,
    Items,
    Mark,
    Notice,
    Paragraph,
    Picture,
    clean,
)
from gatewatch.formats.review.chart import COLOURS
from gatewatch.formats.review.glyphs import BOLD, PLAIN, marked, runs

__all__ = ["render_pdf"]

_MARGIN, _TOP, _BOTTOM = 18 * mm, 22 * mm, 20 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_INK, _SOFT, _LINE, _BAND = (HexColor(COLOURS[name]) for name in ("ink", "soft", "line", "band"))
_ACCENT, _WARN, _ALARM = HexColor(COLOURS["accent"]), HexColor("#fdf5ea"), HexColor(COLOURS["high"])
_AHEAD = 32 * mm
"""A heading with less than this below it goes to the next page."""
_MOST_CELL = 1500
"""Characters of one cell: one taller than a page could not be set."""


def _style(name: str, size: float, **more: Any) -> ParagraphStyle:
    given: dict[str, Any] = {"fontName": PLAIN, "textColor": _INK, "leading": size * 1.4, "splitLongWords": 1}
    return ParagraphStyle(name, fontSize=size, **given | more)


_STYLES = {
    "body": _style("body", 9.5, spaceAfter=5),
    "quiet": _style("quiet", 9, textColor=_SOFT, spaceAfter=4),
    "cell": _style("cell", 8),
    "code": _style("code", 7.2),
    "head": _style("head", 7.8, textColor=_SOFT, fontName=BOLD),
    "number_head": _style("number_head", 7.8, textColor=_SOFT, fontName=BOLD, alignment=TA_RIGHT),
    "number": _style("number", 8, alignment=TA_RIGHT),
    "title": _style("title", 24, fontName=BOLD, spaceBefore=14, spaceAfter=2),
    "subtitle": _style("subtitle", 13, textColor=_SOFT, spaceAfter=12),
    "h1": _style("h1", 18, fontName=BOLD, spaceAfter=6, textColor=_ACCENT),
    "h2": _style("h2", 13, fontName=BOLD, spaceBefore=12, spaceAfter=5),
    "h3": _style("h3", 10.2, fontName=BOLD, spaceBefore=8, spaceAfter=3),
    "contents": _style("contents", 11, fontName=BOLD, spaceBefore=10, spaceAfter=4),
    "toc1": _style("toc1", 9.5, fontName=BOLD, spaceBefore=4),
    "toc2": _style("toc2", 9, leftIndent=12),
}


def render_pdf(blocks: Sequence[Block], *, title: str, author: str) -> bytes:
    """The same blocks give the same octets: no time and no chance goes in."""
    cover = next(block for block in blocks if isinstance(block, Cover))
    out = BytesIO()
    build = _Build(out, cover, title=clean(title), author=clean(author))
    build.document.multiBuild(list(_flow(blocks)), maxPasses=6)
    return out.getvalue()


class _Build:
    """Header, footer, outline and table of contents of one document."""

    def __init__(self, out: BytesIO, cover: Cover, *, title: str, author: str) -> None:
        self._cover, self._pages, self._counted, self._headings = cover, 0, 0, 0
        self.document = BaseDocTemplate(
            out, pagesize=A4, title=title, author=author, subject=clean(cover.subtitle), lang="en", invariant=1
        )
        frame = Frame(_MARGIN, _BOTTOM, _WIDTH, A4[1] - _TOP - _BOTTOM, 0, 0, 0, 0)
        self.document.addPageTemplates(PageTemplate("page", frames=[frame], onPage=self._paint))
        self.document.beforeDocument = self._begin
        self.document.afterPage = self._count
        self.document.afterFlowable = self._note

    def _begin(self) -> None:
        """The document is built until the table of contents is right; the pass before has counted the pages."""
        self._pages, self._counted, self._headings = self._counted, 0, 0

    def _count(self) -> None:
        self._counted = self.document.page

    def _note(self, flowable: Flowable) -> None:
        """Headings go to the table of contents and the outline."""
        level = getattr(flowable, "toc_level", 0)
        if level:
            self._headings += 1
            key, document = f"h{self._headings}", self.document
            document.canv.bookmarkPage(key)
            document.canv.addOutlineEntry(flowable.toc_text, key, level - 1, closed=level > 1)
            document.notify("TOCEntry", (level - 1, marked(flowable.toc_text), document.page, key))

    def _paint(self, canvas: Any, _document: BaseDocTemplate) -> None:
        canvas.saveState()
        canvas.setStrokeColor(_LINE)
        canvas.line(_MARGIN, A4[1] - 15 * mm, A4[0] - _MARGIN, A4[1] - 15 * mm)
        canvas.line(_MARGIN, 14 * mm, A4[0] - _MARGIN, 14 * mm)
        top, bottom, right = A4[1] - 12.5 * mm, 9.5 * mm, A4[0] - _MARGIN
        _write(canvas, _MARGIN, top, self._cover.classification.upper(), "high", bold=True)
        _write(canvas, right, top, _cut(self._cover.subtitle, 80), "soft", anchor="end")
        total = f" of {self._pages}" if self._pages else ""
        _write(canvas, right, bottom, f"Page {canvas.getPageNumber()}{total}", "soft", anchor="end")
        _write(canvas, _MARGIN, bottom, self._cover.title, "soft")
        canvas.restoreState()


def _write(
    canvas: Any, x: float, y: float, text: str, colour: str, *, anchor: str = "start", bold: bool = False
) -> None:
    for font, piece, at in _pieces(text, x, 8, anchor=anchor, bold=bold):
        canvas.setFillColor(HexColor(COLOURS[colour]))
        canvas.setFont(font, 8)
        canvas.drawString(at, y, piece)


def _pieces(text: str, x: float, size: float, *, anchor: str, bold: bool) -> Iterator[tuple[str, str, float]]:
    """(font, text, x): each run in a font that has its characters."""
    found = runs(clean(text), bold=bold)
    widths = [stringWidth(piece, font, size) for font, piece in found]
    x -= {"start": 0.0, "middle": sum(widths) / 2, "end": sum(widths)}[anchor]
    for (font, piece), width in zip(found, widths, strict=True):
        yield font, piece, x
        x += width


def _drawing(picture: Picture) -> Drawing:
    """A picture as wide as the page; y goes downwards in the picture and upwards on the page."""
    scale = _WIDTH / picture.width
    drawing = Drawing(_WIDTH, picture.height * scale)
    for mark in picture.marks:
        for shape in _shapes(mark, scale, picture.height):
            drawing.add(shape)
    return drawing


def _shapes(mark: Mark, scale: float, height: float) -> Iterator[Any]:
    a, b, c, d = mark.place
    colour = HexColor(COLOURS[mark.colour])
    match mark.shape:
        case "rect":
            place = (a * scale, (height - b - d) * scale, c * scale, d * scale)
            yield Rect(*place, fillColor=colour, strokeColor=None)
        case "line":
            yield Line(a * scale, (height - b) * scale, c * scale, (height - d) * scale, strokeColor=colour)
        case "dot":
            fill = white if mark.hollow else colour
            yield Circle(a * scale, (height - b) * scale, c * scale, fillColor=fill, strokeColor=colour)
        case _:
            size = c * scale * 1.12  # a little larger than on the screen: the page is half as wide
            for font, piece, x in _pieces(mark.text, a * scale, size, anchor=mark.anchor, bold=mark.bold):
                yield String(x, (height - b) * scale, piece, fontName=font, fontSize=size, fillColor=colour)


def _flow(blocks: Sequence[Block]) -> Iterator[Flowable]:
    for block in blocks:
        match block:
            case Cover():
                yield from _cover(block)
            case Heading():
                yield PageBreak() if block.level == 1 else CondPageBreak(_AHEAD)
                yield _heading(block)
            case Paragraph():
                yield _text(block.text, "quiet" if block.quiet else "body")
            case Items():
                yield _list(block.items, numbered=block.numbered)
            case Notice():
                yield from _notice(block)
            case Facts():
                yield from _facts(block)
            case Grid():
                yield from _grid(block)
            case Picture():
                yield Spacer(1, 4)
                yield _drawing(block)
                yield Spacer(1, 8)


def _cover(cover: Cover) -> Iterator[Flowable]:
    yield _text(cover.title, "title")
    yield _text(cover.subtitle, "subtitle")
    rows = [[_text(label, "head"), _text(value, "cell")] for label, value in cover.facts]
    if rows:
        yield Table(rows, colWidths=[_WIDTH * 0.2, _WIDTH * 0.8], style=_RULED)
    yield _text("Contents", "contents")
    yield TableOfContents(levelStyles=[_STYLES["toc1"], _STYLES["toc2"]], dotsMinLevel=1)
    yield Spacer(1, 10)


def _heading(heading: Heading) -> Text:
    found = _text(heading.text, f"h{heading.level}")
    if heading.level <= 2:
        found.toc_level, found.toc_text = heading.level, clean(heading.text)
    return found


def _list(items: Sequence[str], *, numbered: bool) -> ListFlowable:
    lines = [ListItem(_text(item, "body"), bulletColor=_SOFT) for item in items]
    kind: dict[str, Any] = {"bulletType": "1", "bulletFormat": "%s."} if numbered else {"start": "•"}
    return ListFlowable(
        lines, leftIndent=15, bulletFontName=PLAIN, bulletFontSize=8.5, **({"bulletType": "bullet"} | kind)
    )


def _notice(notice: Notice) -> Iterator[Flowable]:
    inner: list[Flowable] = [_text(notice.title, "h3")]
    rows = [[inner], *([_text(f"• {item}", "cell")] for item in notice.items)]
    style = [
        ("BACKGROUND", (0, 0), (-1, -1), _WARN),
        ("LINEBEFORE", (0, 0), (0, -1), 3, HexColor(COLOURS["medium"])),
        ("LEFTPADDING", (0, 0), (-1, -1), 9),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
    yield Table(rows, colWidths=[_WIDTH], style=style)
    yield Spacer(1, 8)


def _facts(facts: Facts) -> Iterator[Flowable]:
    if not facts.rows:
        return
    sourced = any(source for _, _, source in facts.rows)
    shares = (0.27, 0.43, 0.3) if sourced else (0.27, 0.73)
    rows = [
        [_text(label, "head"), _text(value, "cell"), _text(source, "quiet_cell")][: len(shares)]
        for label, value, source in facts.rows
    ]
    yield Table(rows, colWidths=[_WIDTH * share for share in shares], style=_RULED, splitInRow=1)
    yield Spacer(1, 6)


def _grid(grid: Grid) -> Iterator[Flowable]:
    if not grid.rows:
        yield _text(grid.empty, "quiet")
        return
    kinds = [column.kind for column in grid.columns]
    rows: list[list[Flowable]] = [
        [_text(column.title, "number_head" if column.kind == "number" else "head") for column in grid.columns]
    ]
    rows += [[_cell(kind, cell) for kind, cell in zip(kinds, row, strict=True)] for row in grid.rows]
    style = [*_RULED, ("BACKGROUND", (0, 0), (-1, 0), _BAND)]
    widths = [_WIDTH * column.share for column in grid.columns]
    yield Table(rows, colWidths=widths, style=style, repeatRows=1, splitInRow=1)
    yield Spacer(1, 6)


def _cell(kind: str, text: str) -> Text:
    if kind == "severity":
        return Text(f'<font color="{COLOURS[text]}" name="{BOLD}">{text}</font>', _STYLES["cell"])
    return _text(_cut(text, _MOST_CELL), kind if kind in ("code", "number") else "cell", mono=kind == "code")


def _text(text: str, style: str, *, mono: bool = False) -> Text:
    chosen = _STYLES[style]
    return Text(marked(clean(text), bold=chosen.fontName == BOLD, mono=mono), chosen)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_STYLES["quiet_cell"] = _style("quiet_cell", 7.6, textColor=_SOFT)
_RULED = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE),
    ("LEFTPADDING", (0, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 2.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
]
