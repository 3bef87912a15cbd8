"""Kill -9 at random moments: the ledger closes, every acknowledged transaction is stored exactly once, views agree."""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

import httpx
import pytest

from gatewatch.ports.control import AlertFilter
from gatewatch.store.sql import SqlControlStore
from gatewatch.traffic.clickhouse import ClickHouseTraffic
from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow
TOTAL, BATCH = 200_000, 1_000


def batch(number: int) -> bytes:
    lines = [
        {
            "id": f"t{number * BATCH + n}",
            "ts": f"2026-01-01T{12 + number // 60 % 10:02d}:{number % 60:02d}:{n % 60:02d}Z",
            "method": "GET",
            "host": "api.example",
            "path": f"/api/items/{n}/{['a', 'b', 'c'][n % 3]}",
            "status": 200,
            "client_ip": f"192.0.2.{n % 200}",
        }
        for n in range(BATCH)
    ]
    return b"".join(json.dumps(item).encode() + b"\n" for item in lines)


class Sender:
    """Sends every batch until it was acknowledged; a batch without answer is sent again, as a real client does."""

    def __init__(self, server: ServerProcess) -> None:
        self.server, self.acknowledged = server, 0
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for number in range(TOTAL // BATCH):
            body = batch(number)
            while True:
                try:
                    with self.server.client() as client:
                        answer = client.post("/v1/ingest", content=body)
                except httpx.HTTPError:
                    time.sleep(0.1)
                    continue
                if answer.status_code == 202:
                    break
                time.sleep(0.2)
            self.acknowledged = number + 1

    def reach(self, number: int) -> None:
        """Wait until so many batches were acknowledged."""
        while self.acknowledged < number:
            assert self.thread.is_alive()
            time.sleep(0.02)


def numbers(store: ClickHouseTraffic, sql: str) -> Any:
    return store.query(sql)[0]["n"]


@pytest.mark.timeout(1800)
def test_nothing_is_lost_or_doubled(server_at: Any) -> None:
    # The transactions are of January: without this the retention of 30 days would rightly forget them.
    server: ServerProcess = server_at("[traffic]\nretention_days = 0\naggregate_retention_days = 0\n")
    server.start()
    sender = Sender(server)
    sender.thread.start()
    chosen = random.Random(20261121)
    # By what was sent, so that a quick machine is not done before the kills; every second one meets the recovery.
    for quarter in (1, 2, 3):
        sender.reach(quarter * TOTAL // BATCH // 4)
        for _ in range(2):
            time.sleep(chosen.uniform(0.0, 1.5))
            server.kill()
            server.start()
    sender.thread.join()
    entry = server.settle()
    assert server.stop() == 0
    assert sender.acknowledged * BATCH == TOTAL
    # A batch that was journalled but whose answer was lost is sent again: those are duplicates, counted as such.
    assert entry["observed"] == TOTAL
    assert entry["received"] == entry["observed"] + entry["duplicate"]
    assert entry["rejected"] == {}
    store = ClickHouseTraffic(f"chdb://{server.directory}/data/traffic")
    assert numbers(store, "SELECT count() AS n FROM observations") == TOTAL
    assert numbers(store, "SELECT uniqExact(id) AS n FROM observations") == TOTAL
    for view in ("traffic_minute", "traffic_hour", "client_hour", "endpoint_facts"):
        assert numbers(store, f"SELECT sum(calls) AS n FROM {view}") == TOTAL, view
    assert numbers(store, "SELECT sum(calls) AS n FROM object_access") == TOTAL
    actors = "SELECT {} AS n FROM {}"
    assert numbers(store, actors.format("uniqCombinedMerge(12)(actors)", "address_actors_data")) == numbers(
        store, actors.format("uniqCombined(12)(actor_id)", "observations") + " WHERE actor_kind != 'address'"
    )
    store.close()
    control = SqlControlStore(f"sqlite:///{server.directory}/data/control.sqlite")
    alerts, _ = control.alerts(AlertFilter(), limit=500)
    assert all(alert.incident for alert in alerts), "found before a kill, placed after it"
    assert control.cases.verify_activities() >= len(alerts)
    control.close()
