"""The journal keeps what it acknowledged, whatever happens to the end of its files, and never takes half a record."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.errors import JournalFullError, StoreError
from gatewatch.journal.files import FileJournal
from gatewatch.model.ledger import LedgerEntry
from gatewatch.ports.journal import Checkpoint, JournalRecord

KEY = bytes(32)
SEGMENT = 4096


def record(payload: bytes, *, count: int = 1, source: str = "edge") -> JournalRecord:
    return JournalRecord(source=source, format="ndjson", received_at=1.0, count=count, payload=payload)


def opened(directory: Path, *, max_bytes: int = 1 << 20) -> FileJournal:
    return FileJournal(directory, KEY, max_bytes=max_bytes, segment_bytes=SEGMENT)


def payloads(journal: FileJournal, offset: int = 0) -> list[bytes]:
    found = []
    while records := journal.read(offset, max_bytes=2000):
        found += [stored.record.payload for stored in records]
        offset = records[-1].end
    return found


def refuses(journal: FileJournal) -> bool:
    return journal.refusing


def segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.segment"))


@given(
    batches=st.lists(st.lists(st.binary(max_size=900), min_size=1, max_size=4), max_size=12),
    torn=st.integers(0, 400),
    garbage=st.binary(max_size=40),
)
@settings(deadline=None, max_examples=60)
def test_what_was_acknowledged_is_there_after_a_torn_end(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]], torn: int, garbage: bytes
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    journal = opened(directory)
    ends = [journal.append([record(payload) for payload in batch]) for batch in batches]
    journal.close()
    last = segments(directory)[-1]
    size = last.stat().st_size
    # The crash came while a further record was being written: part of a frame, or of what the disk made of it.
    with last.open("ab") as file:
        file.write((b"\xff" * torn)[:torn] + garbage if torn else b"")
    again = opened(directory)
    assert payloads(again) == [payload for batch in batches for payload in batch]
    assert again.end() == (ends[-1] if ends else 0)
    assert last.stat().st_size == size
    again.append([record(b"goes on")])
    assert payloads(again)[-1] == b"goes on"
    again.close()


@given(cut=st.integers(1, 2000))
@settings(deadline=None, max_examples=60)
def test_a_cut_end_costs_whole_records_and_nothing_before_them(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    directory = tmp_path_factory.mktemp("journal")
    journal = opened(directory)
    written = [b"%03d" % number * 40 for number in range(12)]
    for payload in written:
        journal.append([record(payload)])
    journal.close()
    last = segments(directory)[-1]
    os.truncate(last, max(0, last.stat().st_size - cut))
    again = opened(directory)
    found = payloads(again)
    assert found == written[: len(found)]
    assert again.received() == ({"edge": len(found)} if found else {})
    again.close()


def test_damage_before_the_end_is_told_and_not_cut_off(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    for number in range(4):
        journal.append([record(b"%d" % number * 100)])
    journal.close()
    with segments(tmp_path)[0].open("r+b") as file:
        file.seek(60)
        file.write(b"\x00\x01\x02")
    with pytest.raises(StoreError, match="damaged at octet"):
        opened(tmp_path)


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_fills_in_the_middle_of_a_record_takes_nothing_of_it(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    journal.append([record(b"first" * 50)])
    size = segments(tmp_path)[0].stat().st_size
    with files_no_larger_than(size + 100), pytest.raises(JournalFullError, match="takes no more"):
        journal.append([record(b"second" * 50)])
    assert segments(tmp_path)[0].stat().st_size == size
    assert journal.received() == {"edge": 1}
    journal.append([record(b"third")])
    assert payloads(journal) == [b"first" * 50, b"third"]
    journal.close()
    again = opened(tmp_path)
    assert payloads(again) == [b"first" * 50, b"third"]
    again.close()


def test_a_full_journal_takes_nothing_until_something_is_consumed(tmp_path: Path) -> None:
    journal = opened(tmp_path, max_bytes=3 * SEGMENT)
    for _ in range(10):
        end = journal.append([record(b"x" * 1000)])
    with pytest.raises(JournalFullError) as refused:
        journal.append([record(b"x" * 1000)])
    assert refused.value.retry_after_s > 0
    received = journal.received()["edge"]
    assert received == 10
    assert refuses(journal)
    journal.commit(Checkpoint(consumed=end, ledger=(LedgerEntry(source="edge", received=received),)))
    journal.append([record(b"y")])
    assert payloads(journal, end) == [b"y"]
    assert not refuses(journal)
    journal.close()


def test_a_disk_that_loses_data_ends_the_journal_until_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path)
    journal.append([record(b"kept")])

    def fails(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fails)
        with pytest.raises(StoreError, match="durable"):
            journal.append([record(b"lost")])
    with pytest.raises(StoreError, match="takes nothing more"):
        journal.append([record(b"after")])
    journal.close()


def test_counts_and_checkpoint_survive_a_restart(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    end = journal.append([record(b"a", count=5)])
    journal.append([record(b"b", count=7, source="other")])
    entry = LedgerEntry(source="edge", received=5, observed=5)
    journal.commit(Checkpoint(consumed=end, ledger=(entry,)))
    journal.close()
    again = opened(tmp_path)
    assert again.checkpoint().consumed == end
    assert again.received() == {"edge": 5, "other": 7}
    assert payloads(again, end) == [b"b"]
    again.close()


def test_nobody_else_opens_it_meanwhile(tmp_path: Path) -> None:
    journal = opened(tmp_path)
    with pytest.raises(StoreError, match="another process"):
        opened(tmp_path)
    journal.close()
    opened(tmp_path).close()
