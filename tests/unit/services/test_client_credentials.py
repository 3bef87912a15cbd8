"""Access tokens for API tokens, and how often one may ask."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OctKey

from gatewatch.ports.control import Role
from gatewatch.services.access import Access, ForbiddenError, UnauthenticatedError
from gatewatch.services.client_credentials import ClientCredentials
from gatewatch.services.throttling import Allowance, Throttle, ThrottledError
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import NOON

KEY = bytes(range(32))


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


class World:
    def __init__(self, directory: Path) -> None:
        self.clock = SetClock()
        self.store = SqlControlStore(f"sqlite:///{directory}/control.sqlite")
        self.store.migrate()
        self.access = Access(self.store, self.clock, secrets.token_bytes)
        numbers = count()
        self.clients = ClientCredentials(self.access, self.clock, KEY, tenant_id="t", new_id=lambda: str(next(numbers)))

    def issue(self, text: str) -> str:
        _, client_id, secret = text.split("_")
        return self.clients.issue(client_id, secret, audience="a", tenant="t", origin="o").text


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def test_it_stands_for_its_token_and_nothing_more(world: World) -> None:
    token, text = world.access.create("siem", Role.VIEWER)
    issued = world.issue(text)
    assert world.clients.check(issued, Role.VIEWER).name == "siem"
    with pytest.raises(ForbiddenError):
        world.clients.check(issued, Role.ANALYST)
    with pytest.raises(UnauthenticatedError):
        world.access.check(issued, Role.VIEWER)
    kept = world.store.token(token.id)
    assert kept is not None
    assert kept.last_used_at == NOON


def test_the_secret_is_taken_alone_or_as_the_whole_token_of_this_client(world: World) -> None:
    token, text = world.access.create("one", Role.VIEWER)
    _, other = world.access.create("two", Role.ADMIN)
    assert world.clients.issue(token.id, text, audience="a", tenant="t", origin="o").expires_in == 3600
    for secret in (other, other.split("_")[2], text[:-1], "gw_", f"_{text}"):
        with pytest.raises(UnauthenticatedError):
            world.clients.issue(token.id, secret, audience="a", tenant="t", origin="o")


def test_it_never_outlives_its_token(world: World) -> None:
    token, text = world.access.create("short", Role.VIEWER, expires_at=NOON + 60)
    assert world.clients.issue(token.id, text, audience="a", tenant="t", origin="o").expires_in == 60
    issued = world.issue(text)
    world.clock.time += 60
    with pytest.raises(UnauthenticatedError):
        world.clients.check(issued, Role.VIEWER)


def test_a_jwt_of_ours_for_something_else_is_none(world: World) -> None:
    token, _ = world.access.create("one", Role.ADMIN)
    claims = {"sub": token.id, "exp": int(NOON) + 60, "iss": "urn:gatewatch:client-credentials"}

    def signed(algorithm: str, key: bytes, **changes: object) -> str:
        sent = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode({"alg": algorithm}, sent, OctKey.import_key(key), algorithms=[algorithm])

    assert world.clients.check(signed("HS256", KEY), Role.ADMIN).id == token.id
    for wrong in (
        signed("HS256", KEY[::-1]),
        signed("HS512", KEY * 2),
        signed("HS256", KEY, exp=None),
        signed("HS256", KEY, exp=int(NOON) - 1),
        signed("HS256", KEY, exp="soon"),
        signed("HS256", KEY, iss="urn:somebody"),
        signed("HS256", KEY, sub=None),
        signed("HS256", KEY, sub="nobody"),
        signed("HS256", KEY, nbf=int(NOON) + 30),
    ):
        with pytest.raises(UnauthenticatedError):
            world.clients.check(wrong, Role.VIEWER)


def test_no_text_makes_the_check_fall(world: World) -> None:
    @given(st.one_of(st.text(max_size=60), st.lists(st.from_regex(r"\A[\w-]{0,20}\Z"), max_size=5).map(".".join)))
    def refused(text: str) -> None:
        with pytest.raises(UnauthenticatedError):
            world.clients.check(text, Role.VIEWER)

    refused()


def test_a_throttle_lets_so_many_through_and_says_how_long_to_wait() -> None:
    clock = SetClock()
    throttle, allowed = Throttle(clock), (Allowance(3, 10), Allowance(5, 100))
    left = []
    for _ in range(3):
        left.append(throttle.take("a", allowed).remaining)
        clock.time += 1
    assert left == [2, 1, 0]
    with pytest.raises(ThrottledError) as wait:
        throttle.take("a", allowed)
    assert wait.value.retry_after_s == 7
    throttle.take("b", allowed)
    clock.time += 7
    assert throttle.take("a", allowed).remaining == 0
    clock.time += 10
    throttle.take("a", allowed)
    with pytest.raises(ThrottledError) as longer:
        throttle.take("a", allowed)
    assert longer.value.retry_after_s == 80
    clock.time += longer.value.retry_after_s
    throttle.take("a", allowed)


@given(st.lists(st.integers(0, 5), max_size=80))
def test_no_window_has_more_than_it_allows_and_waiting_helps(pauses: list[int]) -> None:
    clock = SetClock()
    throttle, passed = Throttle(clock), list[float]()
    for pause in pauses:
        clock.time += pause
        try:
            throttle.take("a", (Allowance(4, 10), Allowance(6, 30)))
        except ThrottledError as error:
            clock.time += error.retry_after_s
            throttle.take("a", (Allowance(4, 10), Allowance(6, 30)))
        passed.append(clock.time)
    for end in passed:
        assert sum(end - 10 < at <= end for at in passed) <= 4
        assert sum(end - 30 < at <= end for at in passed) <= 6
