"""JSON access logs as web servers really write them: what clients send is not always text."""

from __future__ import annotations

import pytest

from gatewatch.model.rejection import Rejection
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin
from gatewatch.sources.json_access_log import JsonAccessLog

ORIGIN = Origin(source="s", position="p")


def line(agent: bytes) -> bytes:
    head = b'{"msec":"1767268800.5","remote_addr":"192.0.2.1","request_method":"GET","request_uri":"/a",'
    return head + b'"status":"200","http_user_agent":"' + agent + b'"}'


READS = {
    "plain text": (b"curl/8", "curl/8"),
    "UTF-8": ("café".encode(), "café"),
    "a quoted quote and a backslash": (rb"a\"b\\c", 'a"b\\c'),
    "nginx: octets that are not UTF-8": (b"a\xff\xfeb", "a\ufffd\ufffdb"),
    "Apache: UTF-8 octet by octet": (rb"caf\xc3\xa9", "café"),
    "Apache: octets that are not UTF-8": (rb"a\xffb", "a\ufffdb"),
    "Apache: control characters": (rb"a\x01\v\tb", "a\x01\x0b\tb"),
    "Apache: a backslash that somebody sent before an x": (rb"a\\x41\xff", "a\\x41\ufffd"),
    "Apache: a quote written as octet": (rb"a\x22,\xff", 'a",\ufffd'),
}
REFUSED = {
    "no JSON": b"GET / HTTP/1.1",
    "a broken object": line(b"a")[:-1],
    "a bare quote": line(b'a"b'),
    "a list": b"[1]",
    "an escape that nobody writes": line(rb"a\qb"),
    "half an octet": line(rb"a\x4"),
    "very deep": b'{"a":' * 5000,
}


@pytest.mark.parametrize("name", READS)
def test_what_servers_write_is_read(name: str) -> None:
    agent, text = READS[name]
    (found,) = JsonAccessLog().decode(line(agent), ORIGIN)
    assert isinstance(found, Transaction)
    assert dict(found.request_headers or [])["User-Agent"] == text


REQUESTS = {
    "whole": ('"request_method":"GET","request_uri":"/a?b","request":"GET /a?b HTTP/1.1"', ("GET", "/a", "b")),
    "refused by nginx before it had a target": (
        '"request_method":"GET","request_uri":"","request":"GET /%00?q HTTP/1.1"',
        ("GET", "/%00", "q"),
    ),
    "TLS on a plain port": ('"request_method":"","request_uri":"","request":"\\u0016\\u0003\\u0001"', ("-", "-", "")),
    "nothing was sent": ('"request_method":"","request_uri":"","request":""', ("-", "-", "")),
    "the line alone": ('"request":"POST /x HTTP/2.0"', ("POST", "/x", "")),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_keeps_its_place(name: str) -> None:
    members, expected = REQUESTS[name]
    octets = f'{{"msec":"1767268800.5","remote_addr":"192.0.2.1","status":"400",{members}}}'.encode()
    (found,) = JsonAccessLog().decode(octets, ORIGIN)
    assert isinstance(found, Transaction)
    assert (found.method, found.path, found.query) == expected


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_object_is_refused_with_its_place(name: str) -> None:
    (found,) = JsonAccessLog().decode(REFUSED[name], ORIGIN)
    assert isinstance(found, Rejection)
    assert (found.line, found.raw) == (1, REFUSED[name])
