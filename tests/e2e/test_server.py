"""The server as its users meet it: over REST and over the command line."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard

from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow


def line(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "ts": datetime.now(UTC).isoformat(),
        "method": "GET",
        "host": "api.example",
        "path": f"/api/users/{number}",
        "request_headers": [["User-Agent", "javascript:"], ["Accept", "*/*"]],
        "response_headers": [["content-type", "application/json"]],
        "response_body": json.dumps({"id": number, "email": f"a{number}@example.com"}),
        "status": 200,
        "client_ip": "203.0.113.9",
    } | more


def ndjson(*lines: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in lines)


def test_traffic_becomes_inventory_findings_and_alerts(server: ServerProcess) -> None:
    with server.client() as client:
        body = ndjson(*(line(n) for n in range(30))) + b"broken\n" + ndjson(line(3))
        answer = client.post("/v1/ingest", content=gzip.compress(body), headers={"content-encoding": "gzip"})
        assert (answer.status_code, answer.json()) == (202, {"accepted": 32})
        entry = server.settle()
        assert (entry["observed"], entry["duplicate"], entry["rejected"]) == (30, 1, {"malformed": 1})
        for _ in range(900):
            alerts = client.get("/v1/alerts").json()["items"]
            endpoints = client.get("/v1/endpoints").json()["items"]
            types = {alert["alert_type"] for alert in alerts}
            if (
                "API_AccessFromSuspiciousUserAgent" in types
                and endpoints
                and client.get("/v1/findings?status=unhealthy").json()["items"]
            ):
                break
            time.sleep(0.2)
        assert [e["template"] for e in endpoints] == ["/api/users/{int}"]
        assert endpoints[0]["authentication"] == "unauthenticated"
        assert [f["type"] for f in endpoints[0]["information_types"]] == ["email"]
        assert "API_AccessFromSuspiciousUserAgent" in types
        (letter,) = client.get("/v1/dead-letters").json()["items"]
        assert (letter["reason"], letter["line"]) == ("malformed", 31)
        assert "broken" not in client.get("/v1/dead-letters").text
        assert client.post("/v1/dead-letters/resubmit", json={"ids": [letter["id"]]}).json() == {"resubmitted": 1}


def test_alerts_change_status_with_revisions(server: ServerProcess) -> None:
    with server.client() as client:
        client.post("/v1/ingest", content=zstandard.compress(ndjson(line(1))), headers={"content-encoding": "zstd"})
        for _ in range(900):
            items = client.get("/v1/alerts").json()["items"]
            if items and items[0]["incident_id"]:
                break
            time.sleep(0.2)
        found = client.get(f"/v1/alerts/{items[0]['id']}")
        tag = found.headers["etag"]
        assert client.get(f"/v1/alerts/{items[0]['id']}", headers={"if-none-match": tag}).status_code == 304
        changed = client.patch(
            f"/v1/alerts/{items[0]['id']}", json={"status": "in_progress"}, headers={"if-match": tag}
        )
        assert (changed.status_code, changed.json()["status"]) == (200, "in_progress")
        late = client.patch(f"/v1/alerts/{items[0]['id']}", json={"status": "resolved"}, headers={"if-match": tag})
        assert (late.status_code, late.json()["code"]) == (412, "precondition-failed")
        listed = client.get("/v1/alerts", params={"status": "in_progress", "client_ip": "203.0.113.9"}).json()["items"]
        assert [item["id"] for item in listed] == [items[0]["id"]]


REFUSED = {
    "no token": ("GET", "/v1/alerts", {"authorization": ""}, b"", 401, "unauthenticated"),
    "a wrong token": ("GET", "/v1/alerts", {"authorization": "Bearer gw_0_0"}, b"", 401, "unauthenticated"),
    "an unknown alert": ("GET", "/v1/alerts/nothing", {}, b"", 404, "not-found"),
    "an unknown route": ("GET", "/v1/nothing", {}, b"", 404, "not-found"),
    "a wrong method": ("PUT", "/v1/alerts", {}, b"", 405, "method-not-allowed"),
    "a limit out of range": ("GET", "/v1/alerts?limit=0", {}, b"", 422, "input"),
    "a wrong cursor": ("GET", "/v1/alerts?cursor=zzz", {}, b"", 422, "input"),
    "gzip that is none": ("POST", "/v1/ingest", {"content-encoding": "gzip"}, b"x", 422, "input"),
    "an unknown coding": ("POST", "/v1/ingest", {"content-encoding": "snappy"}, b"x", 422, "input"),
    "an unknown format": ("POST", "/v1/ingest?format=nothing", {}, b"{}", 422, "input"),
    "a setting out of range": (
        "PUT",
        "/v1/detectors/volume.endpoint_spray/settings",
        {"content-type": "application/json"},
        b'{"nothing": 1}',
        422,
        "definition",
    ),
}


def test_errors_are_problems_with_stable_codes(server: ServerProcess) -> None:
    with server.client() as client:
        got = {}
        for name, (method, path, headers, body, _, _) in REFUSED.items():
            answer = client.request(method, path, headers=headers, content=body)
            assert answer.headers["content-type"] == "application/problem+json", name
            got[name] = (answer.status_code, answer.json()["code"])
        assert got == {name: (status, code) for name, (*_, status, code) in REFUSED.items()}


def test_roles_are_enforced(server: ServerProcess) -> None:
    with server.client() as admin:
        tokens = {
            role: admin.post("/v1/tokens", json={"name": role, "role": role}).json()
            for role in ("ingest", "viewer", "analyst")
        }
        assert "secret" not in admin.get("/v1/tokens").text

        def status(role: str, method: str, path: str, **more: Any) -> int:
            headers = {"authorization": f"Bearer {tokens[role]['token']}"}
            return admin.request(method, path, headers=headers, **more).status_code

        assert status("ingest", "POST", "/v1/ingest", content=ndjson(line(1))) == 202
        assert status("ingest", "GET", "/v1/alerts") == 403
        assert status("viewer", "GET", "/v1/alerts") == 200
        assert status("viewer", "POST", "/v1/ingest", content=b"") == 403
        assert status("viewer", "PATCH", "/v1/alerts/x", json={"status": "new"}) == 403
        assert status("analyst", "PATCH", "/v1/alerts/x", json={"status": "new"}) == 404
        assert status("analyst", "GET", "/v1/tokens") == 403
        assert admin.delete(f"/v1/tokens/{tokens['viewer']['id']}").status_code == 204
        assert status("viewer", "GET", "/v1/alerts") == 401


def test_no_route_but_health_is_open(server: ServerProcess) -> None:
    from gatewatch.api.resources import alerts, detectors, health, ingest, inventory, tokens

    routes = [route for part in (alerts, detectors, health, ingest, inventory, tokens) for route in part.router.routes]
    assert len(routes) > 20
    open_routes = set()
    with server.client() as client:
        for route in routes:
            for method in route.methods - {"HEAD"}:
                path = route.path.replace("{", "").replace("}", "")
                if client.request(method, path, headers={"authorization": ""}).status_code != 401:
                    open_routes.add(path)
    assert open_routes == {"/v1/health"}


def test_sigterm_drains_and_a_restart_knows_everything(server: ServerProcess) -> None:
    with server.client() as client:
        for block in range(5):
            client.post("/v1/ingest", content=ndjson(*(line(block * 200 + n) for n in range(200)))).raise_for_status()
    assert server.stop() == 0
    server.start()
    assert server.settle()["observed"] == 1000
    with server.client() as client:
        client.post("/v1/ingest", content=ndjson(*(line(n) for n in range(100)))).raise_for_status()
    entry = server.settle()
    assert (entry["received"], entry["observed"], entry["duplicate"]) == (1100, 1000, 100)


def test_the_command_line_reads_the_server(server: ServerProcess) -> None:
    with server.client() as client:
        client.post("/v1/ingest", content=ndjson(line(1))).raise_for_status()
    server.settle()
    environment = os.environ | {"GATEWATCH_SERVER": server.url, "GATEWATCH_TOKEN": server.token}

    def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gatewatch", *arguments]
        return subprocess.run(command, env=environment | more, capture_output=True, text=True, check=False)

    assert json.loads(run("ledger", "--json").stdout)["items"][0]["observed"] == 1
    assert json.loads(run("detectors", "list", "--json").stdout)["items"]
    assert "API" in run("detectors", "list").stdout
    missing = run("alerts", "show", "nothing", "--json")
    assert missing.returncode == 4
    assert json.loads(missing.stderr)["error"]["code"] == "not-found"
    assert run("alerts", "list", GATEWATCH_TOKEN="wrong").returncode == 8
    assert run("alerts", "list", GATEWATCH_SERVER="http://127.0.0.1:1").returncode == 8
    assert run("db", "check", "--data-dir", str(server.directory / "data")).returncode == 6
    assert run("nonsense").returncode == 2


def test_a_full_journal_says_so_and_takes_nothing(server_at: Any) -> None:
    server = server_at("[journal]\nmax_bytes = 4000\n")
    server.start()
    with server.client() as client:
        answer = client.post("/v1/ingest", content=ndjson(*(line(n) for n in range(50))))
        assert (answer.status_code, answer.json()["code"]) == (429, "journal-full")
        assert int(answer.headers["retry-after"]) > 0
        assert client.get("/v1/ledger").json()["items"] == []


BOOK = """\
schema: gatewatch.playbook/v1
name: restart-book
title: Over a restart
subject: none
steps:
  - {id: go, ask: {text: 'Go on?', options: ['yes', 'no'], default: 'no', expires: 1h}}
  - {id: end, set: {values: {said: '${steps.go.choice}'}}}
"""


def test_a_run_waits_for_an_answer_over_a_restart(server: ServerProcess) -> None:
    with server.client() as client:
        assert client.get("/v1/ready").json()["parts"]["playbooks"] is True
        client.put("/v1/playbooks/restart-book", json={"text": BOOK}).raise_for_status()
        for word in ("promote", "enable"):
            client.post(f"/v1/playbooks/restart-book/{word}").raise_for_status()
        run = client.post("/v1/playbooks/restart-book/runs", json={}).raise_for_status().headers["location"]
        for _ in range(1800):
            if client.get("/v1/questions?open=true").json()["items"]:
                break
            time.sleep(0.1)
        assert 'gatewatch_runs{state="waiting"} 1.0' in client.get("/v1/metrics").text
    token = server.token
    assert server.stop() == 0
    server.start()
    server.token = token
    with server.client() as client:
        (question,) = client.get("/v1/questions?open=true").json()["items"]
        body = {"choice": "yes", "digest": question["digest"]}
        client.post(f"/v1/questions/{question['id']}/answers", json=body).raise_for_status()
        for _ in range(1800):
            found = client.get(run).json()
            if found["over"]:
                break
            time.sleep(0.1)
        assert (found["state"], found["steps"][-1]["path"]) == ("succeeded", "end")
        assert client.get(f"/v1/questions/{question['id']}").json()["settled"] == "yes"
        assert "gatewatch_questions_open 0.0" in client.get("/v1/metrics").text
