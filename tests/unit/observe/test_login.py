"""Which calls try to authenticate somebody, and whom."""

from __future__ import annotations

import pytest

from gatewatch.observe.leaves import Leaf
from gatewatch.observe.login import read_login

ATTEMPTS = {
    "a person": ("/login", {"username": "Ann ", "password": "x"}, "ann", "x"),
    "a person beside an application that comes first": ("/oauth2/token", {"client_id": "web", "username": "ann", "password": "x"}, "ann", "x"),
    "a person beside a device": ("/v1/auth/login", {"device_id": "d7", "email": "a@b.example", "password": "x"}, "a@b.example", "x"),
    "an application": ("/oauth2/token", {"client_id": "Web", "client_secret": "s"}, "web", "s"),
    "a device": ("/v1/auth/device", {"device_id": "WM1", "password": "s"}, "wm1", "s"),
    "a device by its serial number": ("/auth/token", {"serial_number": "77", "pin": "s"}, "77", "s"),
}  # fmt: skip
NONE = {
    "a hook with a secret": ("/v1/webhooks", {"url": "https://a.example", "client_id": "web", "secret": "s"}),
    "a person's own registration": ("/users", {"email": "a@b.example", "password": "x"}),
    "a new password": ("/auth/password", {"email": "a@b.example", "new_password": "x", "password": "y"}),
    "what a device measured": ("/v1/devices/7/telemetry", {"device_id": "7", "kwh": "3"}),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt(name: str) -> None:
    path, members, user, secret = ATTEMPTS[name]
    found = read_login("POST", path, [Leaf(k, v, "string") for k, v in members.items()], "")
    assert found is not None
    assert (found.user, found.secret) == (user, secret)


@pytest.mark.parametrize("name", NONE)
def test_no_attempt(name: str) -> None:
    path, members = NONE[name]
    assert read_login("POST", path, [Leaf(k, v, "string") for k, v in members.items()], "") is None
