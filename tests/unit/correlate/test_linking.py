"""What joins, what stays apart, and why: a table of both."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.correlate.entities import entities_of, keys_of, network_of
from gatewatch.correlate.guards import obstacle
from gatewatch.correlate.linking import JOIN, Meeting, matches
from gatewatch.model.alert import Alert, Severity, Tactic
from gatewatch.model.correlation import CorrelationReason, Entity, EntityKind
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.testing.alerts import NOON, alert

HOUR = 3600.0
ME = (Actor(ActorKind.SUBJECT, "ann"),)


def incident(**changes: Any) -> Incident:
    given: dict[str, Any] = {
        "id": 1,
        "name": "x",
        "severity": Severity.MEDIUM,
        "created_at": NOON,
        "updated_at": NOON,
        "first_activity": NOON - HOUR,
        "last_activity": NOON,
        "first_detected": NOON - HOUR,
        "alerts": 2,
        "alert_types": ("API_Other",),
        "tactics": (Tactic.IMPACT,),
    }
    return Incident(**given | changes)


def met(kind: str, value: str, *, gap_s: float = 60, shared_by: int = 1) -> Meeting:
    return Meeting(incident=1, kind=kind, value=value, gap_s=gap_s, shared_by=shared_by)


def belief(meetings: list[Meeting], *, crowds: dict[str, int] | None = None, **changes: Any) -> float:
    (match,) = matches(
        alert(1, tactic=Tactic.IMPACT), meetings, {1: incident(**changes)}, crowds or {}, history_s=10 * HOUR
    )
    return match.belief


ACTOR, ADDRESS, ENDPOINT = met("actor", "subject:ann"), met("address", "203.0.113.7"), met("endpoint", "GET shop /x")
NETWORK, PRACTICE = met("network", "203.0.113.0/24"), met("practice", "API_Test GET shop /x")
JOINS = {
    "an actor": [ACTOR],
    "an actor after a day": [met("actor", "subject:ann", gap_s=23.9 * HOUR)],
    "an address": [ADDRESS],
    "the same detection after days": [met("rule", "d.one:k", gap_s=90 * HOUR)],
    "network, endpoint and technique at once": [NETWORK, ENDPOINT, PRACTICE],
}
APART = {
    "an endpoint": [ENDPOINT],
    "an endpoint and its technique": [ENDPOINT, PRACTICE],
    "the same endpoints one by one": [met("endpoint", f"GET shop /{n}") for n in range(6)],
    "the same endpoints with one technique": [
        met(kind, f"{before}GET shop /{n}")
        for n in range(6)
        for kind, before in (("endpoint", ""), ("practice", "API_Test "))
    ],
    "a network": [NETWORK],
    "an address after a day": [met("address", "203.0.113.7", gap_s=23.9 * HOUR)],
    "an actor after two days": [met("actor", "subject:ann", gap_s=48 * HOUR)],
    "a network and an endpoint that many name": [
        met("network", "203.0.113.0/24", shared_by=9),
        met("endpoint", "GET shop /x", shared_by=20),
        PRACTICE,
    ],
}


@pytest.mark.parametrize("name", JOINS)
def test_this_joins(name: str) -> None:
    assert belief(JOINS[name]) >= JOIN


@pytest.mark.parametrize("name", APART)
def test_this_stays_apart(name: str) -> None:
    assert belief(APART[name]) < JOIN


def test_an_address_says_less_the_more_stand_behind_it() -> None:
    found = [belief([ADDRESS], crowds={"203.0.113.7": size}) for size in (0, 3, 10, 200)]
    assert found[0] == found[1] > found[2] > found[3]
    assert found[0] >= JOIN > found[2]


def test_the_next_step_of_an_attack_is_a_reason_and_a_step_back_is_none() -> None:
    forward = belief([ENDPOINT], tactics=(Tactic.DISCOVERY,))
    assert forward > belief([ENDPOINT], tactics=(Tactic.IMPACT,))


def test_reasons_name_what_is_shared_strongest_first() -> None:
    (match,) = matches(alert(1), [ENDPOINT, ACTOR, NETWORK], {1: incident()}, {}, history_s=0)
    assert (match.links[0].reason, match.links[0].subject) == (CorrelationReason.SAME_ACTOR, "subject:ann")
    assert [link.weight for link in match.links] == sorted((link.weight for link in match.links), reverse=True)


def test_two_who_walk_the_same_api_stay_apart_even_where_the_one_step_follows_the_other() -> None:
    walked = [met("endpoint", f"GET shop /{n}", gap_s=0) for n in range(6)] + [PRACTICE]
    assert belief(walked, tactics=(Tactic.CREDENTIAL_ACCESS,), alert_types=("API_Test",)) < JOIN


def test_a_network_says_nothing_beside_its_own_address() -> None:
    (match,) = matches(alert(1), [ADDRESS, NETWORK], {1: incident()}, {}, history_s=0)
    assert CorrelationReason.SAME_NETWORK not in {link.reason for link in match.links}


def test_an_actor_that_is_only_an_address_is_an_address() -> None:
    found = entities_of(alert(1, actors=(Actor(ActorKind.ADDRESS, "192.0.2.1"), *ME), client_ips=("192.0.2.1",)))
    assert found.count(Entity(EntityKind.ADDRESS, "192.0.2.1")) == 1
    assert Entity(EntityKind.ACTOR, "subject:ann") in found


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.0/24"), ("2001:db8:1:2::7", "2001:db8:1::/48"), ("unknown", ""), ("", "")],
)
def test_networks(address: str, network: str) -> None:
    assert network_of(address) == network


def test_an_alert_that_names_nothing_still_has_a_key() -> None:
    bare: Alert = alert(1, actors=(), client_ips=(), endpoints=())
    assert [kind for kind, _ in keys_of(bare)] == ["rule"]


def test_what_keeps_incidents_apart() -> None:
    assert obstacle(incident(), incident(id=2), 10) == ""
    assert obstacle(incident(assigned_to="ann"), incident(id=2), 10) == ""
    assert "different people" in obstacle(incident(assigned_to="ann"), incident(id=2, assigned_to="bob"), 10)
    assert "resolved" in obstacle(incident(), incident(id=2, status=IncidentStatus.RESOLVED), 10)
    assert "more than" in obstacle(incident(), incident(id=2), 10_000)
