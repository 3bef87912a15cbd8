"""Alerts and incidents by a condition: the same on both engines as in Python."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatewatch.errors import InputError
from gatewatch.model.activity import Subject
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.predicate import (
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operator,
    Predicate,
)
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import Selection
from gatewatch.services.incidents import Casework, Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON, alert

OPERATORS: dict[Operator, Any] = {
    Operator.EQ: eq,
    Operator.NE: ne,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}
ALERTS = [
    alert(
        number,
        status=list(AlertStatus)[number % 4],
        severity=list(Severity)[number % 3],
        classification=list(Classification)[number % 2],
        assigned_to=("", "ann", "bob")[number % 3],
        first_seen=NOON - number,
        client_ips=(f"198.51.{number}.1",),
        actors=(),
        endpoints=(f"GET shop /p{number}",),
        alert_type=f"T{number}",
    )
    for number in range(24)
]


def filled(store: SqlControlStore) -> list[Alert]:
    for one in ALERTS:
        store.upsert_alerts([one], at=NOON + int(one.id[1:]) // 3)
    return [store.alert(one.id) for one in ALERTS]


def value_of(one: Alert, field: str) -> Any:
    found = getattr(one, field)
    return found.rank if isinstance(found, Severity) else getattr(found, "value", found)


def holds(tree: Predicate, one: Alert) -> bool:
    match tree:
        case Comparison():
            return bool(OPERATORS[tree.operator](value_of(one, tree.field), tree.value))
        case Membership():
            return value_of(one, tree.field) in tree.values
        case Negation():
            return not holds(tree.part, one)
        case Conjunction():
            return all(holds(part, one) for part in tree.parts)
        case Disjunction():
            return any(holds(part, one) for part in tree.parts)


leaves = st.one_of(
    st.builds(
        Comparison,
        st.sampled_from(["created_at", "changed_at"]),
        st.sampled_from(Operator),
        st.integers(0, 8).map(lambda second: NOON + second),
    ),
    st.lists(st.sampled_from(["new", "resolved", "dismissed"]), max_size=2).map(
        lambda v: Membership("status", tuple(v))
    ),
    st.lists(st.integers(0, 3), max_size=2).map(lambda v: Membership("severity", tuple(v))),
    st.lists(st.sampled_from(["", "ann"]), max_size=2).map(lambda v: Membership("assigned_to", tuple(v))),
    st.sampled_from(Classification).map(lambda v: Membership("classification", (v.value,))),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(Negation),
        st.lists(inner, max_size=3).map(lambda parts: Conjunction(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Disjunction(tuple(parts))),
    ),
    max_leaves=6,
)


def pages(store: SqlControlStore, wanted: Selection) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while True:
        page, cursor = store.cases.select_alerts(
            Selection(
                where=wanted.where, order=wanted.order, descending=wanted.descending, limit=wanted.limit, cursor=cursor
            )
        )
        seen += [one.id for one in page]
        if not cursor:
            return seen


def test_conditions_orders_and_pages_mean_what_they_mean_in_python(store: SqlControlStore) -> None:
    known = filled(store)

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    @given(
        trees,
        st.sampled_from(["created_at", "changed_at", "first_seen", "last_seen", "id"]),
        st.sampled_from(["asc", "desc"]),
        st.integers(1, 30),
    )
    def same(where: Predicate, order: str, way: str, limit: int) -> None:
        descending = way == "desc"
        fitting = [one for one in known if holds(where, one)]
        expected = sorted(fitting, key=lambda one: (value_of(one, order), one.id), reverse=descending)
        wanted = Selection(where=where, order=order, descending=descending, limit=limit)
        assert pages(store, wanted) == [one.id for one in expected]
        assert store.cases.count_alerts(where) == len(expected)

    same()


def test_skipping_goes_past_the_first(store: SqlControlStore) -> None:
    filled(store)
    page, following = store.cases.select_alerts(Selection(order="created_at", descending=False, skip=20, limit=3))
    assert [one.id for one in page] == ["a0020", "a0021", "a0022"]
    last, nothing = store.cases.select_alerts(
        Selection(order="created_at", descending=False, skip=20, limit=3, cursor=following)
    )
    assert ([one.id for one in last], nothing) == (["a0023"], "")
    assert store.cases.select_alerts(Selection(order="created_at", skip=99))[0] == []


def worked(store: SqlControlStore) -> Casework:
    summing = Summing(lambda _: {}, dict)
    Correlation(store.cases, summing, lambda _: {}, lambda: NOON + 100).run()
    return Casework(store.cases, summing, lambda: NOON + 200)


def test_incidents_too_and_their_comments(store: SqlControlStore) -> None:
    filled(store)
    casework = worked(store)
    still = Membership("status", (IncidentStatus.ACTIVE.value,))
    found, _ = store.cases.select_incidents(Selection(where=still, order="created_at", limit=100))
    assert found
    assert {one.status for one in found} == {IncidentStatus.ACTIVE}
    assert store.cases.count_incidents(still) == len(found)
    numbers = [str(one.id) for one in found[:2]]
    casework.comment(Subject.INCIDENT, numbers[0], "One.", by="ann")
    casework.comment(Subject.INCIDENT, numbers[0], "Two.", by="bob")
    casework.comment(Subject.ALERT, "a0001", "Three.", by="ann")
    comments = store.cases.comments(Subject.INCIDENT, numbers)
    assert {number: [one.text for one in entries] for number, entries in comments.items()} == {
        numbers[0]: ["One.", "Two."]
    }
    assert list(store.cases.comments(Subject.ALERT, ["a0001", "a0002"])) == ["a0001"]


NOT_OFFERED = {
    "an order": Selection(order="body"),
    "a column": Selection(order="id", where=Membership("body", ("x",))),
    "a column deep inside": Selection(order="id", where=Negation(Conjunction((Comparison("key", Operator.EQ, "x"),)))),
    "the cursor of another order": Selection(order="created_at", cursor="kqFhoWI"),
}


@pytest.mark.parametrize("name", NOT_OFFERED)
def test_only_columns_on_the_list_can_be_named(store: SqlControlStore, name: str) -> None:
    with pytest.raises(InputError):
        store.cases.select_alerts(NOT_OFFERED[name])


def test_values_are_values(store: SqlControlStore) -> None:
    filled(store)
    for text in ("' OR 1=1 --", "%", "ann "):
        assert store.cases.count_alerts(Membership("assigned_to", (text,))) == 0
    with pytest.raises(InputError):
        store.cases.count_alerts(Membership("assigned_to", ("\ud800",)))
