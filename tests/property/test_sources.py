"""Every format, those that people add included: no input breaks it, every piece is counted, refusals are located."""

from __future__ import annotations

import io
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.model.rejection import Rejection
from gatewatch.model.transaction import Transaction
from gatewatch.plugins import discover
from gatewatch.ports.wire import Origin, WireFormat

FORMATS = {kind.meta.id: kind() for kind in discover("gatewatch.sources", WireFormat)}
ORIGIN = Origin(source="s", position="file@0")
GOOD = {
    "ndjson": b'{"id":"a","ts":"2026-01-01T00:00:00Z","method":"GET","path":"/a","request_headers":[["A","b"]],"status":200}\n',
    "access-log": b'192.0.2.1 - anna [17/May/2015:10:05:03 +0000] "GET /a?b=1 HTTP/1.1" 200 17 "-" "curl/8"\n',
    "json-access-log": b'{"msec":"1767225600.5","remote_addr":"192.0.2.1","request_method":"GET","request_uri":"/a?b","status":"200"}\n',
    "har": json.dumps(
        {
            "log": {
                "entries": [
                    {
                        "startedDateTime": "2026-01-01T00:00:00Z",
                        "time": 3,
                        "request": {"method": "GET", "url": "https://x/a?b=1", "headers": []},
                        "response": {"status": 200, "headers": [], "content": {"text": "x"}},
                    }
                ]
            }
        }
    ).encode(),
    "envoy-als": b"",
}


def results(name: str, payload: bytes) -> list[Transaction | Rejection]:
    return list(FORMATS[name].decode(payload, ORIGIN))


def test_every_format_has_a_sample_here() -> None:
    assert set(FORMATS) == set(GOOD)


@pytest.mark.parametrize("name", FORMATS)
def test_good_input_reads(name: str) -> None:
    found = results(name, GOOD[name])
    assert all(isinstance(item, Transaction) for item in found)
    assert len(found) == FORMATS[name].count(GOOD[name])


@pytest.mark.parametrize("name", FORMATS)
@given(payload=st.binary(max_size=400))
@settings(deadline=None, max_examples=150)
def test_any_octets_are_counted_and_never_raise(name: str, payload: bytes) -> None:
    assert len(results(name, payload)) == FORMATS[name].count(payload)


@pytest.mark.parametrize("name", [name for name in FORMATS if GOOD[name]])
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 12))
@settings(deadline=None, max_examples=200)
def test_broken_copies_of_good_input_are_counted_and_never_raise(name: str, seed: int, changes: int) -> None:
    chosen, data = random.Random(seed), bytearray(GOOD[name] * 3)
    for _ in range(changes):
        place = chosen.randrange(len(data))
        action = chosen.randrange(3)
        if action == 0:
            data[place] = chosen.randrange(256)
        elif action == 1:
            del data[place : place + chosen.randrange(1, 9)]
        else:
            data[place:place] = chosen.choice([b'"', b"\\", b"{", b"\xff", b"\n", b"9" * 40, b"\x00", b"[["])
        data = data or bytearray(b"x")
    payload = bytes(data)
    found = results(name, payload)
    assert len(found) == FORMATS[name].count(payload)
    for item in found:
        if isinstance(item, Rejection):
            assert item.line >= 1
            assert item.detail


@pytest.mark.parametrize("name", [name for name in FORMATS if GOOD[name]])
@given(copies=st.integers(1, 40), size=st.integers(50, 2000))
@settings(deadline=None, max_examples=40)
def test_cutting_a_file_into_payloads_loses_nothing(name: str, copies: int, size: int) -> None:
    data = GOOD[name] * copies if name != "har" else GOOD[name]
    pieces = list(FORMATS[name].payloads(io.BytesIO(data), max_bytes=size))
    assert sum(FORMATS[name].count(piece) for piece, _ in pieces) == FORMATS[name].count(data)
    assert [first for _, first in pieces] == sorted(first for _, first in pieces)


@pytest.mark.parametrize("name", [name for name in FORMATS if GOOD[name]])
def test_its_own_input_is_recognised_best(name: str) -> None:
    sure = {other: format_.sniff(GOOD[name], "traffic.txt") for other, format_ in FORMATS.items()}
    assert max(sure, key=lambda other: sure[other]) == name
