"""What the calls of an endpoint say about it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.inventory.judging import INACTIVE_AFTER_S, judge_endpoint, judge_information
from gatewatch.model.inventory import Activity, Authentication, EndpointFacts, InformationFact
from gatewatch.model.observation import Location

NOON = 1_767_268_800.0
FACTS = EndpointFacts(
    endpoint_id=0xAB,
    method="GET",
    host="shop.example",
    template="/api/users/{int}",
    operation="",
    first_seen=NOON - 500,
    last_seen=NOON,
    calls=100,
    calls_by_status_class={"2xx": 100},
    authenticated_accepted=0,
    anonymous_accepted=0,
    anonymous_refused=0,
    credential_evidence=100,
    external_last_seen=0.0,
    actors=3,
    clients=3,
)
EMAIL = InformationFact(
    type="email",
    location=Location.RESPONSE_BODY,
    path="mail",
    transactions=1,
    share=0.001,
    first_seen=NOON,
    last_seen=NOON,
)


def judged(now: float = NOON, **changes: Any) -> Any:
    return judge_endpoint(msgspec.structs.replace(FACTS, **changes), (), collection_id="c", now=now)


UNAUTHENTICATED: dict[str, dict[str, Any]] = {
    "every accepted call was anonymous": {"anonymous_accepted": 40},
    "some accepted calls were anonymous": {"anonymous_accepted": 10, "authenticated_accepted": 90},
    "one of few was anonymous, though others were refused": {
        "anonymous_accepted": 1,
        "authenticated_accepted": 20,
        "anonymous_refused": 5,
    },
    "one of very many was anonymous and none was ever refused": {
        "anonymous_accepted": 1,
        "authenticated_accepted": 5000,
    },
}
AUTHENTICATED: dict[str, dict[str, Any]] = {
    "every accepted call carried a credential": {"authenticated_accepted": 40},
    "anonymous calls were refused and none accepted": {"anonymous_refused": 4},
    "a stray anonymous call among thousands, while others were refused": {
        "anonymous_accepted": 1,
        "authenticated_accepted": 5000,
        "anonymous_refused": 9,
    },
}
AWAITING: dict[str, dict[str, Any]] = {
    "the source shows no credentials": {"credential_evidence": 0, "authenticated_accepted": 0},
    "nothing was accepted and nothing refused": {},
    "preflight requests never carry credentials": {"method": "OPTIONS", "anonymous_accepted": 50},
    "nobody called for a month": {"authenticated_accepted": 40, "last_seen": NOON - INACTIVE_AFTER_S - 1},
}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param(facts, expected, id=name)
        for table, expected in (
            (UNAUTHENTICATED, Authentication.UNAUTHENTICATED),
            (AUTHENTICATED, Authentication.AUTHENTICATED),
            (AWAITING, Authentication.AWAITING_DATA),
        )
        for name, facts in table.items()
    ],
)
def test_authentication_is_judged_by_what_the_calls_did(facts: dict[str, Any], expected: Authentication) -> None:
    endpoint = judged(**facts)
    assert endpoint.authentication is expected
    assert endpoint.authentication_why


def test_thirty_days_to_the_second_are_still_active() -> None:
    assert judged(now=NOON + INACTIVE_AFTER_S).activity is Activity.ACTIVE
    assert judged(now=NOON + INACTIVE_AFTER_S + 1).activity is Activity.INACTIVE


def test_ids_are_sixteen_hex_digits_and_never_external_is_none() -> None:
    assert judged().id == "00000000000000ab"
    assert judged().external_last_seen is None
    assert judged(external_last_seen=NOON).external_last_seen == NOON


ASSIGNED: dict[str, dict[str, Any]] = {
    "a type whose check leaves no doubt, seen once": {},
    "an uncertain type in a tenth of the samples": {"type": "credit_card", "share": 0.1},
    "an uncertain type in a thousandth of the samples, but often": {"type": "credit_card", "transactions": 30},
}
NOT_ASSIGNED: dict[str, dict[str, Any]] = {
    "an uncertain type in a thousandth of the samples": {"type": "credit_card"},
    "an uncertain type a little below the share": {"type": "phone", "share": 0.049, "transactions": 29},
    "a number that looked like a national id once": {"type": "us_ssn"},
}


@pytest.mark.parametrize("name", ASSIGNED)
def test_information_is_assigned(name: str) -> None:
    assert judge_information([msgspec.structs.replace(EMAIL, **ASSIGNED[name])])


@pytest.mark.parametrize("name", NOT_ASSIGNED)
def test_chance_hits_are_not_information(name: str) -> None:
    assert not judge_information([msgspec.structs.replace(EMAIL, **NOT_ASSIGNED[name])])


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
@settings(deadline=None, max_examples=100)
def test_without_evidence_nothing_is_called_unauthenticated(
    named: int, anonymous: int, refused: int, seen: int
) -> None:
    endpoint = judged(
        authenticated_accepted=named, anonymous_accepted=anonymous, anonymous_refused=refused, credential_evidence=seen
    )
    if endpoint.authentication is Authentication.UNAUTHENTICATED:
        assert seen
        assert anonymous
    if endpoint.authentication is Authentication.AUTHENTICATED:
        assert named or refused
