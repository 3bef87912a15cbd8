"""Who gets in, and that nobody is locked out."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.ports.control import Role
from gatewatch.services.access import Access, ForbiddenError, UnauthenticatedError
from gatewatch.store.sql import SqlControlStore

NOON = 1_767_268_800.0
OTHER = "0" * 64


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlControlStore]:
    control = SqlControlStore(f"sqlite:///{tmp_path}/control.sqlite")
    control.migrate()
    yield control
    control.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def access(store: SqlControlStore, clock: SetClock) -> Access:
    return Access(store, clock, secrets.token_bytes)


def test_the_first_token_is_given_once(access: Access) -> None:
    text = access.ensure_first_token()
    assert text is not None
    assert access.check(text, Role.ADMIN).role is Role.ADMIN
    assert access.ensure_first_token() is None


def test_a_new_first_token_is_given_when_no_admin_token_works_any_more(access: Access, clock: SetClock) -> None:
    access.create("short", Role.ADMIN, expires_at=NOON + 10)
    access.create("reader", Role.VIEWER)
    assert access.ensure_first_token() is None
    clock.time += 10
    assert access.ensure_first_token() is not None


def test_the_secret_is_not_stored(access: Access, store: SqlControlStore) -> None:
    _, text = access.create("one", Role.VIEWER)
    (kept,) = store.tokens()
    assert text.rpartition("_")[2] not in repr(kept)


WRONG = {
    "nothing": "",
    "not a token": "hello",
    "an unknown id": f"gw_{'0' * 12}_{OTHER}",
    "a known id with another secret": "gw_{id}_" + OTHER,
    "a line break behind it": "{text}\n",
    "capitals": "{upper}",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_token_is_refused(access: Access, name: str) -> None:
    token, text = access.create("one", Role.ADMIN)
    with pytest.raises(UnauthenticatedError):
        access.check(WRONG[name].format(id=token.id, text=text, upper=text.upper()), Role.VIEWER)


def test_tokens_end(access: Access, clock: SetClock) -> None:
    access.create("admin", Role.ADMIN)
    token, revoked = access.create("one", Role.VIEWER)
    _, expiring = access.create("two", Role.VIEWER, expires_at=NOON + 5)
    access.revoke(token.id)
    clock.time += 5
    for text in (revoked, expiring):
        with pytest.raises(UnauthenticatedError):
            access.check(text, Role.VIEWER)


def test_the_last_admin_token_stays(access: Access) -> None:
    first, _ = access.create("admin", Role.ADMIN)
    with pytest.raises(ConflictError):
        access.revoke(first.id)
    access.create("second", Role.ADMIN)
    access.revoke(first.id)
    with pytest.raises(NotFoundError):
        access.revoke("nothing")


MAY = {
    Role.INGEST: {Role.INGEST},
    Role.GATEWAY: {Role.GATEWAY},
    Role.VIEWER: {Role.VIEWER},
    Role.ANALYST: {Role.VIEWER, Role.ANALYST},
    Role.RESPONDER: {Role.VIEWER, Role.ANALYST, Role.RESPONDER},
    Role.ADMIN: set(Role),
}


@pytest.mark.parametrize("role", Role)
def test_roles_include_those_before_them(access: Access, role: Role) -> None:
    _, text = access.create("one", role)
    allowed = set()
    for wanted in Role:
        try:
            access.check(text, wanted)
        except ForbiddenError:
            continue
        allowed.add(wanted)
    assert allowed == MAY[role]


ENDS = {
    "now": NOON,
    "the past": NOON - 1,
    "before year 1": datetime(1, 1, 1, tzinfo=UTC).timestamp() - 50_400,
    "after year 9999": 253_402_300_800.0,
    "not a number": float("nan"),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_that_is_not_ahead_is_refused(access: Access, name: str) -> None:
    with pytest.raises(InputError):
        access.create("one", Role.VIEWER, expires_at=ENDS[name])


def test_a_token_needs_a_name(access: Access) -> None:
    with pytest.raises(InputError):
        access.create("  ", Role.VIEWER)


def test_use_is_remembered_at_most_once_a_minute(access: Access, store: SqlControlStore, clock: SetClock) -> None:
    token, text = access.create("one", Role.VIEWER)
    used = []
    for second in (0, 30, 61):
        clock.time = NOON + second
        access.check(text, Role.VIEWER)
        kept = store.token(token.id)
        assert kept is not None
        used.append(kept.last_used_at)
    assert used == [NOON, NOON, NOON + 61]


@pytest.mark.parametrize("name", ["run 7f", "rule night shift", "measurement", " recovery "])
def test_nobody_stands_in_the_audit_log_as_gatewatch_itself(name: str, access: Access) -> None:
    with pytest.raises(InputError, match="of Gatewatch's own"):
        access.create(name, Role.ADMIN)
