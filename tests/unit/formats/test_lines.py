"""CEF, LEEF and CSV: exact lines, and what hostile values do to them."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.formats.export import all_formats, cef, leef
from gatewatch.formats.export.csv_lines import COLUMNS, guarded
from gatewatch.model.alert import Explanation
from gatewatch.model.export import Exported, export_item
from gatewatch.testing.exports import CONTEXT, activity, finding, incident, rich_alert, score

FORMATS = all_formats()
VALUES: dict[str, Exported] = {
    "alert": rich_alert(),
    "incident": incident(),
    "finding": finding(),
    "audit": activity(),
    "score": score(),
    "score of a control": score("access_and_permissions"),
}
NASTY = st.text(st.characters(codec="utf-8"), max_size=60)


def line(name: str, value: Exported) -> str:
    return FORMATS[name].render(export_item(value), CONTEXT).decode()


def read_cef(text: str) -> tuple[list[str], dict[str, str]]:
    """A reader of its own, after the standard: pipes and backslashes in the header, equal signs in the extension."""
    head = re.split(r"(?<!\\)(?:\\\\)*\|", text, maxsplit=7)
    fields = re.match(r"((?:(?:\\.|[^\\|])*\|){7})(.*)$", text, re.DOTALL)
    assert fields is not None, head
    names = re.findall(r"((?:\\.|[^\\|])*)\|", fields[1])
    pairs = re.split(r"(?:^| )([A-Za-z0-9]+)=", fields[2])[1:]
    values = dict(zip(pairs[::2], pairs[1::2], strict=True))
    return [re.sub(r"\\(.)", r"\1", one) for one in names], {
        key: re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value) for key, value in values.items()
    }


def test_a_cef_line_is_what_the_standard_says() -> None:
    assert line("cef", rich_alert()) == (
        "CEF:0|Gatewatch|Gatewatch|0.1.0|API_Test|Credential stuffing|9|"
        "externalId=alert:a0001:4 rt=1767268803000 start=1767268801000 end=1767268801000 cnt=420 cat=alert "
        "msg=42 accounts were tried from one address; 3 are usual. dvchost=gatewatch.example suser=mallory@example.com "
        "requestMethod=POST dhost=shop.example request=/api/login src=203.0.113.7 "
        "cs1Label=detector cs1=d.one cs2Label=status cs2=new cs3Label=incident cs3=7 "
        "cs4Label=attackTechniques cs4=T1110.004,T1190 "
        "cs5Label=endpoints cs5=POST shop.example /api/login, GET shop.example /api/users/{int} "
        "cn1Label=revision cn1=4"
    )


def test_a_score_in_lines() -> None:
    assert line("cef", score()) == (
        "CEF:0|Gatewatch|Gatewatch|0.1.0|score.overall|Secure score|2|"
        "externalId=score:overall:5 rt=1767268803000 end=1767268803000 cat=score "
        "msg=3.00 of 4 points (75.00 %); 3 healthy, 1 unhealthy dvchost=gatewatch.example "
        "cn1Label=revision cn1=5 cfp1Label=score cfp1=3.00 cfp2Label=maxScore cfp2=4.00 "
        "cfp3Label=percentage cfp3=75.00 cn2Label=healthy cn2=3 cn3Label=unhealthy cn3=1"
    )
    assert line("leef", score("access_and_permissions")).endswith(
        "\tscore=3.00\tmaxScore=4.00\tpercentage=75.00\thealthy=3\tunhealthy=1"
    )
    (row,) = csv.reader(io.StringIO(line("csv", score())))
    cells = dict(zip(COLUMNS, row, strict=True))
    assert [cells[name] for name in COLUMNS[-5:]] == ["3.00", "4.00", "75.00", "3", "1"]
    (row,) = csv.reader(io.StringIO(line("csv", rich_alert())))
    assert row[-5:] == [""] * 5


CEF_HEADER = {"a|b": "a\\|b", "a\\b": "a\\\\b", "a=b": "a=b", "a\nb": "a b", "\\|": "\\\\\\|"}
CEF_VALUE = {"a|b": "a|b", "a=b": "a\\=b", "a\\b": "a\\\\b", "a\r\nb\nc": "a\\nb\\nc", "\\=": "\\\\\\="}


@pytest.mark.parametrize("text", CEF_HEADER)
def test_cef_escapes_in_the_header(text: str) -> None:
    assert cef.header_field(text) == CEF_HEADER[text]


@pytest.mark.parametrize("text", CEF_VALUE)
def test_cef_escapes_in_the_extension(text: str) -> None:
    assert cef.extension_value(text) == CEF_VALUE[text]


@given(title=NASTY, sentence=NASTY)
def test_any_text_in_cef_can_be_read_back(title: str, sentence: str) -> None:
    made = line("cef", rich_alert(title=f"x {title}", explanation=Explanation(sentence=f"a= {sentence} |.")))
    assert "\n" not in made
    assert "\r" not in made
    header, pairs = read_cef(made)
    assert header[:5] == ["CEF:0", "Gatewatch", "Gatewatch", "0.1.0", "API_Test"]
    assert header[5] == " ".join(f"x {title}".splitlines())
    assert pairs["msg"].startswith("a=")
    assert pairs["externalId"] == "alert:a0001:4"


def test_an_ipv6_caller_is_no_src() -> None:
    _, pairs = read_cef(line("cef", rich_alert(client_ips=("2001:db8::7",))))
    assert "src" not in pairs
    assert pairs["c6a2"] == "2001:db8::7"
    assert pairs["c6a2Label"] == "Source IPv6 Address"


@given(title=NASTY, sentence=NASTY)
def test_any_text_in_leef_keeps_the_attributes_apart(title: str, sentence: str) -> None:
    made = line("leef", rich_alert(title=f"x{title}", explanation=Explanation(sentence=f"y{sentence}")))
    assert "\n" not in made
    assert "\r" not in made
    head = made.split("|", 6)
    assert head[:6] == ["LEEF:2.0", "Gatewatch", "Gatewatch", "0.1.0", "API_Test", "x09"]
    pairs = dict(pair.split("=", 1) for pair in head[6].split("\t"))
    assert pairs["externalId"] == "alert:a0001:4"
    assert pairs["devTime"] == "2026-01-01T12:00:03.000Z"
    assert pairs["title"].startswith("x")
    assert pairs["sev"] == "9"
    assert pairs["techniques"] == "T1110.004,T1190"


def test_leef_has_no_escapes_so_what_would_need_one_is_replaced() -> None:
    assert leef.header_field("a|b\tc\r\nd") == "a/b c d"
    assert leef.attribute_value("a|b\tc\n\nd=e") == "a|b c d=e"


FORMULAS = {
    "=1+1": "'=1+1",
    "+1": "'+1",
    "-1": "'-1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r\n=1": "' =1",
    "  =1": "'  =1",
    "plain": "plain",
    "a=1": "a=1",
    "": "",
}


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_a_formula(text: str) -> None:
    assert guarded(text) == FORMULAS[text]


@given(text=NASTY)
def test_a_row_is_a_line_and_reads_back(text: str) -> None:
    made = line("csv", rich_alert(title=text))
    assert "\n" not in made
    assert "\r" not in made
    (row,) = csv.reader(io.StringIO(made))
    cells = dict(zip(COLUMNS, row, strict=True))
    assert cells["event_id"] == "alert:a0001:4"
    assert cells["title"].removeprefix("'") == (
        " ".join(text.splitlines()) if re.search(r"[\r\n]", text) else text
    ).removeprefix("'")
    assert FORMATS["csv"].preamble.decode().split(",") == list(COLUMNS)


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("kind", sorted(VALUES))
def test_every_format_says_what_it_claims_on_one_line_and_always_the_same(name: str, kind: str) -> None:
    item = export_item(VALUES[kind])
    if item.kind not in FORMATS[name].meta.kinds:
        return
    made = FORMATS[name].render(item, CONTEXT)
    assert made == FORMATS[name].render(item, CONTEXT)
    assert b"\n" not in made
    assert item.event_id.encode() in made
