"""End to end (journal -> observed -> stored) and stage by stage, next to the limit measured in the same run.

The limit is what plain chdb inserts of the very same NDJSON, with no analysis: one MergeTree table, JSONEachRow, all
cores of the engine.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import clickhouse_connect

from benchmarks.facts import machine, publish, watch_memory
from gatewatch.bootstrap.server import Server
from gatewatch.config.settings import Settings
from gatewatch.model.observation import Observation
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.columns import to_arrow
from gatewatch.observe.observer import BATCH as BATCH_TOGETHER
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet
from gatewatch.ports.wire import Origin
from gatewatch.sources.ndjson import GatewatchNdjson
from gatewatch.telemetry.logs import configure
from gatewatch.traffic.clickhouse import ClickHouseTraffic

__all__ = ["main", "transactions"]

COUNT, BATCH = 300_000, 2_000
STAGED = 20_000


def transactions(count: int, *, seed: int = 7) -> Iterator[bytes]:
    """About 1 KB each, with headers and JSON bodies; a tenth carries an attack, every answer an e-mail address."""
    chosen, now = random.Random(seed), time.time() - 3600
    claims = [urlsafe_b64encode(b'{"sub":"user-%d"}' % user).rstrip(b"=").decode() for user in range(5_000)]
    for number in range(count):
        user = chosen.randrange(5_000)
        order = {
            "items": [{"sku": f"SKU-{number % 50}", "qty": 2, "price": 19.99}],
            "note": "please ring twice",
            "zip": "10115",
        }
        answer = {
            "id": number,
            "status": "created",
            "customer": {"id": user, "email": f"anna{user}@example.com"},
            "total": 39.98,
        }
        record = {
            "id": f"t{number}",
            "ts": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + number * 0.01)) + f".{number % 1000:03d}Z",
            "method": chosen.choice(["GET", "GET", "POST"]),
            "host": "shop.example",
            "path": f"/api/v1/users/{user}/orders/{user * 20 + chosen.randrange(8)}",
            "query": f"page={number % 9}&sort=date" if number % 10 else "q=1' OR '1'='1",
            "request_headers": [
                ["Host", "shop.example"],
                [
                    "User-Agent",
                    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{100 + user % 20}.0 Safari/537.36",
                ],
                ["Authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims[user]}.c2lnbmF0dXJl"],
                ["Content-Type", "application/json"],
                ["Accept", "application/json"],
            ],
            "response_headers": [["Content-Type", "application/json"], ["Server", "shop"]],
            "request_body": json.dumps(order),
            "response_body": json.dumps(answer),
            "status": chosen.choice([200, 200, 200, 201, 404]),
            "latency_ms": chosen.random() * 40,
            "client_ip": f"203.0.{user % 200}.{user % 250}",
        }
        yield json.dumps(record).encode()


def _bodies(file: Path) -> Iterator[bytes]:
    """The recorded traffic, a request body at a time; the generator must not cost memory or time in the run."""
    with file.open("rb") as stream:
        while body := b"".join(islice(stream, BATCH)):
            yield body


def _limit(file: Path, directory: str) -> float:
    """Transactions per second that plain chdb takes from the same lines."""
    client = clickhouse_connect.get_client(dsn=f"chdb://{directory}/limit")
    client.command(
        "CREATE TABLE t (id String, ts String, method String, host String, path String, query String,"
        " request_headers Array(Array(String)), response_headers Array(Array(String)),"
        " request_body String, response_body String,"
        " status UInt16, latency_ms Float32, client_ip String) ENGINE = MergeTree ORDER BY id"
    )
    start = time.perf_counter()
    for body in _bodies(file):
        client.raw_insert("t", insert_block=body, fmt="JSONEachRow")
    took = time.perf_counter() - start
    stored = client.query("SELECT count() FROM t").result_rows[0][0]
    client.close()
    return float(stored / took)


def _stages(file: Path, directory: str) -> dict[str, float]:
    """Microseconds per transaction of each stage alone, one process, the second of two passes."""
    source = GatewatchNdjson()
    observer, templates = Observer(ObserveSettings(), bytes(32)), TemplateSet.empty()
    origin = Origin(source="bench", position="j0", first_line=1, received_at=0.0)
    store = ClickHouseTraffic(f"chdb://{directory}/stages")
    store.migrate()
    took: dict[str, float] = {}
    for number in range(2):
        bodies = list(islice(_bodies(file), STAGED // BATCH))
        clock = [time.perf_counter()]
        for body in bodies:
            for _ in source.decode(body, origin):
                pass
        clock.append(time.perf_counter())
        observations: list[Observation] = []
        for body in bodies:
            items = source.decode(body, origin)
            while batch := [item for item in islice(items, BATCH_TOGETHER) if isinstance(item, Transaction)]:
                observations += observer.observe_all(batch, "bench", templates)
        clock.append(time.perf_counter())
        columns = to_arrow(observations, block=number)
        clock.append(time.perf_counter())
        store.insert(columns, token=f"b{number}")
        clock.append(time.perf_counter())
        decode, both, arrow, insert = (1e6 * (end - start) / STAGED for start, end in pairwise(clock))
        took = {"decode": decode, "observe": both - decode, "columns": arrow, "insert_with_views": insert}
    store.close()
    return {name: round(value, 1) for name, value in took.items()}


def _pipeline(file: Path, directory: str) -> dict[str, Any]:
    server = Server(Settings(data_dir=f"{directory}/data"), configure(level="error"))
    ingest = server.app.state.services.ingest
    server.observing.start()
    ingest.accept("warm", "ndjson", next(_bodies(file)))
    while not server.observing.drained():
        time.sleep(0.02)
    stop, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch_memory, args=(stop, peak))
    watcher.start()
    start = time.perf_counter()
    for body in _bodies(file):
        ingest.accept("bench", "ndjson", body)
    journalled = time.perf_counter() - start
    while not server.observing.drained():
        time.sleep(0.02)
    took = time.perf_counter() - start
    stop.set()
    watcher.join()
    entry = next(item for item in server.observing.ledger() if item.source == "bench")
    if entry.in_flight or entry.received != COUNT:
        raise SystemExit(f"the ledger does not close: {entry}")
    start = time.perf_counter()
    server.detecting.tick()
    tick = time.perf_counter() - start
    server.stop()
    return {
        "transactions_per_s": round(COUNT / took),
        "journal_only_per_s": round(COUNT / journalled),
        "observed": entry.observed,
        "duplicate": entry.duplicate,
        "rejected": sum(entry.rejected.values()),
        "peak_rss_mb_all_processes": round(peak[0] / 1e6),
        "first_detection_tick_s": round(tick, 2),
    }


def _apart(part: Callable[[Path, str], Any], file: Path) -> Any:
    """In a process of its own: the engine allows one folder per process, and memory is read per part."""
    with tempfile.TemporaryDirectory() as directory, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(part, file, directory).result()


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "traffic.ndjson")
        with file.open("wb") as stream:
            stream.writelines(line + b"\n" for line in transactions(COUNT))
        limit, stages, found = (_apart(part, file) for part in (_limit, _stages, _pipeline))
        size = file.stat().st_size
    return {
        "transactions": COUNT,
        "mean_bytes": round(size / COUNT),
        **found,
        "plain_chdb_insert_per_s": round(limit),
        "ratio_to_limit": round(found["transactions_per_s"] / limit, 3),
        "stages_us_per_transaction": stages,
        "machine": machine(),
    }


def main() -> None:
    publish("pipeline", measure())
