"""What the recommendations say of an endpoint."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.unit.inventory.test_judging import NOON, judged

from gatewatch.model.alert import Severity
from gatewatch.model.finding import FindingStatus
from gatewatch.model.inventory import Activity
from gatewatch.posture.recommendation import all_recommendations, judge

DAY = 86_400
CASES: dict[str, tuple[str, dict[str, Any], FindingStatus]] = {
    "open to everybody": ("endpoint_authentication", {"anonymous_accepted": 9}, FindingStatus.UNHEALTHY),
    "asks for credentials": ("endpoint_authentication", {"authenticated_accepted": 9}, FindingStatus.HEALTHY),
    "nothing known of credentials": (
        "endpoint_authentication",
        {"credential_evidence": 0},
        FindingStatus.NOT_APPLICABLE,
    ),
    "not called for a month": ("endpoint_unused", {"last_seen": NOON - 31 * DAY}, FindingStatus.UNHEALTHY),
    "called this month": ("endpoint_unused", {"last_seen": NOON - 29 * DAY}, FindingStatus.HEALTHY),
}


def found(name: str, endpoint: Any) -> Any:
    return next(f for f in judge([endpoint], all_recommendations(), NOON) if f.recommendation == name)


@pytest.mark.parametrize("case", CASES)
def test_a_recommendation_says(case: str) -> None:
    name, facts, status = CASES[case]
    finding = found(name, judged(**facts))
    assert finding.status is status
    assert finding.cause


def test_an_endpoint_that_was_never_called_is_not_unused() -> None:
    waiting = msgspec.structs.replace(judged(), activity=Activity.AWAITING_DATA)
    assert found("endpoint_unused", waiting).status is FindingStatus.NOT_APPLICABLE


def test_severities_are_microsofts() -> None:
    assert {r.meta.id: r.meta.severity for r in all_recommendations()} == {
        "endpoint_authentication": Severity.HIGH,
        "endpoint_unused": Severity.LOW,
    }


def test_a_finding_keeps_its_id_and_other_endpoints_have_others() -> None:
    one, again, other = judged(), judged(calls=7), judged(endpoint_id=9)
    assert found("endpoint_unused", one).id == found("endpoint_unused", again).id
    assert found("endpoint_unused", one).id != found("endpoint_unused", other).id
