"""Ten thousand endpoints, a hundred thousand actors: memory, detection ticks and REST lists at 1, 7 and 30 days.

History is made column-wise and put straight into the traffic store (observing it is the matter of `pipeline`); the
same last hour of live traffic lies on top of each. Every history gets a server of its own, in a process of its own.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa

from benchmarks.facts import machine, publish, watch_memory
from gatewatch.bootstrap.server import Server
from gatewatch.config.settings import Settings
from gatewatch.detect.planning import Span
from gatewatch.model.path import PathRecord, PathState, TemplateReason
from gatewatch.observe.columns import SCHEMA
from gatewatch.ports.control import Role
from gatewatch.services.detecting import DetectionRun
from gatewatch.telemetry.logs import configure

__all__ = ["main"]

ENDPOINTS, ACTORS = 10_000, 100_000
PER_DAY, PER_LIVE_HOUR = 150_000, 150_000
DAYS = (1, 7, 30)
TICKS = 6
OBSERVED, POSTED = 200_000, 2_000
BLOCK = 50_000
_LISTS = (
    "/v1/endpoints?limit=50",
    "/v1/endpoints?limit=50&authentication=unauthenticated",
    "/v1/collections?limit=50",
    "/v1/findings?limit=50",
    "/v1/findings?limit=50&status=unhealthy",
    "/v1/alerts?limit=50",
    "/v1/alerts?limit=50&severity=high",
    "/v1/ledger",
    "/v1/detectors",
    "/v1/coverage",
    "/v1/ready",
)


def _path_ids() -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.arange(1, ENDPOINTS + 1, dtype=np.uint64) * np.uint64(7_919) + np.uint64(1 << 40)


def _paths() -> list[PathRecord]:
    return [
        PathRecord(
            path_id=int(path_id),
            endpoint_id=int(path_id),
            method=("GET", "POST", "PUT", "DELETE")[index % 4],
            host=f"api{index % 20}.example",
            template=f"/v1/service{index // 100}/resource{index % 100}/{{int}}",
            state=PathState.CONFIRMED,
            reason=TemplateReason.TYPED,
            confidence=1.0,
            version=1,
        )
        for index, path_id in enumerate(_path_ids())
    ]


def _ranked(dice: np.random.Generator, size: int, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Few that are busy and many that are not, every one of them possible."""
    return np.minimum((dice.random(count) ** 2 * size).astype(np.int64), size - 1)


def _batch(dice: np.random.Generator, start: float, seconds: float, count: int, block: int) -> pa.RecordBatch:
    """`count` transactions of honest users: own objects, some misses, now and then a login that fails."""
    actor, endpoint = _ranked(dice, ACTORS, count), _ranked(dice, ENDPOINTS, count)
    dice.shuffle(endpoint)
    ts = np.sort(start + dice.random(count) * seconds)
    login = endpoint < 2
    fails = dice.random(count) < np.where(login, 0.08, 0.03)
    status = np.where(fails, np.where(login, 401, 404), 200).astype(np.uint16)
    addresses = np.zeros((count, 16), np.uint8)
    addresses[:, 10:12] = 255
    addresses[:, 12:16] = (actor + (11 << 24)).astype(">u4").view(np.uint8).reshape(count, 4)
    objects = (actor.astype(np.uint64) << np.uint64(8)) + dice.integers(0, 6, count).astype(np.uint64) + np.uint64(1)
    ids = [f"{block}-{row}" for row in range(count)]
    one = pa.array(np.arange(count + 1, dtype=np.int32))

    def repeated(value: str) -> pa.Array:
        return pa.ListArray.from_arrays(one, pa.array([value] * count))

    given: dict[str, pa.Array] = {
        "ts": pa.array((ts * 1000).astype(np.int64)).cast(SCHEMA.field("ts").type),
        "block": pa.array(np.full(count, block, np.uint64)),
        "row": pa.array(np.arange(count, dtype=np.uint32)),
        "id": pa.array(ids),
        "source": pa.array(["edge"] * count),
        "path_id": pa.array(_path_ids()[endpoint]),
        "method": pa.array(np.array(["GET", "POST", "PUT", "DELETE"])[endpoint % 4]),
        "host": pa.array([f"api{index % 20}.example" for index in endpoint]),
        "status": pa.array(status),
        "latency_ms": pa.array(dice.random(count).astype(np.float32) * 40),
        "response_size": pa.array(dice.integers(100, 4000, count).astype(np.uint64)),
        "evidence": pa.array(np.full(count, 2047, np.uint32)),
        "actor_kind": pa.array(["subject"] * count),
        "actor_id": pa.array([f"user-{index}" for index in actor]),
        "auth_scheme": pa.array(["jwt"] * count),
        "credential": pa.array(actor.astype(np.uint64) + np.uint64(1)),
        "client_ip": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(addresses)]),
        "external": pa.array(np.ones(count, bool)),
        "user_agent": pa.array(np.array(["chrome", "firefox", "safari", "ios app"])[actor % 4]),
        "user_agent_value": pa.array((actor % 500).astype(np.uint64) + np.uint64(1)),
        "login_attempt": pa.array(login),
        "login_user": pa.array(np.where(login, actor + 1, 0).astype(np.uint64)),
        "login_secret": pa.array(np.where(login, actor + 1, 0).astype(np.uint64)),
        "content_type": pa.array(["application/json"] * count),
        "parameter_location": repeated("request.path"),
        "parameter_name": repeated("p0"),
        "parameter_type": repeated("int"),
        "parameter_length": pa.ListArray.from_arrays(one, pa.array(np.full(count, 6, np.uint32))),
        "parameter_value": pa.ListArray.from_arrays(one, pa.array(objects)),
        "parameter_reference": pa.ListArray.from_arrays(one, pa.array(np.ones(count, bool))),
    }
    return pa.RecordBatch.from_arrays(
        [given[f.name] if f.name in given else _default(f.type, count) for f in SCHEMA], schema=SCHEMA
    )


def _default(kind: pa.DataType, count: int) -> pa.Array:
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(pa.array(np.zeros(count + 1, np.int32)), pa.array([], kind.value_type))
    return pa.array([""] * count) if pa.types.is_string(kind) else pa.array(np.zeros(count, np.int8)).cast(kind)


def _history(days: int, now: float) -> Iterator[pa.RecordBatch]:
    dice, block = np.random.default_rng(7), 0
    live = now - 3600
    for day in range(days, 0, -1):
        for part in range(PER_DAY // BLOCK):
            seconds = 86_400 * BLOCK / PER_DAY
            yield _batch(dice, live - day * 86_400 + part * seconds, seconds, BLOCK, block)
            block += 1
    for part in range(PER_LIVE_HOUR // BLOCK):
        seconds = 3600 * BLOCK / PER_LIVE_HOUR
        yield _batch(dice, live + part * seconds, seconds, BLOCK, block)
        block += 1


def _posts(seed: int, now: float) -> Iterator[bytes]:
    """The same endpoints and actors as requests, with bodies, for the observing workers."""
    dice = np.random.default_rng(seed)
    for part in range(OBSERVED // POSTED):
        endpoint, actor = dice.integers(0, ENDPOINTS, POSTED), dice.integers(0, ACTORS, POSTED)
        lines = []
        for row, (e, a) in enumerate(zip(endpoint.tolist(), actor.tolist(), strict=True)):
            claims = urlsafe_b64encode(b'{"sub":"user-%d"}' % a).rstrip(b"=").decode()
            call = {
                "id": f"o{part}-{row}",
                "ts": datetime.fromtimestamp(now - 60 + part * 0.2, UTC).isoformat(timespec="milliseconds"),
                "method": ("GET", "POST", "PUT", "DELETE")[e % 4],
                "host": f"api{e % 20}.example",
                "path": f"/v1/service{e // 100}/resource{e % 100}/{a * 256 + row % 6}",
                "request_headers": [["Authorization", f"Bearer eyJhbGciOiJIUzI1NiJ9.{claims}.c2ln"]],
                "response_headers": [["Content-Type", "application/json"]],
                "response_body": json.dumps({"id": a, "email": f"user{a}@example.com", "total": row}),
                "status": 200,
                "client_ip": f"11.{a >> 16 & 255}.{a >> 8 & 255}.{a & 255}",
            }
            lines.append(json.dumps(call))
        yield "\n".join(lines).encode() + b"\n"


def _observe(server: Server, now: float) -> None:
    server.observing.start()
    for body in _posts(11, now):
        server.app.state.services.ingest.accept("bench", "ndjson", body)
    while not server.observing.drained():
        time.sleep(0.05)
    server.catalogue.refresh()


async def _lists(server: Server) -> dict[str, float]:
    """Milliseconds per list: the slowest of five, after one that warms up."""
    _, token = server.access.create("bench", Role.ADMIN)
    took: dict[str, float] = {}
    transport = httpx.ASGITransport(app=server.app)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers) as client:
        for path in _LISTS:
            times = []
            for _ in range(6):
                start = time.perf_counter()
                (await client.get(path)).raise_for_status()
                times.append(time.perf_counter() - start)
            took[path] = round(1000 * max(times[1:]), 1)
    return took


def _fill(days: int, directory: str, now: float) -> int:
    server = Server(Settings(data_dir=f"{directory}/data"), configure(level="error"))
    server.traffic.put_paths(_paths())
    rows = 0
    for number, batch in enumerate(_history(days, now)):
        server.traffic.insert(batch, token=f"h{number}")
        rows += batch.num_rows
    server.stop()
    return rows


def _measure(directory: str, now: float) -> dict[str, Any]:
    """A server that starts on what `_fill` left, so that its memory is that of serving alone."""
    stop, peak = threading.Event(), [0]
    watcher = threading.Thread(target=watch_memory, args=(stop, peak))
    watcher.start()
    server = Server(Settings(data_dir=f"{directory}/data"), configure(level="error"))
    run = DetectionRun(server.traffic, server.control, configure(level="error"))
    lag = 2.0
    ticks, per_detector = [], {}
    for number in range(TICKS):
        end = now - 5.0 * (TICKS - number)
        start = time.perf_counter()
        run.run(Span(start=end - 5.0 - lag, end=end))
        ticks.append(time.perf_counter() - start)
    for detector in run.detectors():
        start = time.perf_counter()
        run.judge(detector, Span(start=now - 5.0 - lag, end=now))
        per_detector[detector.meta.id] = round(1000 * (time.perf_counter() - start), 1)
    start = time.perf_counter()
    server.catalogue.refresh()
    refresh = time.perf_counter() - start
    lists = asyncio.run(_lists(server))
    _observe(server, now)
    stop.set()
    watcher.join()
    server.stop()
    return {
        "tick_ms_median": round(1000 * statistics.median(ticks), 1),
        "tick_ms_worst": round(1000 * max(ticks), 1),
        "tick_ms_by_detector": per_detector,
        "catalogue_refresh_ms": round(1000 * refresh),
        "lists_ms_worst_of_5": lists,
        "peak_rss_mb_all_processes": round(peak[0] / 1e6),
        "traffic_store_mb": round(
            sum(f.stat().st_size for f in Path(directory, "data", "traffic").rglob("*") if f.is_file()) / 1e6
        ),
    }


def _alone(work: Callable[..., Any], *given: Any) -> Any:
    """The result of `work` in a process of its own: the traffic store is one per process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *given).result()


def measure() -> dict[str, Any]:
    results: dict[str, Any] = {}
    for days in DAYS:
        with tempfile.TemporaryDirectory() as directory:
            now = time.time()
            rows = _alone(_fill, days, directory, now)
            results[f"{days} days"] = {"rows": rows, **_alone(_measure, directory, now)}
        print(days, json.dumps(results[f"{days} days"], indent=1), file=sys.stderr, flush=True)
    return {"endpoints": ENDPOINTS, "actors": ACTORS, "history": results, "machine": machine()}


def main() -> None:
    publish("scale", measure())
