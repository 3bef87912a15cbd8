"""Orders of containments over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.integration.test_containment import ATTACKER, Rig
from tests.upstream import serving

from gatewatch.api.problems import install_problems
from gatewatch.api.resources.containments import router
from gatewatch.ports.control import Role
from gatewatch.services.access import Access
from gatewatch.telemetry.logs import configure
from gatewatch.traffic.clickhouse import ClickHouseTraffic


@pytest.fixture
def client(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[httpx.Client]:
    rig = Rig(tmp_path, traffic)
    rig.gateway.away = True  # what is ordered is queued, and nothing has to be waited for
    made = Access(rig.control, rig.clock, lambda size: bytes(range(size)))

    class Parts:
        containment, access = rig.parts.desk, made

    app = FastAPI()
    app.state.services = Parts
    app.include_router(router)
    install_problems(app, configure(level="critical"))
    rig.parts.desk._confirm = rig.control.containments.containment
    headers = {"authorization": f"Bearer {made.create('ann', Role.RESPONDER)[1]}"}
    with serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers) as calling:
        yield calling


def ordered(client: httpx.Client, value: str, key: str) -> Any:
    plan = {
        "gateway": "edge",
        "scope": {"kind": "address", "value": value},
        "effect": "block",
        "duration_s": 60,
        "reason": "test",
    }
    digest = client.post("/v1/containments/judgement", json=plan).json()["digest"]
    return client.post("/v1/containments", json={"plan": plan, "digest": digest, "key": key})


def test_orders_whose_keys_begin_alike_are_two(client: httpx.Client) -> None:
    begin = "incident-4711-block-the-attacker-at-the-edge-for-an-hour-"
    first, second = ordered(client, ATTACKER, begin + "1"), ordered(client, "192.0.2.1", begin + "2")
    assert first.json()["id"] != second.json()["id"]
    assert second.json()["plan"]["scope"]["value"] == "192.0.2.1"


def test_the_same_order_is_one_and_a_key_is_of_one_plan(client: httpx.Client) -> None:
    first, again = ordered(client, ATTACKER, "order-11"), ordered(client, ATTACKER, "order-11")
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    other = ordered(client, "192.0.2.1", "order-11")
    assert other.status_code == 409
    assert "another plan" in other.text
