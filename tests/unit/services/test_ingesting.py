"""Pushed input becomes records as its format cuts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatewatch.bootstrap.installation import SystemClock
from gatewatch.errors import InputError
from gatewatch.journal.dead_letters import FileDeadLetters
from gatewatch.journal.files import FileJournal
from gatewatch.model.transaction import Transaction
from gatewatch.plugins import discover
from gatewatch.ports.wire import Origin, WireFormat
from gatewatch.services.ingesting import Ingest

FORMATS = {kind.meta.id: kind() for kind in discover("gatewatch.sources", WireFormat)}
KEY = b"k" * 32


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "journal", KEY, max_bytes=1 << 26, segment_bytes=1 << 24)


def ingest(journal: FileJournal, tmp_path: Path) -> Ingest:
    return Ingest(journal, FileDeadLetters(tmp_path / "letters", KEY, max_bytes=1 << 20), FORMATS, SystemClock())


def har(entries: int) -> bytes:
    request = {"method": "GET", "url": "https://x/a", "headers": [{"name": "a", "value": "b" * 500}]}
    entry = {
        "startedDateTime": "2026-01-01T00:00:00Z",
        "time": 1,
        "request": request,
        "response": {"status": 200, "content": {}},
    }
    return json.dumps({"log": {"entries": [entry] * entries}}, indent=2).encode()


BODIES = {
    "lines": ("access-log", b'192.0.2.1 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 17\n' * 40_000, 40_000),
    "an indented document of several megabytes": ("har", har(4_000), 4_000),
    "nothing": ("ndjson", b"", 0),
}


@pytest.mark.parametrize("name", BODIES)
def test_every_transaction_is_acknowledged_and_can_be_read(journal: FileJournal, tmp_path: Path, name: str) -> None:
    format_id, body, count = BODIES[name]
    assert ingest(journal, tmp_path).accept("here", format_id, body) == count
    records = [stored.record for stored in journal.read(0, max_bytes=1 << 30)]
    decoded = [
        item
        for record in records
        for item in FORMATS[format_id].decode(record.payload, Origin(source="here", position="0"))
    ]
    assert len(decoded) == count
    assert all(isinstance(item, Transaction) for item in decoded)
    assert all(len(record.payload) < 1 << 21 for record in records)
    journal.close()


def test_an_unknown_format_is_refused(journal: FileJournal, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        ingest(journal, tmp_path).accept("here", "nothing", b"x")
    journal.close()
