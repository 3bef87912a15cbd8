"""List files as people have them."""

from __future__ import annotations

import pytest

from gatewatch.errors import DefinitionError
from gatewatch.services.lists import parse_ip_info_csv, parse_threat_list
from gatewatch.services.lists.flattening import range_text

ACCEPTS = {
    "plain addresses with comments": (
        "# bad\n1.2.3.4\n\n2001:db8::1 # seen\n",
        [("1.2.3.4", "1.2.3.4"), ("2001:db8::1", "2001:db8::1")],
    ),
    "a Spamhaus DROP line": ("1.10.16.0/20 ; SBL256894\n", [("1.10.16.0", "1.10.31.255")]),
    "a Tor exit list": (
        "ExitNode ABC\nPublished 2026-01-01\nExitAddress 5.6.7.8 2026-01-01 00:00:00\nExitNode DEF\n",
        [("5.6.7.8", "5.6.7.8")],
    ),
    "a heading and a CSV label": ("ip,category\n9.9.9.9,scanner\n", [("9.9.9.9", "9.9.9.9")]),
    "a heading after comments": ("# list\nip\n9.9.9.9\n", [("9.9.9.9", "9.9.9.9")]),
    "a range of addresses": ("10.0.0.1-10.0.0.9\n", [("10.0.0.1", "10.0.0.9")]),
}
REFUSES = {
    "a word in the middle": ("1.2.3.4\nnot-an-address\n", 2),
    "an impossible prefix": ("1.2.3.4\n5.6.7.8/99\n", 2),
    "a range that runs backwards": ("1.2.3.4\n9.9.9.9-1.1.1.1\n", 2),
}


@pytest.mark.parametrize("name", ACCEPTS)
def test_threat_lists_are_read(name: str) -> None:
    text, expected = ACCEPTS[name]
    found = list(parse_threat_list(text, file="list.txt"))
    assert [(range_text(r.first), range_text(r.last)) for r in found] == expected


@pytest.mark.parametrize("name", REFUSES)
def test_a_mistake_is_located_and_nothing_is_taken(name: str) -> None:
    text, line = REFUSES[name]
    with pytest.raises(DefinitionError, match=r"list\.txt") as caught:
        list(parse_threat_list(text, file="list.txt"))
    assert caught.value.line == line


def test_ip_info_has_kind_and_country() -> None:
    found = list(
        parse_ip_info_csv("prefix,country,kind\n10.0.0.0/8,DE,Hosting\n2001:db8::/32,us,mobile\n", file="x.csv")
    )
    assert [(r.label, r.detail) for r in found] == [("hosting", "DE"), ("mobile", "US")]
