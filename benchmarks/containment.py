"""From an order to the first refused call on a real Envoy, and what enforcement costs the calls that pass.

    python -m benchmarks containment [--write]

Time to block: `ContainmentDesk.apply` as REST and playbooks call it (guardrails judged from the traffic store, stored,
carried out and read back by the reconciler) until a caller, who asks as fast as answers come, gets its first 403, while
another process sends calls at a fixed rate through the same Envoy. Latency: one Envoy with two listeners, one without
our filters and one with, driven in turns at the same rate with 0, 100 and 10,000 addresses blocked.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from typing import Any

import structlog

from benchmarks.facts import machine, publish
from gatewatch.bootstrap.containing import containing
from gatewatch.bootstrap.installation import SystemClock
from gatewatch.gateways.envoy import Envoy, EnvoySettings
from gatewatch.model.action import Outcome
from gatewatch.model.containment import ContainmentPlan, Effect, Scope, ScopeKind, digest_of
from gatewatch.model.enforcement import Enforcement
from gatewatch.ports.gateways import Site
from gatewatch.respond.guarding import Guardrails
from gatewatch.services.containing import ContainmentDesk
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.gateways import enforcement
from gatewatch.testing.processes import ChildProcess, answers, free_port
from gatewatch.traffic.clickhouse import ClickHouseTraffic

__all__ = ["ROOT", "Caller", "main", "spread"]

ROOT = Path(__file__).parents[1]
BLOCKS, PER_S, CONNECTIONS = 60, 2000.0, 12
SIZES, CYCLES, ROUND_S, WARM_S = (0, 100, 10_000), 4, 1.5, 0.5
MODES = ("without", "with")
_BACKGROUND_S = 40.0
_GIVE_UP_S = 15.0
_REMARK = "Others used this machine meanwhile: their load is in all times, and differences of latency are noise."


class Stand:
    """Upstream, Envoy, and the adapter that tells it."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        upstream = free_port()
        serve = (sys.executable, "-m", "benchmarks.http_load", "serve", "--port", str(upstream))
        ready = answers(f"http://127.0.0.1:{upstream}/")
        stack.enter_context(ChildProcess(serve, log=directory / "upstream.log", ready=ready, cwd=ROOT))
        files = directory / "filters"
        files.mkdir()
        self.ports = {mode: free_port() for mode in MODES}
        listeners = [
            Listener(name=mode, port=port, upstream=upstream, containment=files if mode == "with" else None)
            for mode, port in self.ports.items()
        ]
        envoy = EnvoyProcess(directory, listeners)
        site = Site(name="edge", directory=directory, clock=SystemClock())
        self.gateway = Envoy(EnvoySettings(directory=str(files), admin_url=envoy.admin_url), site)
        stack.callback(self.gateway.close)
        self.gateway.prepare()
        stack.enter_context(envoy)

    def command(self, mode: str, seconds: float) -> list[str]:
        """Of a load generator."""
        given = {"port": self.ports[mode], "seconds": seconds, "connections": CONNECTIONS, "rate": PER_S}
        options = [text for name, value in given.items() for text in (f"--{name}", str(value))]
        return [sys.executable, "-m", "benchmarks.http_load", "drive", *options]

    def drive(self, mode: str, seconds: float) -> dict[str, Any]:
        done = subprocess.run(self.command(mode, seconds), cwd=ROOT, check=True, capture_output=True, text=True)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


class Caller:
    """One connection of a client that stands at any address we like."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def status(self, address: str, path: str = "/api/items") -> int:
        text = f"GET {path} HTTP/1.1\r\nhost: shop.example\r\nx-forwarded-for: {address}\r\n\r\n"
        self._socket.sendall(text.encode())
        data = self._socket.recv(65536)
        while b"\r\n\r\n" not in data or not _whole(data):
            data += self._socket.recv(65536)
        return int(data[9:12])

    def close(self) -> None:
        self._socket.close()


def _whole(data: bytes) -> bool:
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= int(length.partition(b":")[2])


def _plan(number: int) -> ContainmentPlan:
    scope = Scope(kind=ScopeKind.ADDRESS, value=f"203.0.113.{number + 1}")
    return ContainmentPlan(gateway="edge", scope=scope, effect=Effect.BLOCK, duration_s=3600.0, reason="measured")


def _block(desk: ContainmentDesk, caller: Caller, pool: ThreadPoolExecutor, number: int) -> tuple[float, float]:
    """Seconds until the first refused call, and until `apply` had it confirmed."""
    plan = _plan(number)
    assert caller.status(plan.scope.value) == 200, "refused before it was ordered"
    begin = time.perf_counter()

    def apply() -> float:
        found = desk.apply(plan, key=f"block-{number}", by="bench", approved_digest=digest_of(plan))
        assert found.outcome is Outcome.SUCCEEDED, found
        return time.perf_counter() - begin

    applied = pool.submit(apply)
    while caller.status(plan.scope.value) != 403:
        assert time.perf_counter() - begin < _GIVE_UP_S, "never refused"
    return time.perf_counter() - begin, applied.result()


def _blocks(stand: Stand, directory: Path, stack: ExitStack) -> dict[str, Any]:
    control = SqlControlStore(f"sqlite:///{directory}/control.sqlite")
    stack.callback(control.close)
    control.migrate()
    traffic = ClickHouseTraffic(f"chdb://{directory}/traffic")
    stack.callback(traffic.close)
    traffic.migrate()
    parts = containing(
        control=control,
        traffic=traffic,
        gateways={"edge": stand.gateway},
        guardrails=Guardrails(),
        clock=SystemClock(),
        log=structlog.get_logger(),
    )
    parts.reconciling.start()
    caller = Caller(stand.ports["with"])
    background = subprocess.Popen(stand.command("with", _BACKGROUND_S), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        with ThreadPoolExecutor(1) as pool:
            found = [_block(parts.desk, caller, pool, number) for number in range(BLOCKS)]
        still = background.poll() is None
        output, _ = background.communicate()
    finally:
        background.kill()
        caller.close()
        parts.reconciling.stop()
    load = json.loads(output)
    return {
        "blocks": BLOCKS,
        "until_refused": spread([seconds for seconds, _ in found]),
        "until_confirmed": spread([seconds for _, seconds in found]),
        "background_asked_per_s": PER_S,
        "background_done_per_s": round(load["calls"] / load["seconds"]),
        "background_lasted_for_all_blocks": still,
    }


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return {
        "median_ms": round(median(ordered) * 1000, 1),
        "p99_ms": round(p99 * 1000, 1),
        "max_ms": round(ordered[-1] * 1000, 1),
    }


def _blocked(size: int) -> list[Enforcement]:
    first = ip_address("100.64.0.0")
    return [enforcement(f"b{n}", ScopeKind.ADDRESS, str(first + n), Effect.BLOCK) for n in range(size)]


def _latencies(stand: Stand) -> dict[str, Any]:
    found = {}
    for size in SIZES:
        stand.gateway.apply(_blocked(size))
        results: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}
        for mode in MODES:
            stand.drive(mode, WARM_S)
        for cycle in range(CYCLES):
            for mode in MODES if cycle % 2 else reversed(MODES):
                results[mode].append(stand.drive(mode, ROUND_S))
        shown: dict[str, Any] = {mode: _latency(results[mode]) for mode in MODES}
        shown["added"] = {name: round(shown["with"][name] - shown["without"][name], 3) for name in ("p50_ms", "p99_ms")}
        found[str(size)] = shown
    return found


def _latency(results: list[dict[str, Any]]) -> dict[str, float]:
    """Medians over the rounds: others may use the machine during one of them."""
    found = {}
    for share in (50, 99):
        each = [sorted(result["latencies_us"]) for result in results]
        values = [one[len(one) * share // 100] for one in each]
        found[f"p{share}_ms"] = round(median(values) / 1000, 3)
    found["done_per_s"] = round(median(result["calls"] / result["seconds"] for result in results))
    return found


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        load = os.getloadavg()[0]
        stand = Stand(Path(directory), stack)
        latency = _latencies(stand)
        stand.gateway.apply(())
        return {
            "time_to_block": _blocks(stand, Path(directory), stack),
            "latency_by_blocked_addresses": latency,
            "paced_per_s": PER_S,
            "connections": CONNECTIONS,
            "load_before": round(load, 1),
            "remark": _REMARK if load > 1 else "",
            "machine": machine(),
        }


def main() -> None:
    result = measure()
    publish("containment", result)
    print(f"From the order to the first refused call: {result['time_to_block']['until_refused']}")
    added = {size: found["added"] for size, found in result["latency_by_blocked_addresses"].items()}
    print(f"Latency added by enforcement, by blocked addresses: {added}")
