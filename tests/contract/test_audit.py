from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.ports.cases import ActivityFilter
from gatewatch.store import activities
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON


def entry(number: int, **changes: object) -> Activity:
    made = {
        "at": NOON + number,
        "origin": Origin.PERSON,
        "by": "ann" if number % 2 else "ben",
        "subject": Subject.INCIDENT,
        "subject_id": "7",
        "incident": 7,
        "action": "comment",
        "text": str(number),
    }
    return msgspec.convert({**made, **changes}, Activity)


@pytest.fixture
def log(store: SqlControlStore) -> SqlControlStore:
    kept = [entry(number) for number in range(6)]
    kept[4] = entry(4, subject=Subject.TOKEN, subject_id="t1", incident=0, action="revoked")
    with store.cases.unit(NOON) as unit:
        unit.record(kept)
    return store


def told(found: Sequence[Activity]) -> str:
    return " ".join(one.text for one in found)


WHERE = {
    "all of it": (ActivityFilter(), "5 4 3 2 1 0"),
    "who": (ActivityFilter(by="ann"), "5 3 1"),
    "what was done": (ActivityFilter(action="revoked"), "4"),
    "on what": (ActivityFilter(subject="token", subject_id="t1"), "4"),
    "whose log": (ActivityFilter(incident=7), "5 3 2 1 0"),
    "since": (ActivityFilter(since=NOON + 4), "5 4"),
    "until": (ActivityFilter(until=NOON + 2), "1 0"),
    "together": (ActivityFilter(by="ann", since=NOON + 1, until=NOON + 5), "3 1"),
    "nobody": (ActivityFilter(by="eve"), ""),
}


@pytest.mark.parametrize("name", WHERE)
def test_the_audit_log_is_filtered(log: SqlControlStore, name: str) -> None:
    where, expected = WHERE[name]
    found, following = log.cases.audit(where)
    assert (told(found), following) == (expected, "")


@pytest.mark.parametrize("by", ["", "ann", "eve"])
def test_every_entry_is_on_one_page(log: SqlControlStore, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activities, "_PAGE", 2)
    monkeypatch.setattr(activities, "_MOST_LOOKED_AT", 4)
    where = ActivityFilter(by=by)
    seen, cursor = [], ""
    for _ in range(10):
        found, cursor = log.cases.audit(where, cursor=cursor, limit=2)
        assert len(found) <= 2
        seen += found
        if not cursor:
            break
    assert not cursor
    assert told(seen) == {"": "5 4 3 2 1 0", "ann": "5 3 1", "eve": ""}[by]
