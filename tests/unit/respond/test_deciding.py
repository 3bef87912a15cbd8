"""Which calls fall under which enforcement."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway_rigs.rig import BAD, ENDPOINT, NOW, one

from gatewatch.model.containment import Effect, Scope, ScopeKind
from gatewatch.model.decision import AskedCall
from gatewatch.model.enforcement import Enforcement, place_of
from gatewatch.respond.deciding import DecisionTable

HIT: dict[str, tuple[Enforcement, dict[str, object]]] = {
    "an address": (one(1), {}),
    "an address as IPv4-mapped IPv6": (one(1), {"address": f"::ffff:{BAD}"}),
    "a range": (one(1, "203.0.113.0/24", kind=ScopeKind.RANGE), {}),
    "everything IPv6": (one(1, "::/0", kind=ScopeKind.RANGE), {"address": "2001:db8::1"}),
    "an actor": (one(1, "key:00ff", kind=ScopeKind.ACTOR), {"actors": (("key", "00ff"),)}),
    "an actor that is an address": (one(1, f"address:{BAD}", kind=ScopeKind.ACTOR), {}),
    "a consumer": (one(1, "partner", kind=ScopeKind.CONSUMER), {"actors": (("consumer", "partner"),)}),
    "an endpoint": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {}),
    "an endpoint, host with port and capitals": (
        one(1, ENDPOINT, kind=ScopeKind.ENDPOINT),
        {"host": "Shop.Example:8443"},
    ),
    "an endpoint, path dressed up": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {"path": "//api;x=1/%75%73ers/7//"}),
    "an address at an endpoint": (one(1, endpoint=ENDPOINT), {}),
    "a collection": (one(1, "shop.example/api", kind=ScopeKind.COLLECTION), {}),
    "an endpoint of an IPv6 address": (
        one(1, "GET [2001:db8::1]:8443 /users", kind=ScopeKind.ENDPOINT),
        {"host": "[2001:DB8::1]:8443", "path": "/users"},
    ),
    "a whole host": (one(1, "shop.example", kind=ScopeKind.COLLECTION), {}),
}
MISS: dict[str, tuple[Enforcement, dict[str, object]]] = {
    "another address": (one(1), {"address": "203.0.113.8"}),
    "no address": (one(1), {"address": "unix:"}),
    "another version of IP": (one(1, "::/0", kind=ScopeKind.RANGE), {}),
    "another key": (one(1, "key:00ff", kind=ScopeKind.ACTOR), {"actors": (("key", "00fe"),)}),
    "a subject of the same name": (one(1, "partner", kind=ScopeKind.CONSUMER), {"actors": (("subject", "partner"),)}),
    "another method": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {"method": "POST"}),
    "another host": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {"host": "shop.example.org"}),
    "a literal beside the placeholder": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {"path": "/api/users/me"}),
    "a longer path": (one(1, ENDPOINT, kind=ScopeKind.ENDPOINT), {"path": "/api/users/7/orders"}),
    "an address elsewhere": (one(1, endpoint=ENDPOINT), {"path": "/"}),
    "beside a collection": (one(1, "shop.example/api", kind=ScopeKind.COLLECTION), {"path": "/apis"}),
    "expired": (one(0), {}),
    "a scope that can't be read": (one(1, "300.1.1.1"), {}),
}


def call(**more: object) -> AskedCall:
    known = {"address": BAD, "method": "GET", "host": "shop.example", "path": "/api/users/7"}
    return msgspec.convert({**known, **more}, AskedCall)


@pytest.mark.parametrize("name", HIT)
def test_falls_under(name: str) -> None:
    made, more = HIT[name]
    assert DecisionTable([made]).matching(call(**more), NOW) == [made]


@pytest.mark.parametrize("name", MISS)
def test_does_not_fall_under(name: str) -> None:
    made, more = MISS[name]
    assert DecisionTable([made]).matching(call(**more), NOW) == []


def test_the_harshest_comes_first() -> None:
    mild, harsh = one(1, effect=Effect.MIRROR), one(2, effect=Effect.BLOCK)
    assert DecisionTable([mild, harsh]).matching(call(), NOW) == [harsh, mild]


@given(st.text(max_size=60))
def test_a_pattern_never_breaks_out_of_quotes(text: str) -> None:
    """Whatever a template holds: nothing in the pattern ends a string, a directive or a line of any gateway."""
    try:
        place = place_of(Scope(kind=ScopeKind.ENDPOINT, value=f"GET shop.example /{text}"))
    except ValueError:
        return
    assert place
    for raw in (False, True):
        pattern = place.pattern(raw=raw)
        re.compile(pattern)
        assert not re.search(r"[\s\"'`#&<>]", re.sub(r"[^\x00-\x7f]", "", pattern)), pattern
