"""Following a log file as a web server writes and rotates it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gatewatch.bootstrap.installation import SystemClock
from gatewatch.config.settings import TailSettings
from gatewatch.errors import ConfigurationError
from gatewatch.plugins import discover
from gatewatch.ports.journal import JournalRecord
from gatewatch.ports.wire import WireFormat
from gatewatch.sources.tail import FileFollower
from gatewatch.telemetry.logs import configure

FORMATS = {kind.meta.id: kind() for kind in discover("gatewatch.sources", WireFormat)}


class Memory:
    """Keeps what is appended; the follower needs nothing else of a journal."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, records: Sequence[JournalRecord]) -> int:
        self.records += records
        return len(self.records)

    def paths(self) -> list[str]:
        lines = b"".join(record.payload for record in self.records).decode().splitlines()
        return [line.split('"')[1].split()[1] for line in lines]


def line(name: str) -> str:
    return f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /{name} HTTP/1.1" 200 5 "-" "curl/8"\n'


class Site:
    """A log file and its follower."""

    def __init__(self, directory: Path) -> None:
        self.log, self.data, self.journal = directory / "access.log", directory / "data", Memory()
        self.follower = self.made()

    def made(self) -> FileFollower:
        settings = TailSettings(source="edge", path=str(self.log), format="access-log")
        return FileFollower(settings, str(self.data), self.journal, FORMATS, SystemClock(), configure(level="error"))

    def write(self, *names: str, cut: str = "") -> None:
        with self.log.open("a") as file:
            file.write("".join(map(line, names)) + cut)

    def poll(self) -> None:
        while self.follower.poll():
            pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.follower.stop()


def test_lines_come_once_and_a_half_written_one_waits(site: Site) -> None:
    site.poll()
    site.write("a", "b", cut=line("c")[:30])
    site.poll()
    assert site.journal.paths() == ["/a", "/b"]
    with site.log.open("a") as file:
        file.write(line("c")[30:])
    site.poll()
    assert site.journal.paths() == ["/a", "/b", "/c"]


def test_rename_and_create_loses_nothing(site: Site) -> None:
    site.write("a")
    site.poll()
    site.write("b")
    site.log.rename(site.log.with_suffix(".log.1"))
    with site.log.with_suffix(".log.1").open("a") as old:
        old.write(line("late"))
    site.write("c")
    site.poll()
    assert site.journal.paths() == ["/a", "/b", "/late", "/c"]


def test_copytruncate_starts_again_at_the_beginning(site: Site) -> None:
    site.write("a", "b", "c")
    site.poll()
    shutil.copy(site.log, site.log.with_suffix(".1"))
    site.log.write_text("")
    site.poll()
    site.write("d")
    site.poll()
    assert site.journal.paths() == ["/a", "/b", "/c", "/d"]


def test_a_restart_goes_on_where_it_was(site: Site) -> None:
    site.write("a")
    site.poll()
    site.follower.stop()
    site.write("b")
    site.follower = site.made()
    site.poll()
    assert site.journal.paths() == ["/a", "/b"]


def test_a_restart_after_rotation_finishes_the_old_file_first(site: Site) -> None:
    site.write("a")
    site.poll()
    site.follower.stop()
    site.write("b")
    site.log.rename(site.log.with_name("access.log.1"))
    site.write("c")
    site.follower = site.made()
    site.poll()
    assert site.journal.paths() == ["/a", "/b", "/c"]


def test_positions_make_a_repetition_recognisable(site: Site) -> None:
    site.write("a")
    site.poll()
    first = site.journal.records[0]
    site.follower.stop()
    for state in (site.data / "tail").iterdir():
        state.unlink()
    site.follower = site.made()
    site.poll()
    assert site.journal.records[1].position == first.position


def test_an_unknown_format_is_a_mistake_of_set_up(site: Site) -> None:
    with pytest.raises(ConfigurationError):
        FileFollower(
            TailSettings(source="x", path="x", format="nothing"),
            str(site.data),
            site.journal,
            FORMATS,
            SystemClock(),
            configure(),
        )
