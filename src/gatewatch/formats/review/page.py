"""The document as one HTML page: nothing from elsewhere, no script, prints well."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import jinja2
from markupsafe import Markup

from gatewatch.formats.review.blocks import Block, Cover, Heading, Mark, Picture, clean, headings
from gatewatch.formats.review.chart import COLOURS

__all__ = ["drawing", "render_page"]


def render_page(blocks: Sequence[Block]) -> str:
    """The whole page as text."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gatewatch.formats", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clean"] = clean
    environment.filters["drawing"] = drawing
    environment.filters["kind"] = lambda block: type(block).__name__
    cover = next(block for block in blocks if isinstance(block, Cover))
    contents = headings(blocks)
    anchors = iter([anchor for _, _, anchor in contents])
    told = [
        (block, next(anchors) if isinstance(block, Heading) and block.level <= 2 else "")
        for block in blocks
        if not isinstance(block, Cover)
    ]
    return environment.get_template("review.html.j2").render(
        cover=cover, blocks=told, contents=contents, colours=COLOURS
    )


def drawing(picture: Picture) -> Markup:
    """A picture as inline SVG."""
    parts = "".join(_svg(mark) for mark in picture.marks)
    return Markup(  # noqa: S704 - every value is a number, a name of ours or escaped
        f'<svg viewBox="0 0 {picture.width:g} {picture.height:g}" role="img" aria-label="{escape(picture.title)}">'
        f"{parts}</svg>"
    )


def _svg(mark: Mark) -> str:
    a, b, c, d = mark.place
    colour = COLOURS[mark.colour]
    match mark.shape:
        case "rect":
            return f'<rect x="{a:.1f}" y="{b:.1f}" width="{c:.1f}" height="{d:.1f}" fill="{colour}" rx="2"/>'
        case "line":
            return f'<line x1="{a:.1f}" y1="{b:.1f}" x2="{c:.1f}" y2="{d:.1f}" stroke="{colour}"/>'
        case "dot":
            fill = "#fff" if mark.hollow else colour
            return f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{c:g}" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
        case _:
            weight = ' font-weight="600"' if mark.bold else ""
            return (
                f'<text x="{a:.1f}" y="{b:.1f}" font-size="{c:g}" text-anchor="{mark.anchor}" fill="{colour}"{weight}>'
                f"{escape(clean(mark.text))}</text>"
            )
