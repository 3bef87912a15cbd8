"""Following a log file as a web server writes and rotates it."""

from __future__ import annotations

import os
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


class SetClock:
    def __init__(self) -> None:
        self.time = 1_767_268_800.0

    def now(self) -> float:
        return self.time


class Site:
    """A log file and its follower."""

    def __init__(self, directory: Path) -> None:
        self.clock = SetClock()
        self.log, self.data, self.journal = directory / "access.log", directory / "data", Memory()
        self.follower = self.made()

    def made(self) -> FileFollower:
        settings = TailSettings(source="edge", path=str(self.log), format="access-log")
        return FileFollower(settings, str(self.data), self.journal, FORMATS, self.clock, configure(level="error"))

    def write(self, *names: str, cut: str = "") -> None:
        with self.log.open("a") as file:
            file.write("".join(map(line, names)) + cut)

    def poll(self) -> None:
        while self.follower.poll():
            pass

    def poll_long(self) -> None:
        """As if the follower had had the time that it gives a replaced file."""
        for _ in range(5):
            self.poll()
            self.clock.time += 6


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


def rotate(site: Site, *older: str) -> None:
    """As logrotate: `.1` becomes `.2`, the file becomes `.1`; nothing is created. No two files end at the same time."""
    site.clock.time += 1
    os.utime(site.log, (site.clock.time, site.clock.time))
    for number in range(len(older) + 1, 0, -1):
        source = site.log.with_name(f"access.log.{number - 1}") if number > 1 else site.log
        if source.exists():
            source.rename(site.log.with_name(f"access.log.{number}"))


def append(path: Path, *names: str) -> None:
    with path.open("a") as file:
        file.write("".join(map(line, names)))


def test_rename_and_create_loses_nothing(site: Site) -> None:
    site.write("a")
    site.poll()
    site.write("b")
    rotate(site)
    append(site.log.with_name("access.log.1"), "late")
    site.write("c")
    site.poll_long()
    assert site.journal.paths() == ["/a", "/b", "/late", "/c"]


def test_a_server_writes_to_the_renamed_file_until_it_opens_its_logs_again(site: Site) -> None:
    site.write("a")
    site.poll()
    rotate(site)
    site.poll_long()
    append(site.log.with_name("access.log.1"), "before the new file is there")
    site.poll_long()
    site.write("new")
    site.poll()
    append(site.log.with_name("access.log.1"), "a slow worker")
    site.poll()
    site.clock.time += 3
    append(site.log.with_name("access.log.1"), "a slower one")
    site.poll_long()
    names = [item.payload.decode().split("GET /")[1].split(" HTTP")[0] for item in site.journal.records]
    assert names == ["a", "before the new file is there", "a slow worker", "a slower one", "new"]


@pytest.mark.parametrize("restart", [False, True])
def test_several_rotations_at_once_are_followed_one_after_the_other(site: Site, *, restart: bool) -> None:
    site.write("a")
    site.poll()
    if restart:
        site.follower.stop()
    for number, name in enumerate("bcd", start=1):
        site.write(f"{name}1")
        rotate(site, *"x" * number)
        site.write(f"{name}2")
    if restart:
        site.follower = site.made()
    site.poll_long()
    site.poll_long()
    assert site.journal.paths() == ["/a", "/b1", "/b2", "/c1", "/c2", "/d1", "/d2"]


def test_other_logs_whose_names_begin_alike_are_left_alone(site: Site) -> None:
    site.write("a")
    site.poll()
    rotate(site)
    site.write("b")
    for other in ("access.log.json", "access.log_errors", "access.log.1.gz", "access.log.bak"):
        append(site.log.with_name(other), "other")
    site.poll_long()
    assert site.journal.paths() == ["/a", "/b"]


def test_a_line_without_end_does_not_hold_up_the_others(site: Site) -> None:
    site.log.write_bytes(b"x" * (1 << 20) + b"y\n" + line("a").encode())
    site.poll()
    assert b"".join(record.payload for record in site.journal.records).endswith(line("a").encode())


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
    site.poll_long()
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
