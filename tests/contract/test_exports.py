"""Positions, passes and dead letters of export targets: one contract, two engines."""

from __future__ import annotations

import msgspec
import pytest

from gatewatch.errors import NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.export import ExportKind
from gatewatch.ports.export import Letter, Progress, Walk
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.exports import finding, incident

BEGIN = Progress(target="siem", position=3)
WALK = Walk(kinds=(ExportKind.ALERT, ExportKind.FINDING), started_at=NOON)


def letter(number: int, **changes: object) -> Letter:
    made = Letter(
        id=f"l{number}",
        target="siem",
        event_id=f"alert:a{number}:1",
        kind=ExportKind.ALERT,
        subject=f"a{number}",
        reason="too large",
        refused_at=NOON + number,
    )
    return msgspec.structs.replace(made, **changes)


def test_a_target_begins_once(store: SqlControlStore) -> None:
    exports = store.exports
    assert exports.progress("siem") is None
    assert exports.begin(BEGIN) == BEGIN
    assert exports.begin(Progress(target="siem", position=99)) == BEGIN
    assert exports.progress("siem") == BEGIN


def test_what_is_settled_stays_and_people_s_wishes_too(store: SqlControlStore) -> None:
    exports = store.exports
    exports.begin(BEGIN)
    exports.pause("siem", paused=True)
    exports.ask_walk("siem", WALK)
    new = msgspec.structs.replace(BEGIN, position=7, week="2026-W01", delivered=4)
    exports.settle(new, [letter(1)])
    assert exports.progress("siem") == msgspec.structs.replace(new, paused=True, asked=WALK)
    assert exports.letter_count("siem") == 1


def test_a_wish_that_was_replaced_meanwhile_is_not_lost(store: SqlControlStore) -> None:
    exports = store.exports
    exports.begin(BEGIN)
    exports.ask_walk("siem", WALK)
    newer = msgspec.structs.replace(WALK, started_at=NOON + 1)
    exports.ask_walk("siem", newer)
    exports.accept_walk("siem", WALK)
    assert exports.progress("siem") == msgspec.structs.replace(BEGIN, asked=newer)
    exports.accept_walk("siem", newer)
    assert exports.progress("siem") == msgspec.structs.replace(BEGIN, walk=newer)


def test_nobody_can_pause_what_is_not_there(store: SqlControlStore) -> None:
    with pytest.raises(NotFoundError):
        store.exports.pause("siem", paused=True)
    with pytest.raises(NotFoundError):
        store.exports.ask_walk("siem", WALK)


def test_letters_have_pages_and_are_sent_again_or_dropped(store: SqlControlStore) -> None:
    exports = store.exports
    exports.begin(BEGIN)
    exports.settle(BEGIN, [letter(n) for n in range(5)])
    exports.settle(BEGIN, [letter(9, target="other")])
    first, cursor = exports.letters("siem", limit=3)
    rest, end = exports.letters("siem", cursor=cursor, limit=3)
    assert [one.id for one in [*first, *rest]] == ["l4", "l3", "l2", "l1", "l0"]
    assert end == ""
    assert exports.resend_letters("siem", ["l3", "l1", "l9", "nothing"]) == 2
    assert [one.id for one in exports.wanted_letters("siem", 10)] == ["l1", "l3"]
    exports.settle(BEGIN, [letter(3, reason="still too large", refused_at=NOON + 50)])
    (wanted,) = exports.wanted_letters("siem", 10)
    assert wanted.id == "l1"
    assert exports.letters("siem", limit=1)[0] == [
        letter(3, reason="still too large", refused_at=NOON + 50, attempts=2)
    ]
    exports.forget_letters(["l1"])
    assert exports.drop_letters("siem", ["l0", "l2", "l9"]) == 2
    assert exports.letter_count("siem") == 2
    assert exports.letter_count("other") == 1


def fill(store: SqlControlStore) -> None:
    store.upsert_alerts([alert(n, last_seen=NOON + 100 - n) for n in range(5)])
    store.put_findings([finding(n) for n in (3, 1, 2)])
    with store.cases.unit(NOON) as unit:
        for number in (12, 7, 100):
            unit.put_incident(incident(number))
        entry = Activity(
            at=NOON, origin=Origin.PERSON, by="ana", subject=Subject.EXPORT, subject_id="siem", action="paused"
        )
        unit.record([entry, entry])


WALKS = {
    ExportKind.ALERT: ["a0004", "a0003", "a0002", "a0001", "a0000"],
    ExportKind.INCIDENT: ["7", "12", "100"],
    ExportKind.FINDING: ["f0001", "f0002", "f0003"],
    ExportKind.AUDIT: ["1", "2"],
}


@pytest.mark.parametrize("kind", WALKS)
def test_a_pass_sees_everything_once_oldest_first(store: SqlControlStore, kind: ExportKind) -> None:
    fill(store)
    seen, cursor = [], (0.0, "")
    while page := store.exports.walk(kind, cursor, 2):
        assert len(page) <= 2
        seen += [place[1] for place, _ in page]
        cursor = page[-1][0]
    assert seen == WALKS[kind]
    found = store.exports.read(kind, [*seen, "999999"])
    assert list(found) == sorted(found, key=list(found).index)
    assert set(found) == set(seen)


def test_an_alert_that_moves_during_a_pass_comes_again(store: SqlControlStore) -> None:
    fill(store)
    page = store.exports.walk(ExportKind.ALERT, (0.0, ""), 2)
    store.upsert_alerts([alert(4, last_seen=NOON + 500, count=2)])
    rest = store.exports.walk(ExportKind.ALERT, page[-1][0], 10)
    assert [place[1] for place, _ in rest][-1] == "a0004"


def test_lag_and_forgetting(store: SqlControlStore) -> None:
    exports = store.exports
    assert (exports.lag(0), exports.oldest_change()) == ((0, 0.0), 0)
    store.upsert_alerts([alert(n) for n in range(4)], at=NOON)
    head = store.changes.head()
    assert head == 4
    assert exports.lag(1) == (3, NOON)
    assert exports.lag(4) == (0, 0.0)
    assert exports.forget_through(3, before=NOON) == 0, "not old enough"
    assert exports.forget_through(2, before=NOON + 1) == 2
    assert exports.oldest_change() == 3
    assert exports.forget_through(99, before=NOON + 1) == 1, "the newest stays"
    assert store.changes.head() == head
