"""From ingest to alert: attacks among 5,000 transactions a second, each from an address of its own.

The clock starts when the journal has acknowledged the attack and stops when the alert is in the control store.
Observing workers, detection ticks, inventory and the generator share the machine.
"""

from __future__ import annotations

import json
import random
import tempfile
import threading
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks.facts import machine, publish
from benchmarks.pipeline import transactions
from gatewatch.bootstrap.server import Server
from gatewatch.config.settings import Settings
from gatewatch.ports.control import AlertFilter
from gatewatch.services.ingesting import Ingest
from gatewatch.telemetry.logs import configure

__all__ = ["main"]

RATE, PER_POST, SECONDS = 5_000, 500, 90
ATTACKS = 60
_PATIENCE_S = 30.0
_TS = b'"ts": "'


def _now() -> bytes:
    return datetime.now(UTC).isoformat(timespec="milliseconds").encode()


def _posts(count: int) -> list[list[tuple[bytes, bytes]]]:
    """Lines cut around id and time, so that sending costs little: (before the time, after it)."""
    posts: list[list[tuple[bytes, bytes]]] = []
    for number, line in enumerate(transactions(count)):
        head, _, rest = line.replace(b"q=1' OR '1'='1", b"page=1&sort=date").partition(_TS)
        if number % PER_POST == 0:
            posts.append([])
        posts[-1].append((head + _TS, rest[rest.index(b'"') :]))
    return posts


def _load(ingest: Ingest, posts: list[list[tuple[bytes, bytes]]], stop: threading.Event, sent: list[int]) -> None:
    start, number = time.monotonic(), 0
    while not stop.is_set():
        now, tag = _now(), b'{"id": "n%d-' % number
        lines = [head.replace(b'{"id": "', tag, 1) + now + rest for head, rest in posts[number % len(posts)]]
        ingest.accept("bench", "ndjson", b"\n".join(lines) + b"\n")
        number += 1
        sent[0] += PER_POST
        time.sleep(max(0.0, start + number * PER_POST / RATE - time.monotonic()))


def _attack(number: int, address: str) -> bytes:
    return (
        json.dumps(
            {
                "id": f"attack-{number}",
                "ts": _now().decode(),
                "method": "GET",
                "host": "shop.example",
                "path": "/api/v1/products",
                "query": "q=1%27%20UNION%20SELECT%20password%20FROM%20users--",
                "request_headers": [["Host", "shop.example"], ["User-Agent", "Mozilla/5.0"]],
                "response_headers": [["Content-Type", "application/json"]],
                "response_body": '{"error":"SQLSTATE[42000]: Syntax error"}',
                "status": 500,
                "client_ip": address,
            }
        ).encode()
        + b"\n"
    )


def _wait_for(server: Server, addresses: dict[str, float], found: dict[str, float], stop: threading.Event) -> None:
    while not stop.is_set():
        alerts, _ = server.control.alerts(AlertFilter(), limit=200)
        now = time.monotonic()
        for alert in alerts:
            for address in alert.client_ips:
                if address in addresses and address not in found:
                    found[address] = now
        stop.wait(0.05)


def _run(server: Server) -> tuple[list[float], int, int]:
    ingest = server.app.state.services.ingest
    posts = _posts(20 * PER_POST)
    stop, sent = threading.Event(), [0]
    attacked: dict[str, float] = {}
    found: dict[str, float] = {}
    threads = [
        threading.Thread(target=_load, args=(ingest, posts, stop, sent)),
        threading.Thread(target=_wait_for, args=(server, attacked, found, stop)),
    ]
    server.start()
    for thread in threads:
        thread.start()
    dice = random.Random(3)
    time.sleep(SECONDS / 10)
    for number in range(ATTACKS):
        address = f"198.51.100.{number + 1}"
        ingest.accept("bench", "ndjson", _attack(number, address))
        attacked[address] = time.monotonic()
        time.sleep(dice.random() * 2 * (SECONDS * 0.9) / ATTACKS)
    until = time.monotonic() + _PATIENCE_S
    while len(found) < ATTACKS and time.monotonic() < until:
        time.sleep(0.1)
    stop.set()
    for thread in threads:
        thread.join()
    backlog = sum(entry.in_flight for entry in server.observing.ledger())
    return sorted(found[a] - attacked[a] for a in found), sent[0], backlog


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(data_dir=f"{directory}/data")
        server = Server(settings, configure(level="error"))
        start = time.monotonic()
        times, sent, backlog = _run(server)
        took = time.monotonic() - start
        server.stop()
    return {
        "transactions_per_s": round(sent / took),
        "attacks": ATTACKS,
        "alerts": len(times),
        "p50_s": round(times[len(times) // 2], 2),
        "p99_s": round(times[min(len(times) - 1, int(len(times) * 0.99))], 2),
        "tick_s": settings.detect.tick_s,
        "last_run_ms": {name: round(1000 * cost) for name, cost in server.detecting.costs().items()},
        "in_flight_at_the_end": backlog,
        "machine": machine(),
    }


def main() -> None:
    publish("alert_latency", measure())
