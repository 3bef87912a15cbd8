"""The offline main job as its users meet it: options in, files and exit code out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
START = 1_767_268_800
LOCATIONS = {
    "request.path",
    "request.query",
    "request.header",
    "request.body",
    "response.header",
    "response.body",
}


def stamp(second: float) -> str:
    whole = START + int(second)
    hours, rest = divmod(whole - START, 3600)
    return f"2026-01-01T{12 + hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{int(second * 1000) % 1000:03d}Z"


def call(number: int, second: float, ip: str, **more: Any) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "ts": stamp(second),
        "method": "GET",
        "host": "shop.example",
        "path": f"/api/customers/{number % 40}/orders",
        "query": "",
        "request_headers": [["Host", "shop.example"], ["User-Agent", "Mozilla/5.0 Chrome/120"]],
        "response_headers": [["Content-Type", "application/json"]],
        "response_body": json.dumps({"id": number, "email": f"anna{number}@shop.example"}),
        "status": 200,
        "client_ip": ip,
    } | more


def recording() -> Iterator[dict[str, Any]]:
    for number in range(300):
        yield call(number, number, f"198.51.100.{number % 30}")
    yield call(900, 301, "203.0.113.7", query="sort=name")
    for number in range(12):
        ip, agent = "192.0.2.77", [["User-Agent", "sqlmap/1.7"]]
        injection = "q=1%27%20UNION%20SELECT%20password%20FROM%20users--"
        yield call(1000 + number, 310 + number, ip, query=injection, request_headers=agent, path="/api/search")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    directory = tmp_path_factory.mktemp("analyze")
    lines = [json.dumps(item) for item in recording()]
    traffic = directory / "traffic.ndjson"
    traffic.write_text("\n".join([*lines[:10], "{broken", *lines[10:]]) + "\n")
    (directory / "bad.txt").write_text("# listed\n203.0.113.0/28\n")
    (directory / "ranges.csv").write_text(
        "prefix,country,kind\n192.0.2.0/24,NL,hosting\n198.51.100.0/24,DE,residential\n"
    )
    document = {
        "openapi": "3.1.0",
        "paths": {"/api/customers/{customerId}/orders": {"get": {}}, "/api/search": {"get": {}}},
    }
    (directory / "shop.json").write_text(json.dumps(document))
    done = gatewatch(
        "analyze", traffic, "--out", directory / "out", "--threat-intel", directory / "bad.txt", "--ip-info",
        directory / "ranges.csv", "--openapi", directory / "shop.json", "--fail-on", "high", "--json",
    )  # fmt: skip
    return done, directory


def gatewatch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatewatch", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def lines_of(directory: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "out" / name).read_text().splitlines()]


def test_a_severe_alert_fails_the_run_and_the_ledger_closes(results: Any) -> None:
    done, _ = results
    assert done.returncode == 10, done.stderr
    (entry,) = json.loads(done.stdout)["ledger"]
    assert (entry["received"], entry["observed"], entry["rejected"]) == (314, 313, {"malformed": 1})


def test_observations_have_one_line_per_transaction_and_the_final_template(results: Any) -> None:
    _, directory = results
    seen = {one["id"]: one for one in lines_of(directory, "observations.ndjson")}
    assert len(seen) == 313
    assert {one["template"] for one in seen.values()} == {"/api/customers/{customerId}/orders", "/api/search"}
    one = seen["r1003"]
    assert (one["method"], one["host"], one["status"], one["client_ip"]) == ("GET", "shop.example", 200, "192.0.2.77")
    assert one["actor"] == {"kind": "address", "id": "192.0.2.77"}
    assert {"sql_injection", "suspicious_user_agent"} <= {hit["class"] for hit in one["indicators"]}
    assert [(hit["type"], hit["location"], hit["path"]) for hit in seen["r5"]["information_types"]] == [
        ("email", "response.body", "email")
    ]


def test_fields_say_where_what_was_seen(results: Any) -> None:
    _, directory = results
    fields = lines_of(directory, "fields.ndjson")
    assert all(set(field) >= {"method", "host", "template", "location", "path", "types"} for field in fields)
    assert {field["location"] for field in fields} <= LOCATIONS
    orders = "/api/customers/{customerId}/orders"
    emails = [field for field in fields if field["path"] == "email" and field["template"] == orders]
    assert [field["types"] for field in emails] == [["email"]]


def test_alerts_say_who_where_when_and_why_in_event_time(results: Any) -> None:
    _, directory = results
    alerts = {alert["alert_type"]: alert for alert in lines_of(directory, "alerts.ndjson")}
    assert {"API_AccessFromSuspiciousIP", "API_AccessFromSuspiciousUserAgent"} <= alerts.keys()
    listed = alerts["API_AccessFromSuspiciousIP"]
    assert listed["client_ips"] == ["203.0.113.7"]
    assert listed["endpoints"] == ["GET shop.example /api/customers/{customerId}/orders"]
    agent = alerts["API_AccessFromSuspiciousUserAgent"]
    assert (agent["client_ips"], agent["count"]) == (["192.0.2.77"], 12)
    for alert in alerts.values():
        assert alert["first_seen"] <= alert["detected_at"] <= alert["last_seen"]
        assert alert["first_seen"].startswith("2026-01-01T12:0")
        assert {
            "id",
            "detector",
            "title",
            "severity",
            "tactic",
            "owasp",
            "actors",
            "explanation",
            "evidence",
        } <= alert.keys()
        assert alert["evidence"]


def test_findings_and_report_are_written_and_the_report_needs_nothing_else(results: Any) -> None:
    _, directory = results
    findings = json.loads((directory / "out" / "findings.json").read_text())
    unhealthy = {item["recommendation"] for item in findings if item["status"] == "unhealthy"}
    assert unhealthy
    page = (directory / "out" / "report.html").read_text()
    assert "<svg" in page
    score = json.loads((directory / "out" / "score.json").read_text())
    assert 0 < score["percentage"] < 100
    assert {one["control"] for one in score["controls"]} == {"access_and_permissions", "security_configurations"}
    assert score["collections"]
    assert f"{score['percentage']:.1f} %" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_explain_walks_one_transaction(results: Any) -> None:
    _, directory = results
    done = gatewatch("explain", directory / "traffic.ndjson", "--id", "r1003", "--json")
    stages = json.loads(done.stdout)
    text = json.dumps(stages)
    assert done.returncode == 0
    assert "sql_injection" in text
    assert "password" not in text


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["analyze", "nowhere.ndjson"], 2, "nowhere.ndjson"),
        (["analyze", "{traffic}", "--format", "nonsense"], 2, "nonsense"),
        (["analyze", "{traffic}", "--ip-info", "{broken}"], 2, "line"),
        (["analyze", "{traffic}", "--fail-on", "dreadful"], 2, "dreadful"),
        (["analyze", "{traffic}", "--openapi", "{broken}"], 2, "broken"),
        (["explain", "{traffic}", "--id", "nobody"], 4, "nobody"),
    ],
)
def test_mistakes_are_told_with_what_was_wrong(results: Any, arguments: list[str], code: int, says: str) -> None:
    _, directory = results
    (directory / "broken.csv").write_text("prefix,country,kind\nnot-an-address,DE,mobile\n")
    places = {"{traffic}": str(directory / "traffic.ndjson"), "{broken}": str(directory / "broken.csv")}
    done = gatewatch(*(places.get(argument, argument) for argument in arguments))
    assert "Traceback" not in done.stderr
    assert says in done.stderr + done.stdout, done.stderr
    assert done.returncode == code, done.stderr
