"""What guardrails forbid, whatever way the target is written."""

from __future__ import annotations

import pytest

from gatewatch.model.containment import BlastRadius, ContainmentPlan, Effect, Scope, ScopeKind
from gatewatch.respond.guarding import Guardrails, obstacles

K = ScopeKind
RAILS = Guardrails(
    protected=(
        "10.1.0.0/16",
        "2001:db8:1::/48",
        "subject:ann",
        "consumer:partner",
        "GET shop.example /health",
        "pay.example",
        "shop.example/internal",
    )
)
PROTECTED = {
    "an address": Scope(kind=K.ADDRESS, value="10.1.2.3"),
    "a range around it": Scope(kind=K.RANGE, value="10.1.0.0/20"),
    "IPv4 written as IPv6": Scope(kind=K.ADDRESS, value="::ffff:10.1.2.3"),
    "a range of IPv4 written as IPv6": Scope(kind=K.RANGE, value="::ffff:10.1.2.0/120"),
    "an actor that is an address": Scope(kind=K.ACTOR, value="address:10.1.2.3"),
    "an actor that is IPv4 written as IPv6": Scope(kind=K.ACTOR, value="address:::ffff:10.1.2.3"),
    "IPv6 in capitals": Scope(kind=K.ADDRESS, value="2001:DB8:1:0::7"),
    "an actor": Scope(kind=K.ACTOR, value="subject:ann"),
    "a consumer": Scope(kind=K.CONSUMER, value="partner"),
    "a consumer as actor": Scope(kind=K.ACTOR, value="consumer:partner"),
    "an endpoint": Scope(kind=K.ENDPOINT, value="GET shop.example /health"),
    "the host of an endpoint": Scope(kind=K.COLLECTION, value="shop.example"),
    "a template that covers it": Scope(kind=K.ENDPOINT, value="GET shop.example /{slug}"),
    "an address at it": Scope(kind=K.ADDRESS, value="203.0.113.7", endpoint="GET shop.example /health"),
    "a host": Scope(kind=K.COLLECTION, value="PAY.example"),
    "a path of a host": Scope(kind=K.COLLECTION, value="pay.example/v1"),
    "an endpoint of a host": Scope(kind=K.ENDPOINT, value="POST pay.example /v1/charges"),
    "an endpoint below a path": Scope(kind=K.ENDPOINT, value="GET shop.example /internal/users/{int}"),
}
FREE = {
    "another address": Scope(kind=K.ADDRESS, value="10.2.2.3"),
    "another host": Scope(kind=K.COLLECTION, value="notpay.example"),
    "another endpoint": Scope(kind=K.ENDPOINT, value="GET shop.example /orders/{int}"),
    "another method": Scope(kind=K.ENDPOINT, value="POST shop.example /health"),
    "beside a path": Scope(kind=K.COLLECTION, value="shop.example/internals"),
    "a consumer of an actor's name": Scope(kind=K.CONSUMER, value="ann"),
    "an address at another endpoint": Scope(kind=K.ADDRESS, value="203.0.113.7", endpoint="GET shop.example /orders"),
}
TOO_WIDE = {
    "all of IPv4 as IPv6": "::ffff:0:0/96",
    "a tenth of IPv4 as IPv6": "::ffff:192.0.0.0/104",
    "what holds all of IPv4": "::/64",
    "IPv4": "203.0.0.0/16",
    "IPv6": "2001:db8::/32",
}


def plan(scope: Scope, effect: Effect = Effect.BLOCK, *, forced: bool = False) -> ContainmentPlan:
    return ContainmentPlan(gateway="edge", scope=scope, effect=effect, duration_s=60, reason="test", forced=forced)


def said(wanted: ContainmentPlan, *bystanders: str) -> str:
    radius = BlastRadius(hours=24, calls=100, calls_hit=1, actors_hit=1, bystanders=bystanders)
    return "; ".join(obstacles(wanted, radius, (), RAILS))


@pytest.mark.parametrize("name", PROTECTED)
def test_what_is_protected_is_so_however_it_is_written(name: str) -> None:
    assert "is protected" in said(plan(PROTECTED[name], forced=True))


@pytest.mark.parametrize("name", FREE)
def test_what_is_beside_it_is_free(name: str) -> None:
    assert said(plan(FREE[name])) == ""


@pytest.mark.parametrize("name", TOO_WIDE)
def test_a_range_is_as_wide_as_what_it_matches(name: str) -> None:
    told = said(plan(Scope(kind=K.RANGE, value=TOO_WIDE[name]), forced=True))
    assert "is wider than" in told or "holds all of IPv4" in told


def test_who_is_protected_is_so_behind_an_address_of_others() -> None:
    office = Scope(kind=K.ADDRESS, value="198.51.100.7")
    assert said(plan(office, forced=True), "subject:ann") == "subject:ann is protected, and calls from there"
    assert said(plan(office, Effect.MIRROR), "subject:ann") == ""
    assert said(plan(office), "subject:bob") == ""
