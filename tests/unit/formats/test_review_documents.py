"""One content, three renderings; nothing of an attacker's text does anything in any of them."""

from __future__ import annotations

import os
import re
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from markdown_it import MarkdownIt
from pypdf import PdfReader

from gatewatch.errors import InputError
from gatewatch.formats.review import Moments, render_markdown, render_page, render_pdf, review_blocks
from gatewatch.formats.review.blocks import Block, Column, Cover, Grid, Heading, Items, Notice, Paragraph, clean
from gatewatch.formats.review.glyphs import runs
from gatewatch.model.evidence import CaseFile
from gatewatch.testing.cases import case_file

GOLDEN = Path(__file__).parent / "golden" / "review.md"
COVER = Cover(classification="Confidential", title="T", subtitle="S", facts=())
HOSTILE = (
    "<script>alert(1)</script> [x](javascript:1) `code` | *b* http://evil.example www.evil.example \u202egnp.exe\x00"
)


def pages(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(data)).pages]


def pdf_of(case: CaseFile, zone: str = "Europe/Berlin") -> bytes:
    return render_pdf(review_blocks(case, Moments(zone)), title="Review", author="Gatewatch")


def test_the_markdown_is_what_it_was() -> None:
    """`UPDATE_GOLDEN=1 pytest` writes it anew; read the difference."""
    made = render_markdown(review_blocks(case_file(), Moments("Europe/Berlin")))
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(made)
    assert made == GOLDEN.read_text()


def test_all_three_say_the_same() -> None:
    case = case_file()
    blocks = review_blocks(case, Moments("Europe/Berlin"))
    page, markdown = render_page(blocks), render_markdown(blocks)
    paper = re.sub(r"\s+", "", "".join(pages(pdf_of(case))))
    said = [
        *case.review.facts.summary,
        "The order endpoint returned any order to any signed-in customer.",
        "Jörg Müller",
        "Ana Peña",
        "ταξινόμηση",
        case.review_digest,
        case.fingerprint,
        "2026-01-01 12:20:00 UTC (13:20:00 CET)",
    ]
    for text in said:
        assert text in page, text
        assert text in markdown.replace("\\", ""), text
        assert re.sub(r"\s+", "", text) in paper, text


def test_the_pdf_has_pages_with_numbers_a_class_and_contents() -> None:
    found = pages(pdf_of(case_file()))
    assert len(found) > 4
    for number, text in enumerate(found, start=1):
        assert "CONFIDENTIAL" in text
        assert f"Page {number} of {len(found)}" in text
    assert "Contents" in found[0]
    for heading in ("For decision makers", "Attack story", "Record"):
        assert heading in found[0]
    outline = PdfReader(BytesIO(pdf_of(case_file()))).outline
    assert [entry.title for entry in outline if not isinstance(entry, list)] == [
        "For decision makers",
        "For analysts",
        "For auditors",
    ]


def test_the_same_case_gives_the_same_octets() -> None:
    assert pdf_of(case_file()) == pdf_of(case_file())


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    page = render_page(review_blocks(case_file(), Moments()))
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "<svg" in page


@pytest.mark.parametrize("place", ["paragraph", "item", "cell", "code", "heading", "notice"])
def test_hostile_text_stays_text(place: str) -> None:
    columns = (Column(title="x", share=1.0, kind="code" if place == "code" else "text"),)
    made: dict[str, Block] = {
        "paragraph": Paragraph(text=HOSTILE),
        "item": Items(items=(HOSTILE,)),
        "cell": Grid(columns=columns, rows=((HOSTILE,),)),
        "code": Grid(columns=columns, rows=((HOSTILE,),)),
        "heading": Heading(level=1, text=HOSTILE),
        "notice": Notice(title=HOSTILE, items=(HOSTILE,)),
    }
    blocks: list[Block] = [COVER, made[place]]
    page, markdown = render_page(blocks), render_markdown(blocks)
    assert "<script" not in page
    assert "\u202e" not in page + markdown
    seen = MarkdownIt("commonmark").enable("table").render(markdown)
    for live in ("<script", "<a ", "<em>b", "<code>code"):
        assert live not in seen, live
    if place != "code":  # what readers with the linkify extension would make a link; in a code span nothing is one
        assert "http://" not in markdown
        assert "www.evil" not in markdown
    assert len(pages(render_pdf(blocks, title=HOSTILE, author="x"))) >= 1


LEADING = {"- not a list": "\\-", "1. not a list": "1\\.", "# not a heading": "\\#", "> no quote": "\\>", "===": "\\="}


@pytest.mark.parametrize("text", LEADING)
def test_markdown_text_begins_no_list_and_no_heading(text: str) -> None:
    assert render_markdown([Paragraph(text=text)]).startswith(LEADING[text])


SCRIPTS = {
    "umlauts": ("Jörg Müller ẞ", "Jörg Müller ẞ"),
    "Greek and Cyrillic": ("ταξινόμηση Заказ", "ταξινόμηση Заказ"),
    "Thai is written as codes": ("ก", "\\u0e01"),
    "a face beyond the first plane too": ("\U0001fae0", "\\U0001fae0"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_pdf_shows_every_script_somehow(name: str) -> None:
    text, shown = SCRIPTS[name]
    assert "".join(piece for _, piece in runs(clean(text))) == shown
    assert shown in pages(render_pdf([COVER, Paragraph(text=text)], title="x", author="x"))[0]


def test_han_kana_and_hangul_go_to_fonts_of_the_reader() -> None:
    fonts = {font for font, _ in runs("注文 ひらがな 주문")}
    assert {"STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"} <= fonts
    assert render_pdf([COVER, Paragraph(text="注文 ひらがな 주문")], title="注文", author="x").startswith(b"%PDF")


def test_a_cell_longer_than_a_page_can_be_set() -> None:
    grid = Grid(columns=(Column(title="x", share=0.1, kind="code"),), rows=(("x" * 20_000,),))
    assert pages(render_pdf([COVER, grid, Paragraph(text="y " * 20_000)], title="x", author="x"))


def test_a_draft_says_so_and_asks() -> None:
    case = case_file()
    review = msgspec.structs.replace(case.review, sign_off=None, root_cause="")
    text = render_markdown(review_blocks(msgspec.structs.replace(case, review=review), Moments()))
    assert "Draft: nobody has signed this review." in text
    assert "Open question: nobody has answered this." in text


def test_a_change_after_the_signature_is_shown() -> None:
    case = case_file()
    incident = msgspec.structs.replace(case.dossier.incident, revision=12)
    changed = msgspec.structs.replace(case, dossier=msgspec.structs.replace(case.dossier, incident=incident))
    assert "has changed since the review was signed" in render_markdown(review_blocks(changed, Moments()))


def test_a_content_that_was_not_signed_is_shown() -> None:
    text = render_markdown(review_blocks(case_file(review_digest="0" * 64), Moments()))
    assert "DOES NOT MATCH" in text


ZONES = {
    "UTC": "2026-01-01 23:30:00 UTC",
    "Europe/Berlin": "2026-01-01 23:30:00 UTC (2026-01-02 00:30:00 CET)",
    "America/New_York": "2026-01-01 23:30:00 UTC (18:30:00 EST)",
}


@pytest.mark.parametrize("zone", ZONES)
def test_the_zone_stands_beside_utc(zone: str) -> None:
    assert Moments(zone).full(1_767_310_200.0) == ZONES[zone]


@pytest.mark.parametrize("zone", ["Nowhere/City", "../../etc/passwd", "", "a\0b"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(InputError):
        Moments(zone)
