"""Remediation in the control store on both engines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from gatewatch.errors import InputError, NotFoundError
from gatewatch.formats.defender.filters import REMEDIATION_FIELDS, condition
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Severity
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.predicate import Membership
from gatewatch.model.remediation import (
    SYSTEM_CONFIRMATION,
    Category,
    ExceptionScope,
    Justification,
    Priority,
    RemediationActivity,
    RemediationException,
    RemediationStatus,
    RemediationType,
    Target,
)
from gatewatch.ports.control import FindingFilter
from gatewatch.ports.remediation import ExceptionFilter, RemediationFilter
from gatewatch.respond.remediating import completed
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON


def activity(number: int, **changes: Any) -> RemediationActivity:
    made = RemediationActivity(
        id=f"{number:036d}",
        title=f"Mend {number}",
        requester="ann",
        type=RemediationType.REQUIRE_AUTHENTICATION,
        category=Category.SECURITY_CONFIGURATION,
        priority=Priority.HIGH,
        recommendation="r",
        created_at=NOON + number,
        changed_at=NOON + number,
    )
    return msgspec.structs.replace(made, **changes)


def target(number: int, **changes: Any) -> Target:
    made = Target(endpoint_id=f"{number:016x}", endpoint=f"GET shop/{number}", finding=f"f{number}")
    return msgspec.structs.replace(made, **changes)


def finding(number: int, status: FindingStatus, exception: str = "") -> Finding:
    return Finding(
        id=f"f{number}",
        recommendation="r",
        title="Title",
        severity=Severity.HIGH,
        status=status,
        cause="because",
        remediation="Mend it.",
        endpoint_id=f"{number:016x}",
        endpoint=f"GET shop/{number}",
        evaluated_at=NOON,
        exception=exception,
    )


def keep(store: SqlControlStore, *given: RemediationActivity) -> None:
    with store.remediations.unit(NOON) as unit:
        for one in given:
            unit.put(one)


def test_activities_are_listed_filtered_and_paged(store: SqlControlStore) -> None:
    done = completed(activity(3, incident=7), "ann", NOON + 50)
    keep(store, activity(1, due_at=NOON + 5), activity(2, assigned_to="bob"), done, activity(4))
    table = store.remediations
    first, following = table.activities(RemediationFilter(), limit=3)
    rest, end = table.activities(RemediationFilter(), cursor=following, limit=3)
    assert [one.title for one in first + rest] == ["Mend 4", "Mend 3", "Mend 2", "Mend 1"]
    assert end == ""
    wanted = {
        "Mend 3": RemediationFilter(status=(RemediationStatus.COMPLETED,)),
        "Mend 2": RemediationFilter(assigned_to="bob"),
        "Mend 1": RemediationFilter(due_before=NOON + 6),
    }
    for title, where in wanted.items():
        assert [one.title for one in table.activities(where)[0]] == [title]
    assert table.activities(RemediationFilter(incident=7))[0] == [done]
    assert len(table.activities(RemediationFilter(assigned_to=""))[0]) == 3
    assert table.activities(RemediationFilter(type=(RemediationType.FIX_CODE,)))[0] == []
    assert table.activity(done.id) == done
    with pytest.raises(NotFoundError):
        table.activity("0" * 36)


def test_selected_as_odata_says(store: SqlControlStore) -> None:
    keep(store, activity(1), completed(activity(2), "ann", NOON), activity(3))

    def found(text: str, **more: int) -> list[str]:
        where = condition(text, REMEDIATION_FIELDS) if text else None
        return [one.title for one in store.remediations.select(where, **{"skip": 0, "limit": 10, **more})]

    assert found("") == ["Mend 3", "Mend 2", "Mend 1"]
    assert found("", skip=1, limit=1) == ["Mend 2"]
    assert found("status eq 'Active'") == ["Mend 3", "Mend 1"]
    assert found("status eq 'Completed'") == ["Mend 2"]
    since = datetime.fromtimestamp(NOON + 2, UTC).isoformat().replace("+00:00", "Z")
    assert found(f"createdOn ge {since} and status eq 'Active'") == ["Mend 3"]
    with pytest.raises(InputError):
        store.remediations.select(Membership("body", ("x",)), skip=0, limit=1)


def test_suspects_are_those_that_their_finding_speaks_against(store: SqlControlStore) -> None:
    states = {
        1: (False, FindingStatus.HEALTHY, True),
        2: (False, FindingStatus.UNHEALTHY, False),
        3: (False, None, True),
        4: (True, FindingStatus.UNHEALTHY, True),
        5: (True, FindingStatus.EXEMPT, False),
        6: (False, FindingStatus.NOT_APPLICABLE, False),
        7: (True, None, False),
    }
    store.put_findings([finding(number, status) for number, (_, status, _) in states.items() if status])
    one = activity(1)
    with store.remediations.unit(NOON) as unit:
        unit.put(one)
        unit.put_targets(one.id, [target(number, fixed=fixed) for number, (fixed, _, _) in states.items()])
        unit.put_targets(one.id, [target(8, finding="")])
        assert unit.count_targets(one.id) == (8, 3)
        assert [known.id for known in unit.findings("r", None)] == ["f2", "f4"]
        assert [known.id for known in unit.findings("r", [f"{1:016x}", f"{6:016x}"])] == ["f1", "f6"]
    found = store.remediations.suspects(100, ("", ""))
    assert [int(each.target.endpoint_id, 16) for each in found] == [n for n, (_, _, seen) in states.items() if seen]
    assert [each.finding is None for each in found] == [False, True, False]
    later = store.remediations.suspects(100, (one.id, found[0].target.endpoint_id))
    assert later == found[1:]
    first, following = store.remediations.targets(one.id, limit=5)
    rest, end = store.remediations.targets(one.id, cursor=following, limit=5)
    assert (len(first), len(rest), end) == (5, 3, "")
    assert len(store.remediations.targets(one.id, fixed=True)[0]) == 3


def test_a_target_moves_to_where_its_endpoint_went(store: SqlControlStore) -> None:
    one = activity(1)
    with store.remediations.unit(NOON) as unit:
        unit.put(one)
        unit.put_targets(one.id, [target(1), target(2)])
        unit.move_target(one.id, target(1).endpoint_id, target(9))
        unit.move_target(one.id, target(2).endpoint_id, target(9, why="second"))
    assert store.remediations.targets(one.id)[0] == [target(9)]


def test_completed_ones_are_forgotten_with_their_targets(store: SqlControlStore) -> None:
    old, new = completed(activity(1), "ann", NOON), completed(activity(2), "ann", NOON + 100)
    keep(store, old, new, activity(3))
    with store.remediations.unit(NOON) as unit:
        unit.put_targets(old.id, [target(1)])
        assert unit.forget_completed(NOON + 50) == [old]
    assert [one.id for one in store.remediations.activities(RemediationFilter())[0]] == [activity(3).id, new.id]
    assert store.remediations.targets(old.id)[0] == []


def test_nothing_is_kept_of_a_unit_that_fails(store: SqlControlStore) -> None:
    entry = Activity(
        at=NOON, origin=Origin.PERSON, by="ann", subject=Subject.REMEDIATION, subject_id="x", action="created"
    )

    def fail() -> None:
        with store.remediations.unit(NOON) as unit:
            unit.put(activity(1))
            unit.record([entry])
            raise InputError("no")

    with pytest.raises(InputError):
        fail()
    assert store.remediations.activities(RemediationFilter())[0] == []
    assert store.cases.activities(subject="remediation")[0] == []
    with store.remediations.unit(NOON) as unit:
        unit.record([entry])
    assert len(store.cases.activities(subject="remediation")[0]) == 1
    assert store.cases.verify_activities() == 1


def exception(number: int, **changes: Any) -> RemediationException:
    made = RemediationException(
        id=f"x{number}",
        recommendation="r",
        justification=Justification.RISK_ACCEPTED,
        context="because",
        created_at=NOON + number,
        created_by="ann",
        expires_at=NOON + 100,
    )
    return msgspec.structs.replace(made, **changes)


def test_exceptions_are_kept_and_counted(store: SqlControlStore) -> None:
    scope = ExceptionScope(endpoint_id="0" * 16)
    given = [exception(1), exception(2, scope=scope), exception(3, recommendation="s")]
    over = msgspec.structs.replace(exception(4), ended_at=NOON, ended_by=SYSTEM_CONFIRMATION)
    with store.remediations.unit(NOON) as unit:
        for one in [*given, over]:
            unit.put_exception(one)
        assert unit.standing("r", ExceptionScope()) == given[0]
        assert unit.standing("r", scope) == given[1]
        assert unit.standing("s", scope) is None
        assert unit.exception("x4") == over
    table = store.remediations
    assert table.unended() == given
    assert [one.id for one in table.exceptions(ExceptionFilter(recommendation="r", ended=False))[0]] == ["x2", "x1"]
    first, following = table.exceptions(ExceptionFilter(), limit=3)
    assert [one.id for one in first + table.exceptions(ExceptionFilter(), cursor=following)[0]] == [
        "x4",
        "x3",
        "x2",
        "x1",
    ]
    store.put_findings([finding(1, FindingStatus.EXEMPT, "x1"), finding(2, FindingStatus.UNHEALTHY)])
    assert sorted(table.finding_counts()) == [
        ("r", FindingStatus.EXEMPT, "x1", 1),
        ("r", FindingStatus.UNHEALTHY, "", 1),
    ]
    (shown,) = store.findings(FindingFilter(status=(FindingStatus.EXEMPT,)))[0]
    assert (shown.judged, shown.exception) == (FindingStatus.UNHEALTHY, "x1")
