"""Secrets planted in every member of every source."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["MARK", "Planted", "access_log", "canary", "envoy_calls", "har", "json_access_log", "ndjson"]

MARK = "cnryZq8Xv3Lw9T"
"""What every canary begins with."""


def canary(number: int) -> str:
    """Looks like a secret: what a person would put into a field."""
    return f"{MARK}{number:03d}k{number * 7919:06d}Rb"


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def jwt(subject: str, secret: str) -> str:
    def part(value: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part({'sub': subject, 'private': secret})}.{secret}"


def ndjson() -> list[dict[str, Any]]:
    c = canary
    base: dict[str, Any] = {
        "ts": "2026-11-20T10:00:00Z",
        "method": "POST",
        "host": "api.example",
        "status": 200,
        "client_ip": "192.0.2.9",
    }
    json_body = json.dumps(
        {"password": c(1), "nested": {"token": [c(2)]}, c(3): "as a name", "note": f"my key is {c(4)}"}
    )
    rows: list[dict[str, Any]] = [
        {"path": f"/api/things/{c(5)}", "query": f"api_key={c(6)}&q={c(7)}&{c(8)}=1"},
        {
            "path": "/api/a",
            "request_headers": [
                ["Authorization", f"Bearer {c(9)}"],
                ["Cookie", f"session={c(10)}; other={c(11)}"],
                ["X-API-Key", c(12)],
                ["User-Agent", c(13)],
                ["Referer", f"https://x/{c(14)}"],
                ["X-Custom", c(15)],
                [c(16), "a header's name"],
            ],
        },
        {
            "path": "/api/b",
            "request_headers": [
                ["Authorization", basic("anna", c(17))],
                ["X-Forwarded-For", c(18)],
                ["X-Forwarded-Client-Cert", f'Hash={c(19)};Subject="CN=edge"'],
            ],
        },
        {
            "path": "/api/c",
            "request_headers": [["Authorization", f"Bearer {jwt('anna', c(20))}"], ["Proxy-Authorization", c(21)]],
        },
        {
            "path": "/api/d",
            "request_headers": [["Content-Type", "application/json"]],
            "request_body": json_body,
            "response_headers": [["Set-Cookie", f"s={c(22)}"], ["X-Secret", c(23)]],
            "response_body": json.dumps({"secret": c(24), "card": "4111111111111111", "owner": c(25)}),
        },
        {
            "path": "/api/e",
            "request_headers": [["Content-Type", "application/x-www-form-urlencoded"]],
            "request_body": f"username=anna&password={c(26)}&x={c(27)}",
        },
        {
            "path": "/api/f",
            "request_headers": [["Content-Type", "application/xml"]],
            "request_body": f"<a b='{c(28)}'><c>{c(29)}</c></a>",
            "response_headers": [["Content-Type", "text/html"]],
            "response_body": f"<p>{c(30)}</p>",
        },
        {
            "path": "/graphql",
            "request_headers": [["Content-Type", "application/json"]],
            "request_body": json.dumps(
                {"query": f'mutation {{ login(password: "{c(31)}") {{ token }} }}', "variables": {"p": c(32)}}
            ),
        },
        {"path": "/api/g", "query": f"q=1' OR '1'='{c(33)}", "request_headers": [["User-Agent", f"sqlmap/{c(34)}"]]},
        {
            "path": "/api/h",
            "request_headers": [["Content-Encoding", "gzip"], ["Content-Type", "application/json"]],
            "request_body": base64.b64encode(gzip.compress(json.dumps({"k": c(35)}).encode())).decode(),
            "request_body_encoding": "base64",
        },
        {"path": f"/no/such/{c(36)}", "status": 404},
        {
            "path": "/api/i",
            "request_headers": [["Content-Type", "multipart/form-data; boundary=x"]],
            "request_body": f'--x\r\nContent-Disposition: form-data; name="f"; filename="{c(37)}"\r\n\r\n{c(38)}\r\n--x--\r\n',
        },
        {"path": "/api/j", "host": f"{c(39)}!", "scheme": c(40), "http_version": c(41), "status": 9999},
        {"path": "/api/k", "request_headers": c(42)},
        {"path": "/api/l", "unknown": c(43), "server_ip": c(44)},
    ]
    return [base | {"id": f"req-{n}"} | row for n, row in enumerate(rows)]


def access_log() -> str:
    c = canary
    return (
        f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /x?t={c(50)} HTTP/1.1" 200 5 "https://y/{c(51)}" "{c(52)}"\n'
        f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /y/{c(53)} HTTP/1.1" 404 5 "-" "curl/8"\n'
        f"not a line {c(54)}\n"
    )


def json_access_log() -> bytes:
    """Lines as the shipped formats write them; two of them wrong."""
    c = canary
    base = {
        "msec": "1795168800.5",
        "remote_addr": "192.0.2.1",
        "request_method": "GET",
        "request_uri": "/a",
        "status": "200",
    }
    rows: list[dict[str, Any]] = [
        {
            "request_uri": f"/x/{c(60)}?token={c(61)}&{c(62)}=1",
            "request": f"GET /x/{c(60)}?token={c(61)} HTTP/1.1",
            "http_user_agent": c(63),
            "http_referer": f"https://y/{c(64)}",
            "http_authorization": f"Bearer {c(65)}",
            "http_x_api_key": c(66),
            "http_cookie": f"sid={c(67)}",
            "http_x_forwarded_for": c(68),
            "content_type": c(69),
            "ssl_client_s_dn": f"CN=edge,O={c(70)}",
            "request_body": f"password={c(71)}",
        },
        {"http_authorization": basic("anna", c(72)), "server_protocol": c(73), "scheme": c(74), "host": f"{c(75)}!"},
        {
            "request_method": c(76),
            "remote_addr": c(77),
            "status": c(78),
            "request_time": c(79),
            "body_bytes_sent": c(80),
        },
        {"http_authorization": f"Bearer {jwt('anna', c(81))}", "unknown": c(82), c(83): "a member's name"},
        {"msec": c(84)},
    ]
    lines = [json.dumps(base | row) for row in rows]
    return ("\n".join(lines) + f"\nbroken {c(85)}\n").encode()


def _named(**values: str) -> list[dict[str, str]]:
    return [{"name": name.replace("_", "-"), "value": value, "comment": canary(90)} for name, value in values.items()]


def har() -> bytes:
    """A document with an entry of each kind; one of them wrong."""
    c = canary
    request = {
        "method": "POST",
        "url": f"https://anna:{c(91)}@api.example/h/{c(92)}?api_key={c(93)}&{c(94)}=1#{c(95)}",
        "httpVersion": c(96),
        "headers": _named(
            Authorization=f"Bearer {c(97)}", Cookie=f"session={c(98)}", X_Custom=c(99), User_Agent=c(100)
        ),
        "cookies": _named(session=c(101)),
        "queryString": _named(api_key=c(93)),
        "postData": {"mimeType": "application/json", "text": json.dumps({"pw": c(102), c(103): 1}), "comment": c(104)},
        "comment": c(105),
    }
    response = {
        "status": 200,
        "statusText": c(106),
        "headers": [*_named(Set_Cookie=f"s={c(107)}", X_Secret=c(108)), {"name": c(109), "value": "x"}],
        "cookies": _named(s=c(107)),
        "content": {"mimeType": "text/html", "text": f"<p>{c(110)}</p>"},
        "redirectURL": f"https://z/{c(111)}",
    }
    packed = {"mimeType": "text/plain", "encoding": "base64", "text": base64.b64encode(c(112).encode()).decode()}
    form = {
        "mimeType": "application/x-www-form-urlencoded",
        "params": [{"name": "password", "value": c(113), "fileName": c(114)}],
    }
    entries: list[Any] = [
        _entry(request, response),
        _entry(request | {"postData": form}, response | {"content": packed, "_x": c(115)}),
        _entry(request | {"method": c(116)}, response | {"status": c(117)}),
        {"startedDateTime": c(118)},
    ]
    log = {"version": "1.2", "creator": {"name": c(119), "version": "1"}, "comment": c(120), "entries": entries}
    return json.dumps({"log": log}).encode()


def _entry(request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    return {
        "startedDateTime": "2026-11-20T10:00:00Z",
        "time": 3,
        "request": request,
        "response": response,
        "serverIPAddress": canary(121),
        "connection": canary(122),
        "timings": {"send": 0, "wait": 1, "receive": 2, "comment": canary(123)},
        "_initiator": canary(124),
    }


@dataclass(frozen=True)
class Planted:
    """One call through a gateway, with what the upstream shall answer."""

    path: str
    method: str = "POST"
    headers: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    answer: bytes = b"{}"
    answer_headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


def envoy_calls() -> list[Planted]:
    """Every header that the snippet logs, bodies of every kind, and what is odd."""
    c = canary
    kind = {"content-type": "application/json"}
    keys = ["x-api-key", "api-key", "apikey", "x-apikey", "ocp-apim-subscription-key", "x-auth-token", "x-access-token"]
    proxies = [
        "forwarded",
        "x-real-ip",
        "x-forwarded-host",
        "via",
        "origin",
        "from",
        "x-original-url",
        "x-rewrite-url",
        "x-correlation-id",
    ]
    boundary = {"content-type": "multipart/form-data; boundary=x"}
    form = {"content-type": "application/x-www-form-urlencoded"}
    html = {"content-type": "text/html", "set-cookie": f"s={c(130)}", "x-secret": c(131), "server": c(132)}
    part = f'--x\r\nContent-Disposition: form-data; name="f"; filename="{c(133)}"\r\n\r\n{c(134)}\r\n--x--\r\n'
    return [
        Planted(f"/e/{c(140)}?api_key={c(141)}&{c(142)}=1", "GET"),
        Planted("/e/a", headers=kind, body=json.dumps({"password": c(143), c(144): [c(145)]}).encode()),
        Planted("/e/b", headers=form, body=f"username=anna&password={c(146)}".encode()),
        Planted("/e/c", headers=boundary, body=part.encode()),
        Planted(
            "/e/d", headers=kind | {"content-encoding": "gzip"}, body=gzip.compress(json.dumps({"k": c(147)}).encode())
        ),
        Planted("/e/e", answer=f"<p>{c(148)}</p>".encode(), answer_headers=html),
        Planted("/e/f", answer=json.dumps({"secret": c(149), "card": "4111111111111111"}).encode()),
        Planted(
            "/e/g",
            answer=gzip.compress(json.dumps({"k": c(150)}).encode()),
            answer_headers=kind | {"content-encoding": "gzip"},
        ),
        Planted("/e/h", headers={"authorization": f"Bearer {c(151)}", "cookie": f"session={c(152)}; x={c(153)}"}),
        Planted(
            "/e/i",
            headers={"authorization": basic("anna", c(154)), "user-agent": c(155), "referer": f"https://x/{c(156)}"},
        ),
        Planted("/e/j", headers={"authorization": f"Bearer {jwt('anna', c(157))}", "x-forwarded-for": c(158)}),
        Planted("/e/k", headers={name: c(160 + n) for n, name in enumerate(keys)}),
        Planted("/e/l", headers={name: c(170 + n) for n, name in enumerate(proxies)}),
        Planted("/e/m", headers={"x-forwarded-client-cert": f'Hash={c(180)};Subject="CN=edge"', "accept": c(181)}),
        Planted("/e/n", headers={"x-request-id": c(182), "x-forwarded-for": "10.0.0.1"}),
        Planted("/e/o", headers={"x-api-key": b"\xff" + c(183).encode()}, body=b"\xff\x00" + c(184).encode()),
        Planted("/e/p", headers=kind, body=json.dumps({"long": "x" * 65_500, "token": c(185) * 10}).encode()),
        Planted(
            "/graphql",
            headers=kind,
            body=json.dumps({"query": f'mutation {{ login(password: "{c(186)}") {{ t }} }}'}).encode(),
        ),
        Planted(f"/e/q?q=1' OR '1'='{c(187)}", "GET", headers={"user-agent": f"sqlmap/{c(188)}"}),
        Planted("/e/r", c(189), headers={c(190): "a header's name"}),
    ]
