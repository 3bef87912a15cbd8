"""Gatewatch NDJSON v1: what is read, what is refused, and where."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin
from gatewatch.sources.ndjson import GatewatchNdjson

ORIGIN = Origin(source="s", position="j7")
HEAD = '{"ts":"2026-01-01T00:00:00Z","method":"GET","path":"/a"'
ACCEPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "the least there must be": (HEAD + "}", {"id": "j7:1", "path": "/a", "status": 0, "request_body": None}),
    "a query left in the path": (
        '{"ts":"2026-01-01T00:00:00Z","method":"GET","path":"/a?b=1"}',
        {"path": "/a", "query": "b=1"},
    ),
    "a question mark with a query of its own": (HEAD[:-1] + '?x","query":"y"}', {"path": "/a?x", "query": "y"}),
    "a time with an offset": (
        '{"ts":"2026-01-01T01:00:00.250+01:00","method":"GET","path":"/"}',
        {"ts": 1767225600.25},
    ),
    "a body in base64": (HEAD + ',"request_body":"aGk=","request_body_encoding":"base64"}', {"request_body": b"hi"}),
    "an empty body, which is not a missing one": (HEAD + ',"response_body":""}', {"response_body": b""}),
    "unknown members": (HEAD + ',"colour":"blue","nested":{"a":[1]}}', {"path": "/a"}),
    "nulls for what is optional": (
        HEAD + ',"host":null,"status":null,"request_headers":null}',
        {"host": "", "request_headers": None},
    ),
}
REFUSES = {
    "no time": ('{"method":"GET","path":"/a"}', RejectionReason.MISSING_MEMBER),
    "a time that is none": ('{"ts":"yesterday","method":"GET","path":"/a"}', RejectionReason.INVALID_VALUE),
    "a time in another century": (
        '{"ts":"1901-01-01T00:00:00Z","method":"GET","path":"/a"}',
        RejectionReason.INVALID_VALUE,
    ),
    "a method with a blank": (
        '{"ts":"2026-01-01T00:00:00Z","method":"GE T","path":"/a"}',
        RejectionReason.INVALID_VALUE,
    ),
    "an impossible status": (HEAD + ',"status":9999}', RejectionReason.INVALID_VALUE),
    "a negative size": (HEAD + ',"request_size":-1}', RejectionReason.INVALID_VALUE),
    "base64 that is none": (
        HEAD + ',"request_body":"!","request_body_encoding":"base64"}',
        RejectionReason.INVALID_VALUE,
    ),
    "headers that are no pairs": (HEAD + ',"request_headers":[["a"]]}', RejectionReason.INVALID_VALUE),
    "a cut line": (HEAD, RejectionReason.MALFORMED),
    "a list": ("[1,2]", RejectionReason.MALFORMED),
    "words": ("hello", RejectionReason.MALFORMED),
}


def read(text: str) -> Transaction | Rejection:
    (found,) = GatewatchNdjson().decode(text.encode("utf-8", "surrogateescape"), ORIGIN)
    return found


@pytest.mark.parametrize("name", ACCEPTS)
def test_is_read(name: str) -> None:
    text, expected = ACCEPTS[name]
    found = read(text)
    assert isinstance(found, Transaction)
    assert {member: getattr(found, member) for member in expected} == expected


@pytest.mark.parametrize("name", REFUSES)
def test_is_refused_with_a_reason(name: str) -> None:
    text, reason = REFUSES[name]
    found = read(text)
    assert isinstance(found, Rejection)
    assert (found.reason, found.line) == (reason, 1)


def test_one_bad_line_costs_no_other_and_blank_ones_do_not_count() -> None:
    text = f"\ufeff{HEAD}}}\r\n\r\nbroken\n{HEAD}}}\n".encode()
    found = list(GatewatchNdjson().decode(text, ORIGIN))
    assert [type(item) for item in found] == [Transaction, Rejection, Transaction]
    assert isinstance(found[1], Rejection)
    assert found[1].line == 3
    assert GatewatchNdjson().count(text) == 3


@pytest.mark.parametrize(
    "octets", [b'{"ts":"\xff"}', b"\xff\xfe", b'{"ts":"2026-01-01T00:00:00Z","method":"GET","path":"/\xc3"}']
)
def test_octets_that_are_no_utf_8_are_malformed(octets: bytes) -> None:
    (found,) = GatewatchNdjson().decode(octets, ORIGIN)
    assert isinstance(found, Rejection)


def test_a_refusal_never_quotes_the_value() -> None:
    found = read('{"ts":"2026-01-01T00:00:00Z","method":"GET","path":"/a","status":"s3cr3t-value"}')
    assert isinstance(found, Rejection)
    assert "s3cr3t" not in found.detail
