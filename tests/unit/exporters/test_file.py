"""Files: lines, rotation, half lines of a crash, renaming by others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.exporters.items import LINES, exporter, items

from gatewatch.errors import ConfigurationError
from gatewatch.exporters.jsonl_file import FileExporter
from gatewatch.ports.export import DeliveryError


def test_lines_are_appended_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    target = exporter(FileExporter, path=str(path))
    target.send(items(2))
    target.send(items(1))
    assert path.read_bytes() == b'{"n":0}\n{"n":1}\n{"n":0}\n'
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_csv_file_has_its_heading_once(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    for _ in range(2):
        target = exporter(FileExporter, LINES, path=str(path))
        target.send(items(1, body=b"1,2"))
        target.close()
    assert path.read_bytes() == b"a,b\n1,2\n1,2\n"


def test_a_full_file_is_put_aside_under_the_next_number(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    target = exporter(FileExporter, LINES, path=str(path), max_bytes=4096, keep=2)
    for n in range(5):
        target.send(items(1, body=b"%d" % n + b"x" * 3000))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["out.000003.csv", "out.000004.csv", "out.csv"]
    for one in tmp_path.iterdir():
        assert one.read_bytes().startswith(b"a,b\n"), "every file has its heading"
    assert path.read_bytes().startswith(b"a,b\n4")


HALVES = {
    b'{"n":0}\n{"n":': b'{"n":0}\n',
    b'{"n":': b"",
    b'{"n":0}\n': b'{"n":0}\n',
    b"x\n" + b"y" * 3_000_000: b"x\n",
}


@pytest.mark.parametrize("before", HALVES, ids=len)
def test_half_a_line_of_a_crash_is_removed(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(before)
    exporter(FileExporter, path=str(path)).send(items(1))
    assert path.read_bytes() == HALVES[before] + b'{"n":0}\n'


def test_a_file_that_was_renamed_is_left_and_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    target = exporter(FileExporter, path=str(path))
    target.send(items(1))
    path.rename(tmp_path / "old")
    target.send(items(2)[1:])
    assert path.read_bytes() == b'{"n":1}\n'
    assert (tmp_path / "old").read_bytes() == b'{"n":0}\n'


def test_a_disk_that_does_not_take_it_is_tried_again(tmp_path: Path) -> None:
    target = exporter(FileExporter, path=str(tmp_path / "gone" / "out.jsonl"))
    with pytest.raises(DeliveryError, match=r"can't write out\.jsonl"):
        target.send(items(1))
    (tmp_path / "gone").mkdir()
    target.send(items(1))
    assert (tmp_path / "gone" / "out.jsonl").read_bytes() == b'{"n":0}\n'


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        exporter(FileExporter, path="out.jsonl")
