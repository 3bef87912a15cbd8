"""Logins that are refused with a status of success, and answers that only look like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet

FORM = '<html><form method="post"><p>Try again</p><input name="user"><input type="password" name="pw"></form></html>'
REFUSED: dict[str, dict[str, Any]] = {
    "an error member": {"answer": {"error": "invalid_grant"}},
    "a list of errors": {"answer": {"errors": [{"code": 17}]}},
    "errors beside an empty result, as GraphQL has it": {
        "answer": {"data": {"login": None}, "errors": [{"message": "x"}]}
    },
    "success is false": {"answer": {"success": False, "message": "Nope"}},
    "false as text": {"answer": {"ok": "false"}},
    "a state of failure": {"answer": {"status": "failed"}},
    "a state of failure in an envelope": {"answer": {"result": {"status": "INVALID_CREDENTIALS"}}},
    "a code of refusal inside": {"answer": {"code": 401, "msg": "x"}},
    "a code in an envelope": {"answer": {"data": {"statusCode": 403}}},
    "a message in English": {"answer": {"message": "Invalid username or password"}},
    "a message in German": {"answer": {"message": "Benutzername oder Passwort falsch"}},
    "a message in French": {"answer": {"detail": "Identifiants incorrects"}},
    "a message in Spanish": {"answer": {"msg": "Usuario o contraseña incorrectos"}},
    "no token where one belongs, and an error": {"answer": {"token": None, "error": "bad"}},
    "a redirect back to where it came from": {"status": 302, "to": "/login"},
    "an absolute redirect back": {"status": 303, "to": "https://shop.example/login"},
    "a redirect to another login page": {"status": 302, "to": "/account/sign-in?next=%2Fhome"},
    "a redirect with an error": {"status": 302, "to": "/start?error=1"},
    "a redirect with a bare error": {"status": 302, "to": "/start?login_error"},
    "the form shown again": {"page": FORM},
    "plain text": {"page": "Wrong password"},
    "one plain word": {"page": "false"},
}
NOT_REFUSED: dict[str, dict[str, Any]] = {
    "a token": {"answer": {"access_token": "abc", "token_type": "bearer"}},
    "a token in an envelope, and errors that are none": {"answer": {"data": {"token": "abc"}, "errors": []}},
    "a token and a warning called error": {"answer": {"accessToken": "abc", "error": "password expires soon"}},
    "no error": {"answer": {"error": None, "user": {"id": 7}}},
    "an empty error": {"answer": {"error": "", "errorCode": 0, "status": "ok"}},
    "code 0": {"answer": {"code": 0, "msg": "done"}},
    "a code of success": {"answer": {"code": 200, "message": "Welcome"}},
    "a second factor": {"answer": {"status": "MFA_REQUIRED", "challenge": "sms"}},
    "a profile": {"answer": {"id": 7, "name": "Anna", "failedLogins": 3, "valid_until": "2030-01-01"}},
    "a message that greets": {"answer": {"message": "Login successful"}},
    "a message about mail": {"answer": {"message": "We sent a code to your e-mail address"}},
    "a message beside a new session": {"answer": {"message": "Your last login failed on Monday"}, "cookie": "sid=abc"},
    "an empty object": {"answer": {}},
    "a list": {"answer": [{"error": "x"}]},
    "nothing": {"page": ""},
    "a page": {"page": "<html><p>Hello Anna</p><input type='text' name='q'></html>"},
    "text": {"page": "Welcome back"},
    "a redirect home": {"status": 302, "to": "/"},
    "a redirect to the second step": {"status": 302, "to": "/login/otp"},
    "a redirect to a callback": {"status": 302, "to": "https://app.example/login/callback?code=abc&state=x"},
    "a redirect with no error": {"status": 302, "to": "/home?error=false"},
    "a redirect to nowhere": {"status": 302, "to": ""},
    "a redirect nobody can read": {"status": 302, "to": "http://[::1"},
    "a status that says it itself": {"status": 401, "answer": {"error": "x"}},
    "no answer at all": {"status": 0},
}


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer(ObserveSettings(), bytes(32))


def signals(observer: Observer, case: dict[str, Any], *, path: str = "/login", **changes: Any) -> tuple[str, ...]:
    headers = [("Content-Type", "application/json" if "answer" in case else "text/html")]
    headers += [("Location", case["to"])] if "to" in case else []
    headers += [("Set-Cookie", case["cookie"])] if "cookie" in case else []
    body = json.dumps(case["answer"]) if "answer" in case else case.get("page", "")
    members = {
        "id": "1", "ts": 1.0, "method": "POST", "path": path, "host": "shop.example", "status": case.get("status", 200),
        "request_headers": [("Content-Type", "application/json")], "request_body": b'{"username": "anna", "password": "x"}',
        "response_headers": headers, "response_body": body.encode(),
    }  # fmt: skip
    return observer.observe(Transaction(**{**members, **changes}), "test", TemplateSet.empty()).response_signals


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_is_told(observer: Observer, case: str) -> None:
    assert signals(observer, REFUSED[case]) == ("login_failed",)


@pytest.mark.parametrize("case", NOT_REFUSED)
def test_no_refusal_is_invented(observer: Observer, case: str) -> None:
    assert signals(observer, NOT_REFUSED[case]) == ()


def test_only_attempts_are_judged(observer: Observer) -> None:
    case = {"answer": {"error": "x"}}
    assert signals(observer, case, path="/orders", request_body=b'{"sku": 7}') == ()
    basic = [("Authorization", "Basic YW5uYTp4"), ("Content-Type", "application/json")]
    assert signals(observer, case, path="/orders", request_headers=basic, request_body=b'{"sku": 7}') == ()
