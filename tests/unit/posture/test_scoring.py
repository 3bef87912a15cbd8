"""Points of controls, of collections, and which changes are told (reference/microsoft.md 11.3)."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.model.finding import FindingStatus
from gatewatch.model.score import OVERALL, CollectionScore, ControlScore, Judgement, SecureScore, entries
from gatewatch.posture.controls import BEST_PRACTICES, CONTROLS
from gatewatch.posture.recommendation import all_recommendations
from gatewatch.posture.scoring import controls_of, moved, score_collections, score_controls, tally, weighted

HEALTHY, UNHEALTHY, NOT = FindingStatus.HEALTHY, FindingStatus.UNHEALTHY, FindingStatus.NOT_APPLICABLE
CONTROLLED = {
    "auth": "access_and_permissions",
    "keys": "access_and_permissions",
    "unused": "security_configurations",
    "style": BEST_PRACTICES,
}


def scored(*judged: tuple[str, str, FindingStatus]) -> tuple[ControlScore, ...]:
    return score_controls(tally([Judgement(*one) for one in judged], CONTROLLED), CONTROLLED)


def control(healthy: int, unhealthy: int, points: float = 4.0, name: str = "access_and_permissions") -> ControlScore:
    return ControlScore(
        control=name,
        title=name,
        recommendations=(),
        max=points,
        healthy=healthy,
        unhealthy=unhealthy,
        not_applicable=0,
    )


def test_microsofts_example() -> None:
    one = control(4, 74, points=6.0)
    assert round(one.current, 2) == 0.31
    assert round(one.potential_increase, 2) == 5.69


COUNTED: dict[str, tuple[list[tuple[str, str, FindingStatus]], dict[str, tuple[int, int, int]]]] = {
    "one of two": (
        [("a", "auth", HEALTHY), ("b", "auth", UNHEALTHY)],
        {"access_and_permissions": (1, 1, 0)},
    ),
    "an endpoint is unhealthy when one recommendation of the control says so": (
        [("a", "auth", HEALTHY), ("a", "keys", UNHEALTHY), ("b", "keys", UNHEALTHY), ("b", "auth", HEALTHY)],
        {"access_and_permissions": (0, 2, 0)},
    ),
    "and healthy when the others do not apply": (
        [("a", "auth", HEALTHY), ("a", "keys", NOT), ("b", "keys", NOT), ("b", "auth", HEALTHY)],
        {"access_and_permissions": (2, 0, 0)},
    ),
    "what does not apply does not count": (
        [("a", "auth", HEALTHY), ("b", "auth", NOT)],
        {"access_and_permissions": (1, 0, 1)},
    ),
    "what is exempt counts neither way": (
        [("a", "auth", FindingStatus.EXEMPT), ("a", "keys", HEALTHY), ("b", "auth", FindingStatus.EXEMPT)],
        {"access_and_permissions": (1, 0, 1)},
    ),
    "a control with nothing to judge does not count": (
        [("a", "auth", NOT), ("a", "unused", HEALTHY)],
        {"security_configurations": (1, 0, 0)},
    ),
    "a recommendation that is no more does not count": ([("a", "gone", UNHEALTHY)], {}),
    "best practices have no points and are shown": ([("a", "style", UNHEALTHY)], {BEST_PRACTICES: (0, 1, 0)}),
    "nothing at all": ([], {}),
}


@pytest.mark.parametrize("case", COUNTED)
def test_endpoints_are_counted(case: str) -> None:
    judged, wanted = COUNTED[case]
    found = {one.control: (one.healthy, one.unhealthy, one.not_applicable) for one in scored(*judged)}
    assert found == wanted


def test_the_whole_is_the_sum_and_the_most_to_gain_stands_first() -> None:
    found = scored(("a", "auth", HEALTHY), ("a", "unused", HEALTHY), ("b", "unused", UNHEALTHY), ("b", "auth", NOT))
    whole = SecureScore(at=0.0, controls=found)
    assert [one.control for one in found] == ["security_configurations", "access_and_permissions"]
    assert (whole.current, whole.max, whole.percentage) == (6.0, 8.0, 75.0)
    assert SecureScore(at=0.0, controls=scored(("a", "style", UNHEALTHY))).percentage is None
    assert [*entries(whole)] == [OVERALL, "security_configurations", "access_and_permissions"]


def test_collections_are_weighed_by_what_was_judged_in_them() -> None:
    judged = [
        *(Judgement(f"shop{n}", "auth", HEALTHY) for n in range(3)),
        Judgement("bank0", "auth", UNHEALTHY),
        Judgement("bank0", "unused", NOT),
        Judgement("bank1", "auth", FindingStatus.EXEMPT),
        Judgement("nowhere", "auth", UNHEALTHY),
    ]
    place = {"bank0": "bank", "bank1": "bank", **{f"shop{n}": "shop" for n in range(3)}}
    bank, shop = score_collections(tally(judged, CONTROLLED), place)
    assert bank == CollectionScore(collection_id="bank", current=0.0, max=4.0, healthy=0, unhealthy=1)
    assert (shop.collection_id, shop.current, shop.weight) == ("shop", 4.0, 3)
    assert weighted([bank, shop]) == 75.0
    assert weighted([]) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(sorted(CONTROLLED)), st.sampled_from(FindingStatus))))
def test_points_stay_within_their_bounds(judged: list[tuple[int, str, FindingStatus]]) -> None:
    for one in scored(*((str(number), name, status) for number, name, status in judged)):
        assert 0.0 <= one.current <= one.max
        assert math.isclose(one.current + one.potential_increase, one.max)
        assert one.healthy + one.unhealthy > 0


TOLD: dict[str, tuple[list[ControlScore], list[ControlScore], tuple[str, ...]]] = {
    "the first one": ([], [control(1, 1)], (OVERALL, "access_and_permissions")),
    "the same again": ([control(1, 1)], [control(1, 1)], ()),
    "twice as many of both": ([control(1, 1)], [control(2, 2)], ()),
    "half a point": ([control(1, 1)], [control(5, 3)], (OVERALL, "access_and_permissions")),
    "less than a hundredth of anything": ([control(50_000, 50_000)], [control(50_001, 49_999)], ()),
    "a hundredth of a percent, less of a point": ([control(5000, 5000)], [control(5001, 4999)], (OVERALL,)),
    "a control that comes": (
        [control(1, 1)],
        [control(1, 1), control(1, 1, name="network_access")],
        (OVERALL, "network_access"),
    ),
    "a control that goes": ([control(1, 1), control(1, 1, name="network_access")], [control(1, 1)], (OVERALL,)),
    "nothing left": ([control(1, 1)], [], (OVERALL,)),
}


@pytest.mark.parametrize("case", TOLD)
def test_a_change_of_a_hundredth_is_told(case: str) -> None:
    before, now, wanted = TOLD[case]
    first, _ = moved(None, SecureScore(at=0.0, controls=tuple(before)))
    assert moved(first, SecureScore(at=1.0, controls=tuple(now)))[1] == wanted


def test_small_steps_add_up_to_one_that_is_told() -> None:
    score, told = moved(None, SecureScore(at=0.0, controls=(control(50_000, 50_000),)))
    tolds = []
    for step in range(1, 21):
        new, told = moved(score, SecureScore(at=0.0, controls=(control(50_000 + step, 50_000 - step),)))
        tolds.append(told)
        score = new if told else score
    assert [number for number, told in enumerate(tolds, start=1) if told] == [10, 20]


def test_every_recommendation_names_a_control_that_there_is() -> None:
    for one in all_recommendations():
        assert one.meta.control in CONTROLS, one.meta.id
    assert controls_of(all_recommendations())["endpoint_authentication"] == "access_and_permissions"
