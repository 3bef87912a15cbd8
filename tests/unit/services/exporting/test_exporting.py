"""The service with its real store, real threads and real receivers: outages, restarts, refusals, snapshots, back-fill."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from tests.export_servers import Answer, HttpReceiver, Request

from gatewatch.bootstrap.exporting import exporting
from gatewatch.config.settings import ExportSettings
from gatewatch.errors import ConflictError, GatewatchError, InputError, NotFoundError
from gatewatch.formats.export import Context
from gatewatch.formats.export.ecs import Ecs
from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.score import ControlScore, SecureScore
from gatewatch.ports.export import DeliveryError, TargetState
from gatewatch.posture.scoring import moved
from gatewatch.services.exporting import Exporting
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.exports import finding, incident

SOON = 120.0


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


class Siem:
    """Takes JSON arrays; can be away, also once it has so much; can keep others waiting, or refuse things for good."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.away, self.full_at = False, sys.maxsize
        self.answers = threading.Event()
        self.answers.set()
        self.refused: set[str] = set()
        self.server = HttpReceiver(self._answer)

    def _answer(self, request: Request) -> Answer:
        if self.away or len(self.events) >= self.full_at:
            return Answer(503)
        self.answers.wait(SOON)
        got = json.loads(request.body)
        if self.refused & {one["gatewatch"]["id"] for one in got}:
            return Answer(422)
        self.events += got
        return Answer()

    def ids(self) -> list[str]:
        return [event["event"]["id"] for event in self.events]

    def subjects(self) -> list[str]:
        return [event["gatewatch"]["id"] for event in self.events]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.clock, self.siem = SetClock(), Siem()
        self.control = SqlControlStore(f"sqlite:///{folder}/control.sqlite")
        self.control.migrate()
        self.exporting: Exporting | None = None

    def begin(self, **changes: Any) -> Exporting:
        target = {
            "name": "siem",
            "transport": "webhook",
            "format": "ecs",
            "kinds": ["alert", "incident", "finding"],
            "settings": {"url": self.siem.server.url},
            "poll_s": 0.01,
            "retry_first_s": 0.01,
            "retry_max_s": 0.02,
        }
        settings = msgspec.convert({"targets": [target | changes]}, ExportSettings)
        self.end()
        self.exporting = exporting(settings, self.control, self.clock, structlog.get_logger())
        self.exporting.start()
        return self.exporting

    def end(self) -> None:
        if self.exporting is not None:
            self.exporting.stop()
            self.exporting = None

    def close(self) -> None:
        self.end()
        self.siem.server.close()
        self.control.close()

    def tell(self, *numbers: int, **changes: Any) -> None:
        self.control.upsert_alerts([alert(n, **changes) for n in numbers], at=self.clock.time)


def soon(condition: Callable[[], bool]) -> None:
    for _ in range(int(SOON / 0.01)):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to pass")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_a_new_target_begins_with_what_changes_from_now_on(bench: Bench) -> None:
    bench.tell(1)
    bench.begin()
    bench.tell(2)
    bench.control.put_findings([finding(1)])
    with bench.control.cases.unit(NOON) as unit:
        unit.put_incident(incident(3))
    soon(lambda: len(bench.siem.events) == 3)
    assert bench.siem.subjects() == ["a0002", "f0001", "3"]
    assert bench.siem.ids()[0] == "alert:a0002:1"


def test_several_changes_of_one_thing_are_one_delivery_of_what_it_is_now(bench: Bench) -> None:
    service = bench.begin()
    service.pause("siem", paused=True, by="ana")
    for count in range(1, 6):
        bench.tell(1, count=count)
    bench.tell(2)
    bench.tell(1, count=9)
    service.pause("siem", paused=False, by="ana")
    soon(lambda: len(bench.siem.events) == 2)
    assert bench.siem.ids() == ["alert:a0002:1", "alert:a0001:6"]
    assert bench.siem.events[1]["gatewatch"]["count"] == 9


def test_an_outage_loses_nothing_and_keeps_the_order(bench: Bench) -> None:
    service = bench.begin()
    bench.siem.away = True
    for n in range(50):
        bench.tell(n)
    soon(lambda: service.status("siem").attempts > 3)
    status = service.status("siem")
    assert (status.state, status.lag_items) == (TargetState.WAITING, 50)
    assert status.last_error == "127.0.0.1 answered 503"
    assert service.failing == [], "a target that is away is waited for"
    bench.siem.away = False
    soon(lambda: len(set(bench.siem.ids())) == 50)
    assert list(dict.fromkeys(bench.siem.subjects())) == [f"a{n:04d}" for n in range(50)]
    soon(lambda: service.status("siem").lag_items == 0)
    # What is kept of a delivery is there a little before the word that all is well.
    soon(lambda: service.status("siem").state is TargetState.RUNNING)
    assert service.status("siem").delivered == 50


def test_a_slow_target_delays_only_itself(bench: Bench, tmp_path: Path) -> None:
    bench.siem.answers.clear()
    shared = {"kinds": ["alert"], "poll_s": 0.01}
    targets = [
        {"name": "slow", "transport": "webhook", "format": "ecs", "settings": {"url": bench.siem.server.url}, **shared},
        {"name": "file", "transport": "file", "format": "ecs", "settings": {"path": f"{tmp_path}/out"}, **shared},
    ]
    settings = msgspec.convert({"targets": targets}, ExportSettings)
    service = bench.exporting = exporting(settings, bench.control, bench.clock, structlog.get_logger())
    service.start()
    bench.tell(0)
    soon(lambda: service.status("file").delivered == 1)
    for n in range(1, 20):
        bench.tell(n)
    soon(lambda: service.status("file").delivered == 20)
    assert service.status("slow").delivered == 0
    bench.siem.answers.set()
    soon(lambda: service.status("slow").delivered == 20)
    assert list(dict.fromkeys(bench.siem.subjects())) == [f"a{n:04d}" for n in range(20)]


def test_a_restart_goes_on_where_it_was(bench: Bench) -> None:
    bench.begin()
    for n in range(30):
        bench.tell(n)
        if n % 10 == 5:
            bench.begin()
    bench.end()
    bench.tell(30)
    bench.begin()
    soon(lambda: "a0030" in bench.siem.subjects())
    assert list(dict.fromkeys(bench.siem.subjects())) == [f"a{n:04d}" for n in range(31)]


def test_writers_at_the_same_time_lose_nothing(bench: Bench) -> None:
    bench.begin()
    chosen = random.Random(7)

    def write(first: int) -> None:
        for n in range(first, first + 40):
            bench.tell(n, count=chosen.randrange(1, 100))
            bench.tell(n, count=101)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 100, 200)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()

    def last_words() -> list[int]:
        newest = {event["gatewatch"]["id"]: event["gatewatch"]["count"] for event in tuple(bench.siem.events)}
        return list(newest.values())

    # One that was told twice before it was read is sent twice as it is at the end: events can't be counted.
    soon(lambda: last_words() == [101] * 120)
    revisions: dict[str, int] = {}
    for event in bench.siem.events:
        own = event["gatewatch"]
        assert own["revision"] >= revisions.get(own["id"], 0), "revisions never go back"
        revisions[own["id"]] = own["revision"]


def test_what_is_refused_becomes_a_letter_and_can_be_sent_again(bench: Bench) -> None:
    service = bench.begin()
    bench.siem.refused = {"a0003"}
    bench.tell(*range(6))
    soon(lambda: service.status("siem").dead_letters == 1)
    soon(lambda: len(bench.siem.events) == 5)
    (letter,), _ = service.letters("siem")
    assert (letter.event_id, letter.reason, letter.attempts) == ("alert:a0003:1", "127.0.0.1 answered 422", 1)
    assert service.resend("siem", [letter.id], by="ana") == 1
    soon(lambda: service.letters("siem")[0][0].attempts == 2)
    bench.siem.refused = set()
    bench.tell(3, count=5)
    soon(lambda: "alert:a0003:2" in bench.siem.ids())
    assert service.resend("siem", [letter.id], by="ana") == 1
    soon(lambda: service.status("siem").dead_letters == 0)
    assert bench.siem.ids()[-1] == "alert:a0003:2", "sent again as it is now"


def test_what_a_format_can_not_say_becomes_a_letter_and_stops_nobody(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Ecs.render

    def fails(self: Ecs, item: ExportItem, context: Context) -> bytes:
        if item.subject == "a0002":
            raise KeyError("exempt")
        return whole(self, item, context)

    monkeypatch.setattr(Ecs, "render", fails)
    service = bench.begin()
    bench.tell(*range(4))
    soon(lambda: len(bench.siem.events) == 3)
    soon(lambda: service.status("siem").dead_letters == 1)
    (letter,), _ = service.letters("siem")
    assert (letter.subject, letter.reason) == ("a0002", "the format ecs failed: KeyError")
    service.resend("siem", [letter.id], by="ana")
    soon(lambda: service.letters("siem")[0][0].attempts == 2)
    monkeypatch.setattr(Ecs, "render", whole)
    service.resend("siem", [letter.id], by="ana")
    soon(lambda: bench.siem.subjects() == ["a0000", "a0001", "a0003", "a0002"])
    soon(lambda: service.status("siem").dead_letters == 0)


def test_as_many_letters_as_there_may_be_stop_the_target(bench: Bench) -> None:
    service = bench.begin(max_dead_letters=2)
    bench.siem.refused = {f"a{n:04d}" for n in (1, 3)}
    bench.tell(*range(5))
    soon(lambda: service.status("siem").state is TargetState.BLOCKED)
    assert service.failing == ["siem"]
    bench.tell(7)
    letters, _ = service.letters("siem")
    assert service.status("siem").lag_items == 1
    assert service.drop("siem", [letters[0].id], by="ana") == 1
    soon(lambda: "a0007" in bench.siem.subjects())


def test_a_target_that_refuses_everything_gets_it_again_once_it_is_mended(bench: Bench) -> None:
    service = bench.begin()
    bench.siem.refused = {f"a{n:04d}" for n in range(5)}
    bench.tell(*range(5))
    soon(lambda: service.status("siem").attempts > 2)
    assert service.status("siem").dead_letters == 0
    bench.siem.refused = set()
    soon(lambda: bench.siem.subjects() == [f"a{n:04d}" for n in range(5)])


def test_a_back_fill_sends_what_was_there_oldest_first_and_survives_a_restart(bench: Bench) -> None:
    bench.tell(*range(700))
    bench.control.put_findings([finding(n) for n in range(3)])
    service = bench.begin()
    bench.siem.full_at = 200
    assert service.back_fill("siem", [ExportKind.ALERT, ExportKind.FINDING], by="ana").state is TargetState.RUNNING
    soon(lambda: len(bench.siem.events) >= 200)
    bench.tell(0, count=2)
    service = bench.begin()
    bench.siem.full_at = sys.maxsize
    soon(lambda: "f0002" in bench.siem.subjects())
    walked = list(dict.fromkeys(bench.siem.subjects()))
    assert walked[:700] == [f"a{n:04d}" for n in range(700)]
    assert walked[700:] == ["f0000", "f0001", "f0002"]
    soon(lambda: "alert:a0000:2" in bench.siem.ids())
    soon(lambda: service.status("siem").walk is None)
    with pytest.raises(InputError):
        service.back_fill("siem", [ExportKind.AUDIT], by="ana")


def test_a_back_fill_can_be_given_up(bench: Bench) -> None:
    bench.tell(*range(600))
    service = bench.begin()
    bench.siem.away = True
    service.back_fill("siem", [], by="ana")
    soon(lambda: service.status("siem").walk is not None)
    service.end_back_fill("siem", by="ana")
    soon(lambda: service.status("siem").walk is None)
    assert bench.siem.events == []


def test_snapshots_come_once_a_week_marked_with_ids_of_their_own(bench: Bench) -> None:
    bench.tell(1, 2)
    bench.control.put_findings([finding(1)])
    service = bench.begin(mode="snapshot")
    soon(lambda: service.status("siem").snapshot_week == "2026-W01")
    assert bench.siem.ids() == [
        "alert:a0001:1:2026-W01",
        "alert:a0002:1:2026-W01",
        "finding:f0001:1767268801000:2026-W01",
    ]
    assert {event["gatewatch"]["snapshot"] for event in bench.siem.events} == {"2026-W01"}
    bench.tell(1, count=5)
    bench.clock.time += 7 * 86_400
    soon(lambda: service.status("siem").snapshot_week == "2026-W02")
    assert len(bench.siem.events) == 6, "nothing is streamed between"
    assert "alert:a0001:2:2026-W02" in bench.siem.ids()


def scored(healthy: int, unhealthy: int, *, before: SecureScore | None = None) -> tuple[SecureScore, tuple[str, ...]]:
    control = ControlScore(
        control="access_and_permissions",
        title="Manage access and permissions",
        recommendations=("endpoint_authentication",),
        max=4.0,
        healthy=healthy,
        unhealthy=unhealthy,
        not_applicable=0,
    )
    return moved(before, SecureScore(at=NOON, controls=(control,)))


def test_the_score_is_told_when_it_moves_and_once_a_week_and_filled_back(bench: Bench) -> None:
    bench.control.scores.put(*scored(1, 3))
    service = bench.begin(kinds=["score"], severity="high", status=[], mode="both")
    soon(lambda: service.status("siem").snapshot_week == "2026-W01")
    assert bench.siem.ids() == ["score:access_and_permissions:1:2026-W01", "score:overall:1:2026-W01"]
    newest = bench.control.scores.newest()
    bench.control.scores.put(*scored(2, 2, before=newest))
    soon(lambda: len(bench.siem.events) == 4)
    assert bench.siem.ids()[2:] == ["score:overall:2", "score:access_and_permissions:2"]
    assert bench.siem.events[2]["gatewatch"]["score"]["percentage"] == 50.0
    service.back_fill("siem", [], by="ana")
    soon(lambda: len(bench.siem.events) == 6)
    assert set(bench.siem.ids()[4:]) == {"score:overall:2", "score:access_and_permissions:2"}


def test_filters_hold_and_what_is_filtered_is_no_lag(bench: Bench) -> None:
    service = bench.begin(severity="high", kinds=["alert"])
    bench.tell(1)
    bench.tell(2, severity=Severity.HIGH)
    soon(lambda: bench.siem.subjects() == ["a0002"])
    bench.tell(3)
    soon(lambda: service.status("siem").lag_items == 0)
    assert bench.siem.subjects() == ["a0002"]


def test_a_test_message_says_what_became_of_it(bench: Bench) -> None:
    service = bench.begin(retry_first_s=60.0, retry_max_s=60.0)
    service.test("siem", by="ana")
    assert bench.siem.events[0]["gatewatch"]["title"] == "Gatewatch test message"
    assert service.status("siem").delivered == 0
    bench.siem.away = True
    bench.tell(1)
    soon(lambda: service.status("siem").state is TargetState.WAITING)
    with pytest.raises(DeliveryError, match="answered 503"):
        service.test("siem", by="ana")
    with pytest.raises(NotFoundError):
        service.test("other", by="ana")


def test_what_people_do_is_in_the_audit_log(bench: Bench) -> None:
    service = bench.begin()
    service.pause("siem", paused=True, by="ana")
    service.pause("siem", paused=False, by="bo")
    service.back_fill("siem", [], by="ana")
    service.test("siem", by="ana")
    entries, _ = bench.control.cases.activities(subject="export", subject_id="siem")
    assert [(entry.by, entry.action) for entry in entries][::-1] == [
        ("ana", "paused"),
        ("bo", "resumed"),
        ("ana", "back-fill"),
        ("ana", "tested"),
    ]


def test_changes_that_were_forgotten_meanwhile_are_made_up_for(bench: Bench) -> None:
    bench.begin()
    bench.tell(1)
    soon(lambda: bench.siem.subjects() == ["a0001"])
    bench.end()
    bench.tell(2, 3)
    bench.tell(4)
    bench.control.changes.forget_changes(NOON + 1)
    bench.begin()
    soon(lambda: set(bench.siem.subjects()) == {"a0001", "a0002", "a0003", "a0004"})


def test_old_changes_are_forgotten_when_every_target_took_them(bench: Bench) -> None:
    service = bench.begin()
    bench.tell(1, 2)
    bench.tell(3)
    soon(lambda: service.status("siem").lag_items == 0)
    assert service.tidy() == 0
    bench.clock.time += 8 * 86_400
    service.pause("siem", paused=True, by="ana")
    bench.tell(4)
    service.tidy()
    left = bench.control.changes.changes(0, 100)
    assert [change.subject for change in left if change.kind == "alert"] == ["a0004"]


def test_changes_that_somebody_else_still_needs_are_kept(bench: Bench) -> None:
    bench.tell(1, 2, 3)
    bench.clock.time += 30 * 86_400
    head = bench.control.changes.head()
    needing = exporting(ExportSettings(), bench.control, bench.clock, structlog.get_logger(), lambda: 1)
    assert needing.tidy() == 1
    assert exporting(ExportSettings(), bench.control, bench.clock, structlog.get_logger(), lambda: head).tidy() > 0
    assert bench.control.changes.head() == head


def test_old_changes_are_forgotten_also_when_there_is_no_target(bench: Bench) -> None:
    settings = msgspec.convert({"keep_changes_days": 1}, ExportSettings)
    service = bench.exporting = exporting(settings, bench.control, bench.clock, structlog.get_logger())
    bench.tell(1, 2)
    bench.clock.time += 2 * 86_400
    bench.tell(3)
    bench.tell(4)
    service.start()
    soon(lambda: len(bench.control.changes.changes(0, 100)) == 2)
    assert [one.subject for one in bench.control.changes.changes(0, 100)] == ["a0003", "a0004"]
    assert service.tidy() == 0


def test_only_the_newest_change_is_left_of_a_long_silence_without_a_target(bench: Bench) -> None:
    service = exporting(ExportSettings(), bench.control, bench.clock, structlog.get_logger())
    bench.tell(*range(5))
    assert service.tidy() == 0, "they are new"
    bench.clock.time += 30 * 86_400
    assert service.tidy() == 4
    assert bench.control.changes.head() == 5, "numbers go on"


def test_a_disabled_target_is_shown_and_can_do_nothing(bench: Bench) -> None:
    service = bench.begin(enabled=False)
    assert service.status("siem").state is TargetState.DISABLED
    with pytest.raises(ConflictError):
        service.pause("siem", paused=True, by="ana")


def test_a_store_that_fails_is_tried_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    service = bench.begin()
    whole = bench.control.changes.changes

    def fails(after: int, limit: int) -> Any:
        raise GatewatchError("locked")

    monkeypatch.setattr(bench.control.changes, "changes", fails)
    soon(lambda: service.status("siem").last_error == "locked")
    monkeypatch.setattr(bench.control.changes, "changes", whole)
    bench.tell(1)
    soon(lambda: bench.siem.subjects() == ["a0001"])
