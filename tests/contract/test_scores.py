"""Snapshots of the secure score: one contract, two engines."""

from __future__ import annotations

import msgspec
import pytest

from gatewatch.errors import InputError
from gatewatch.model.export import ExportKind
from gatewatch.model.finding import FindingStatus
from gatewatch.model.score import OVERALL, ControlScore, Judgement, SecureScore
from gatewatch.ports.changes import ChangeKind
from gatewatch.store import scores as table
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON
from gatewatch.testing.exports import finding

DAY = 86_400.0
CONTROL = ControlScore(
    control="access_and_permissions",
    title="Manage access and permissions",
    recommendations=("endpoint_authentication",),
    max=4.0,
    healthy=1,
    unhealthy=1,
    not_applicable=0,
)


def score(at: float = NOON, healthy: int = 1) -> SecureScore:
    changed = msgspec.structs.replace(CONTROL, healthy=healthy)
    return SecureScore(at=at, controls=(changed,), told={OVERALL: 50.0, "access_and_permissions": 2.0})


def test_a_snapshot_gets_a_number_and_its_changes_are_in_the_log(store: SqlControlStore) -> None:
    assert store.scores.newest() is None
    first = store.scores.put(score(), (OVERALL, "access_and_permissions"))
    second = store.scores.put(score(NOON + 5, 3), (OVERALL,))
    assert (first.number, second.number) == (1, 2)
    assert store.scores.newest() == second
    told = [(one.kind, one.subject, one.at) for one in store.changes.changes(0, 10)]
    assert told == [
        (ChangeKind.SCORE, OVERALL, NOON),
        (ChangeKind.SCORE, "access_and_permissions", NOON),
        (ChangeKind.SCORE, OVERALL, NOON + 5),
    ]


def test_the_history_is_newest_first_in_pages_and_stretches(store: SqlControlStore) -> None:
    for step in range(5):
        store.scores.put(score(NOON + step), ())
    page, cursor = store.scores.history(limit=2)
    assert [one.number for one in page] == [5, 4]
    rest, end = store.scores.history(cursor=cursor, limit=10)
    assert ([one.number for one in rest], end) == ([3, 2, 1], "")
    part, _ = store.scores.history(since=NOON + 1, until=NOON + 3)
    assert [one.at for one in part] == [NOON + 2, NOON + 1]
    with pytest.raises(InputError):
        store.scores.history(cursor="nonsense!")


def test_of_old_snapshots_the_last_of_each_day_is_kept_for_a_year(
    store: SqlControlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "_WHOLE", 3)
    monkeypatch.setattr(table, "_DAYS", 2)
    for day in range(4):
        for hour in range(3):
            store.scores.put(score(NOON + day * DAY + hour), ())
    kept, _ = store.scores.history(limit=50)
    assert [one.number for one in kept] == [12, 11, 10, 9, 6]


def test_findings_are_read_for_what_counts(store: SqlControlStore) -> None:
    store.put_findings([finding(1), finding(2, status=FindingStatus.HEALTHY)])
    found = store.scores.judgements()
    known = [finding(1), finding(2)]
    assert sorted(found, key=lambda one: one.status) == [
        Judgement(known[1].endpoint_id, known[1].recommendation, FindingStatus.HEALTHY),
        Judgement(known[0].endpoint_id, known[0].recommendation, FindingStatus.UNHEALTHY),
    ]


def test_exporters_read_the_newest_and_walk_its_parts(store: SqlControlStore) -> None:
    exports = store.exports
    assert exports.walk(ExportKind.SCORE, (0.0, ""), 10) == []
    assert exports.read(ExportKind.SCORE, [OVERALL]) == {}
    store.scores.put(score(), (OVERALL,))
    newest = store.scores.put(score(NOON + 5, 3), (OVERALL,))
    found = exports.read(ExportKind.SCORE, [OVERALL, "gone"])
    assert [*found] == [OVERALL]
    page = exports.walk(ExportKind.SCORE, (0.0, ""), 1)
    rest = exports.walk(ExportKind.SCORE, page[-1][0], 10)
    names = [value.name for _, value in page + rest if hasattr(value, "name")]
    assert names == ["access_and_permissions", OVERALL]
    assert {getattr(value, "number", 0) for _, value in page + rest} == {newest.number}
