"""End to end: journal -> observed -> stored, next to the limit measured in the same run.

The limit is what plain chdb inserts of the very same NDJSON, with no analysis: one MergeTree table, JSONEachRow.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import clickhouse_connect
import psutil

from benchmarks.facts import machine

__all__ = ["main", "transactions"]

COUNT, BATCH = 100_000, 2_000


def transactions(count: int, *, seed: int = 7) -> list[bytes]:
    """About 1 KB each, with headers and JSON bodies; a tenth carries something to find."""
    chosen, now = random.Random(seed), time.time() - 3600
    lines = []
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
            "ts": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + number * 0.03)) + f".{number % 1000:03d}Z",
            "method": chosen.choice(["GET", "GET", "POST"]),
            "host": "shop.example",
            "path": f"/api/v1/users/{user}/orders/{chosen.randrange(100_000)}",
            "query": f"page={number % 9}&sort=date" if number % 10 else "q=1' OR '1'='1",
            "request_headers": [
                ["Host", "shop.example"],
                [
                    "User-Agent",
                    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/{100 + user % 20}.0 Safari/537.36",
                ],
                ["Authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEyMyJ9.sig{user}"],
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
        lines.append(json.dumps(record).encode())
    return lines


def _limit(bodies: list[bytes], directory: str) -> float:
    """Transactions per second that plain chdb takes from the same lines."""
    client = clickhouse_connect.get_client(dsn=f"chdb://{directory}/limit")
    client.command(
        "CREATE TABLE t (id String, ts String, method String, host String, path String, query String,"
        " request_headers Array(Array(String)), response_headers Array(Array(String)),"
        " request_body String, response_body String,"
        " status UInt16, latency_ms Float32, client_ip String) ENGINE = MergeTree ORDER BY id"
    )
    start = time.perf_counter()
    for body in bodies:
        client.raw_insert("t", insert_block=body, fmt="JSONEachRow")
    took = time.perf_counter() - start
    stored = client.query("SELECT count() FROM t").result_rows[0][0]
    client.close()
    return float(stored / took)


def _memory(stop: threading.Event, peak: list[int]) -> None:
    process = psutil.Process()
    while not stop.wait(0.2):
        total = 0
        for one in (process, *process.children(recursive=True)):
            try:
                total += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak[0] = max(peak[0], total)


def _pipeline(bodies: list[bytes], directory: str) -> dict[str, Any]:
    from gatewatch.bootstrap.server import Server
    from gatewatch.config.settings import Settings
    from gatewatch.telemetry.logs import configure

    server = Server(Settings(data_dir=f"{directory}/data"), configure(level="error"))
    server.observing.start()
    server.app.state.services.ingest.accept("warm", "ndjson", bodies[0])
    while not server.observing.drained():
        time.sleep(0.02)
    stop, peak = threading.Event(), [0]
    watcher = threading.Thread(target=_memory, args=(stop, peak))
    watcher.start()
    start = time.perf_counter()
    for body in bodies:
        server.app.state.services.ingest.accept("bench", "ndjson", body)
    journalled = time.perf_counter() - start
    while not server.observing.drained():
        time.sleep(0.02)
    took = time.perf_counter() - start
    stop.set()
    watcher.join()
    entry = next(item for item in server.observing.ledger() if item.source == "bench")
    assert entry.in_flight == 0
    start = time.perf_counter()
    server.detecting.tick()
    tick = time.perf_counter() - start
    server.stop()
    return {
        "transactions_per_s": round(COUNT / took),
        "journal_only_per_s": round(COUNT / journalled),
        "observed": entry.observed,
        "rejected": sum(entry.rejected.values()),
        "peak_rss_mb": round(peak[0] / 1e6),
        "first_detection_tick_s": round(tick, 2),
    }


def main() -> dict[str, Any]:
    lines = transactions(COUNT)
    bodies = [b"\n".join(lines[i : i + BATCH]) + b"\n" for i in range(0, COUNT, BATCH)]
    with tempfile.TemporaryDirectory() as directory:
        limit = _limit(bodies, directory)
    with tempfile.TemporaryDirectory() as directory:
        found = _pipeline(bodies, directory)
    return {
        "transactions": COUNT,
        "mean_bytes": round(sum(map(len, lines)) / COUNT),
        **found,
        "plain_chdb_insert_per_s": round(limit),
        "ratio_to_limit": round(found["transactions_per_s"] / limit, 3),
        "own_peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000),
        "machine": machine(),
    }


if __name__ == "__main__":
    result = main()
    text = json.dumps(result, indent=1) + "\n"
    sys.stdout.write(text)
    if "--write" in sys.argv:
        (Path(__file__).parent / "results" / "pipeline.json").write_text(text)
    os._exit(0)
