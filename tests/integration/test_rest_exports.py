"""Export targets over REST: what they show, who may do what, and that nothing secret is in an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
import structlog
from fastapi import FastAPI
from tests.export_servers import Answer, HttpReceiver
from tests.integration.test_rest import Rest

from gatewatch.api.app import create_app
from gatewatch.bootstrap.exporting import exporting
from gatewatch.config.settings import ExportSettings
from gatewatch.model.export import ExportKind
from gatewatch.ports.control import Role
from gatewatch.ports.export import Letter
from gatewatch.services.exporting import Exporting
from gatewatch.testing.alerts import NOON
from gatewatch.traffic.clickhouse import ClickHouseTraffic

CANARY = "canary-5311"


class Bench:
    def __init__(self, folder: Path, traffic: ClickHouseTraffic) -> None:
        self.rest = Rest(folder, traffic)
        self.siem = HttpReceiver(lambda _: Answer(503))
        target = {
            "name": "siem",
            "transport": "webhook",
            "settings": {"url": f"{self.siem.url}/{CANARY}", "secret": f"env:{CANARY.replace('-', '_')}"},
            "poll_s": 0.01,
        }
        settings = msgspec.convert({"targets": [target, target | {"name": "off", "enabled": False}]}, ExportSettings)
        services = self.rest.app.state.services
        self.exporting: Exporting = exporting(settings, self.rest.control, services.clock, structlog.get_logger())
        self.app: FastAPI = create_app(replace(services, exporting=self.exporting))
        self.exporting.start()

    def ask(self, role: Role, method: str, path: str, **more: Any) -> httpx.Response:
        async def run() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            headers = {"authorization": f"Bearer {self.rest.tokens[role]}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://gw.test", headers=headers) as client:
                return await client.request(method, path, **more)

        answer = asyncio.run(run())
        assert CANARY not in answer.text
        assert CANARY.replace("-", "_") not in answer.text or path.endswith("/test")
        return answer

    def close(self) -> None:
        self.exporting.stop()
        self.siem.close()
        self.rest.close()


@pytest.fixture
def bench(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Bench]:
    made = Bench(tmp_path, traffic)
    yield made
    made.close()


def test_targets_are_shown_without_their_settings(bench: Bench) -> None:
    items = bench.ask(Role.VIEWER, "GET", "/v1/exports").json()["items"]
    assert [(item["name"], item["state"]) for item in items] == [("siem", "running"), ("off", "disabled")]
    assert items[0].keys() == {
        "name", "transport", "format", "mode", "kinds", "state", "lag", "delivered", "dead_letters", "failed_attempts",
        "last_error", "last_error_at", "last_delivery_at", "next_attempt_at", "snapshot_week", "back_fill",
    }  # fmt: skip
    assert bench.ask(Role.VIEWER, "GET", "/v1/exports/nothing").status_code == 404


MAY: dict[tuple[str, str], Role] = {
    ("POST", "pause"): Role.ADMIN,
    ("POST", "resume"): Role.ADMIN,
    ("POST", "back-fill"): Role.ADMIN,
    ("DELETE", "back-fill"): Role.ADMIN,
    ("POST", "test"): Role.ADMIN,
    ("POST", "dead-letters/resend"): Role.ADMIN,
    ("POST", "dead-letters/drop"): Role.ADMIN,
    ("GET", "dead-letters"): Role.ANALYST,
}
BODIES = {"back-fill": {}, "dead-letters/resend": {"ids": ["x"]}, "dead-letters/drop": {"ids": ["x"]}}


@pytest.mark.parametrize(("method", "action"), MAY)
def test_who_may_do_what(bench: Bench, method: str, action: str) -> None:
    more = {"json": BODIES[action]} if method == "POST" and action in BODIES else {}
    below = Role.RESPONDER if MAY[method, action] is Role.ADMIN else Role.VIEWER
    assert bench.ask(below, method, f"/v1/exports/siem/{action}", **more).status_code == 403
    wanted = 502 if action == "test" else 202 if action == "back-fill" else 200
    answer = bench.ask(MAY[method, action], method, f"/v1/exports/siem/{action}", **more)
    assert answer.status_code == wanted, answer.text


def test_a_pause_is_kept_and_a_disabled_target_refuses(bench: Bench) -> None:
    assert bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/pause").json()["state"] == "paused"
    assert bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/resume").json()["state"] == "running"
    assert bench.ask(Role.ADMIN, "POST", "/v1/exports/off/pause").status_code == 409


def test_what_is_asked_for_is_checked(bench: Bench) -> None:
    wrong = bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/back-fill", json={"kinds": ["audit"]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "input")
    for body in ({"kinds": ["score"]}, {"more": 1}):
        assert bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/back-fill", json=body).status_code == 422
    assert bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/dead-letters/drop", json={"ids": []}).status_code == 422


def test_letters_have_pages(bench: Bench) -> None:
    progress = bench.rest.control.exports.progress("siem")
    assert progress is not None
    letters = [
        Letter(
            id=f"l{n}",
            target="siem",
            event_id=f"alert:a{n}:1",
            kind=ExportKind.ALERT,
            subject=f"a{n}",
            reason="status 400",
            refused_at=NOON + n,
        )
        for n in range(3)
    ]
    bench.rest.control.exports.settle(progress, letters)
    first = bench.ask(Role.ANALYST, "GET", "/v1/exports/siem/dead-letters?limit=2").json()
    rest = bench.ask(Role.ANALYST, "GET", f"/v1/exports/siem/dead-letters?cursor={first['next']}").json()
    assert [item["id"] for item in [*first["items"], *rest["items"]]] == ["l2", "l1", "l0"]
    assert rest["next"] is None
    assert first["items"][0]["refused_at"] == "2026-01-01T12:00:02.000Z"
    dropped = bench.ask(Role.ADMIN, "POST", "/v1/exports/siem/dead-letters/drop", json={"ids": ["l0", "l9"]})
    assert dropped.json() == {"dropped": 1}
