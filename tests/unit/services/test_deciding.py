"""Somebody who is contained stays so, whatever else a call brings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gatewatch.model.containment import Effect, Scope, ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.fingerprint import Fingerprinter
from gatewatch.observe.identity import Identities
from gatewatch.services.deciding import Deciding
from gatewatch.testing.gateways import SetClock

NOW = 1_000_000.0
IDENTITIES = Identities(ObserveSettings(), Fingerprinter(b"k" * 32))


class Board:
    def __init__(self, made: Enforcement) -> None:
        self.made = made

    def current(self) -> tuple[Enforcement, ...]:
        return (self.made,)

    def ended_since(self, moment: float) -> tuple[Enforcement, ...]:
        del moment
        return ()


def status(contained: Mapping[str, str], sent: Mapping[str, str], target: str = "/orders") -> int:
    """Of a call with `sent`, while whoever sends `contained` alone is blocked."""
    (who,) = IDENTITIES.everyone(contained, [])
    scope = Scope(kind=ScopeKind.ACTOR, value=f"{who.kind.value}:{who.id}")
    made = Enforcement(id="c1", scope=scope, effect=Effect.BLOCK, expires_at=NOW + 60)
    deciding = Deciding(Board(made), IDENTITIES, SetClock(NOW))
    return deciding.check(address="203.0.113.7", method="GET", host="shop.example", target=target, headers=sent).status


KEY = {"x-api-key": "k-123"}
SESSION = {"cookie": "session=s-1"}
BEARER = {"authorization": "Bearer opaque-1"}
STILL = {
    "alone": (KEY, KEY),
    "with a token of nothing": (KEY, {**KEY, "authorization": "Bearer junk"}),
    "with a consumer of its own making": (BEARER, {**BEARER, "x-consumer-username": "partner"}),
    "with a certificate of its own making": (KEY, {**KEY, "x-forwarded-client-cert": 'Subject="CN=partner"'}),
    "with another key": (KEY, {**KEY, "api-key": "k-9", "apikey": "k-8"}),
    "with a session before": (SESSION, {"cookie": "sid=other; session=s-1"}),
    "with a key beside the session": (SESSION, {**SESSION, **KEY}),
}


@pytest.mark.parametrize("name", STILL)
def test_stays_blocked(name: str) -> None:
    contained, sent = STILL[name]
    assert status(contained, sent) == 403


def test_a_key_far_back_in_the_query_is_seen() -> None:
    assert status(KEY, {}, f"/orders?x={'y' * 5000}&api_key=k-123") == 403


def test_somebody_else_passes() -> None:
    assert status(KEY, {"x-api-key": "k-124", **BEARER, **SESSION}) == 200
    assert status(SESSION, KEY) == 200
