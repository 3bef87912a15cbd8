"""Secrets planted in every member of every source are nowhere in what is stored, answered, logged or reported."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow


def canary(number: int) -> str:
    """Looks like a secret: what a person would put into a field."""
    return f"cnry{number:02d}Zq8Xv3Lw9Tk{number * 7919:05d}Rb"


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def jwt(subject: str, secret: str) -> str:
    def part(value: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part({'sub': subject, 'private': secret})}.{secret}"


def lines() -> list[dict[str, Any]]:
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


def log_lines() -> str:
    c = canary
    return (
        f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /x?t={c(50)} HTTP/1.1" 200 5 "https://y/{c(51)}" "{c(52)}"\n'
        f'192.0.2.1 - - [20/Nov/2026:10:00:00 +0000] "GET /y/{c(53)} HTTP/1.1" 404 5 "-" "curl/8"\n'
        f"not a line {c(54)}\n"
    )


def found_in(directory: Path) -> dict[str, set[str]]:
    """Canaries by the file they were found in, plain or in the usual disguises."""
    wanted = {f"cnry{n:02d}" for n in range(1, 60)}
    seen: dict[str, set[str]] = {}
    for path in directory.rglob("*"):
        if path.is_file():
            data = path.read_bytes().lower()
            hits = {
                word for word in wanted if word.encode() in data or base64.b64encode(word.encode())[:6].lower() in data
            }
            if hits:
                seen[str(path.relative_to(directory))] = hits
    return seen


def test_a_server_keeps_no_secret(server: ServerProcess) -> None:
    body = b"".join(json.dumps(line).encode() + b"\n" for line in lines()) + f"broken {canary(45)}\n".encode()
    with server.client() as client:
        client.post("/v1/ingest", content=body).raise_for_status()
        client.post(
            "/v1/ingest", params={"format": "access-log", "source": "log"}, content=log_lines()
        ).raise_for_status()
        server.settle()
        server.stop()
        server.start()
        routes = [
            "alerts",
            "endpoints",
            "collections",
            "findings",
            "dead-letters",
            "ledger",
            "metrics",
            "detectors",
            "coverage",
        ]
        routes += [f"endpoints/{item['id']}/fields" for item in client.get("/v1/endpoints?limit=500").json()["items"]]
        answers = [client.get(f"/v1/{route}").text for route in routes]
    assert server.stop() == 0
    assert "cnry" not in "".join(answers).lower()
    assert found_in(server.directory) == {}


def test_an_analysis_writes_no_secret(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    (source / "a.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines()))
    (source / "b.log").write_text(log_lines() * 3)
    out.mkdir()
    for name in ("a.ndjson", "b.log"):
        command = [sys.executable, "-m", "gatewatch", "analyze", str(source / name), "--out", str(out / name)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "cnry" not in (done.stdout + done.stderr).lower()
    assert found_in(out) == {}
    explained = subprocess.run(
        [sys.executable, "-m", "gatewatch", "explain", str(source / "a.ndjson"), "--id", "req-4"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cnry" not in explained.stdout.lower()
