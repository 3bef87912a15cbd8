"""What Gatewatch costs a gateway: plain Envoy, Envoy with our access log, and with bodies too, in one interleaved run.

One Envoy with a listener for each, one upstream, one load generator, one Gatewatch that really receives, observes and
stores. After each round everything is drained, so that no round pays for the one before; during rounds of plain Envoy
Gatewatch is stopped. Closed-loop rounds give throughput. Rounds at a fixed rate well below it give the latency added,
with Gatewatch on the same cores, and with Gatewatch stopped while calls are made (Envoy sends, sockets keep it), as if
it had cores of its own. On few cores Gatewatch (started with `nice`), generator and upstream compete with Envoy;
`envoy_cpu_us_per_call` is what Envoy itself spends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil

from benchmarks.facts import machine, publish
from benchmarks.http_load import ANSWER_BYTES, REQUEST_BYTES
from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.processes import ChildProcess, answers, free_port

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
MODES = ("plain", "access_log", "bodies")
CONNECTIONS, CLOSED_CYCLES, PACED_CYCLES = 12, 4, 3
CLOSED_S, PACED_S, PACED_PER_S, WARM_S = 1.5, 1.5, 1000.0, 0.5
NICE = 10
_DRAIN_S = 120.0


class Stand:
    """Everything that runs: upstream, Gatewatch, Envoy."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.upstream, self._api = free_port(), free_port()
        self.ports = {mode: free_port() for mode in MODES}
        collector, load = free_port(), "benchmarks.http_load"
        serve = (sys.executable, "-m", load, "serve", "--port", str(self.upstream))
        ready = answers(f"http://127.0.0.1:{self.upstream}/")
        self.upstream_process = ChildProcess(serve, log=directory / "upstream.log", ready=ready, cwd=ROOT)
        stack.enter_context(self.upstream_process)
        self._server = stack.enter_context(self._gatewatch(directory, collector))
        output = self._server.output().splitlines()
        self._token = next(line.partition("token: ")[2] for line in output if line.startswith("token: "))
        listeners = [
            Listener(
                name=mode,
                port=port,
                upstream=self.upstream,
                collector=None if mode == "plain" else collector,
                bodies=mode == "bodies",
            )
            for mode, port in self.ports.items()
        ]
        self.envoy = stack.enter_context(EnvoyProcess(directory, listeners))
        self.client = stack.enter_context(
            httpx.Client(
                base_url=f"http://127.0.0.1:{self._api}/v1/",
                headers={"authorization": f"Bearer {self._token}"},
                timeout=30,
            )
        )

    def _gatewatch(self, directory: Path, collector: int) -> ChildProcess:
        settings = directory / "gatewatch.toml"
        settings.write_text(f'[api]\nport = {self._api}\n[envoy]\nenabled = true\naddress = "127.0.0.1:{collector}"\n')
        data = str(directory / "data")
        python = ("nice", "-n", str(NICE), sys.executable)
        command = (*python, "-m", "gatewatch", "serve", "--data-dir", data, "--config", str(settings))
        ready = answers(f"http://127.0.0.1:{self._api}/v1/health")
        return ChildProcess(command, log=directory / "gatewatch.log", ready=ready, cwd=ROOT)

    @contextmanager
    def without_gatewatch(self) -> Iterator[None]:
        """Stopped, not idle: after a round it still merges and detects, which is no part of plain Envoy."""
        server = psutil.Process(self._server.pid)
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            yield
        finally:
            for process in processes:
                process.resume()

    def ledger(self) -> dict[str, Any]:
        return next(iter(self.client.get("ledger").raise_for_status().json()["items"]), {"received": 0, "in_flight": 0})

    def drain(self, expected: int) -> None:
        """Until Gatewatch has stored all that was sent through listeners that log."""
        until = time.monotonic() + _DRAIN_S
        while time.monotonic() < until:
            entry = self.ledger()
            if entry["received"] + self.dropped() >= expected and not entry["in_flight"]:
                return
            time.sleep(0.1)
        raise SystemExit(f"{expected} calls sent, but {self.ledger()}")

    def dropped(self) -> int:
        return self.envoy.counters("access_logs")["access_logs.grpc_access_log.logs_dropped"]

    def sees_bodies(self) -> bool:
        """Whether the inventory has the e-mail address of the answers, which only bodies carry."""
        items = self.client.get("endpoints").raise_for_status().json()["items"]
        return any(kind["type"] == "email" for item in items for kind in item["information_types"])


def _drive(port: int, seconds: float, rate: float = 0.0) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.http_load", "drive", "--port", str(port), "--seconds", str(seconds)]
    command += ["--connections", str(CONNECTIONS), "--rate", str(rate)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class Rounds:
    """Results per mode, and how many calls were made where they are logged."""

    def __init__(self, stand: Stand, logged: int = 0) -> None:
        self._stand, self.logged = stand, logged
        self.results: dict[str, list[dict[str, Any]]] = {mode: [] for mode in MODES}

    def run(self, mode: str, seconds: float, rate: float = 0.0, *, alone: bool = False) -> None:
        with self._stand.without_gatewatch() if alone or mode == "plain" else nullcontext():
            before = _cpu_s(self._stand.envoy.pid)
            found = _drive(self._stand.ports[mode], seconds, rate)
            found["envoy_cpu_s"] = _cpu_s(self._stand.envoy.pid) - before
        self.results[mode].append(found)
        if mode != "plain":
            self.logged += found["calls"]
            self._stand.drain(self.logged)


def _closed(stand: Stand, logged: int) -> Rounds:
    rounds = Rounds(stand, logged)
    for cycle in range(CLOSED_CYCLES):
        for place in range(len(MODES)):
            rounds.run(MODES[(cycle + place) % len(MODES)], CLOSED_S)
    return rounds


def _paced(stand: Stand, logged: int) -> tuple[Rounds, Rounds]:
    """Gatewatch on the same cores; and stopped while calls are made, as if it had cores of its own."""
    beside, alone = Rounds(stand, logged), Rounds(stand, 0)
    for cycle in range(PACED_CYCLES):
        for place in range(len(MODES)):
            mode = MODES[(cycle + place) % len(MODES)]
            for rounds, other in ((beside, alone), (alone, beside)):
                rounds.logged = max(rounds.logged, other.logged)
                rounds.run(mode, PACED_S, PACED_PER_S, alone=rounds is alone)
    return beside, alone


def _throughput(results: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds: others may use the machine during one of them."""
    rates = [r["calls"] / r["seconds"] for r in results]
    return {
        "calls": sum(r["calls"] for r in results),
        "calls_per_s": round(median(rates)),
        "rounds_per_s": [round(rate) for rate in rates],
        "envoy_cpu_us_per_call": round(median(r["envoy_cpu_s"] / r["calls"] for r in results) * 1e6, 1),
        "envoy_cpu_share": round(median(r["envoy_cpu_s"] / r["seconds"] for r in results), 2),
        "generator_cpu_share": round(median(r["cpu_share"] for r in results), 2),
    }


def _latency(results: list[dict[str, Any]]) -> dict[str, float]:
    values = sorted(value for result in results for value in result["latencies_us"])
    return {f"p{share}_ms": round(values[len(values) * share // 100] / 1000, 3) for share in (50, 95, 99)}


def _added(latency: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {
        mode: {name: round(latency[mode][name] - latency["plain"][name], 3) for name in latency["plain"]}
        for mode in MODES[1:]
    }


def _measure(directory: Path, stack: ExitStack) -> dict[str, Any]:
    load = os.getloadavg()[0]
    stand = Stand(directory, stack)
    direct = [_drive(stand.upstream, CLOSED_S)]
    warm = Rounds(stand)
    for mode in MODES:
        warm.run(mode, WARM_S)
    closed = _closed(stand, warm.logged)
    beside, alone = _paced(stand, closed.logged)
    direct.append(_drive(stand.upstream, CLOSED_S))
    return {
        "request_body_bytes": REQUEST_BYTES,
        "response_body_bytes": ANSWER_BYTES,
        "connections": CONNECTIONS,
        "gatewatch_nice": NICE,
        "generator_alone_per_s": round(median(r["calls"] / r["seconds"] for r in direct)),
        **_throughputs(closed),
        "paced_per_s": PACED_PER_S,
        "latency_gatewatch_elsewhere": _latencies(alone),
        "latency_gatewatch_on_the_same_cores": _latencies(beside),
        **_account(stand, max(beside.logged, alone.logged)),
        "bodies_were_read": stand.sees_bodies(),
        "load_before": round(load, 1),
        "machine": machine(),
    }


def _throughputs(closed: Rounds) -> dict[str, Any]:
    found = {mode: _throughput(closed.results[mode]) for mode in MODES}
    plain = found["plain"]["calls_per_s"]
    ratio = {mode: round(found[mode]["calls_per_s"] / plain, 3) for mode in MODES[1:]}
    return {"closed_loop": found, "throughput_ratio": ratio}


def _latencies(paced: Rounds) -> dict[str, Any]:
    found = {mode: _latency(paced.results[mode]) for mode in MODES}
    return {**found, "added": _added(found)}


def _account(stand: Stand, logged: int) -> dict[str, Any]:
    """Every call that Envoy was to log is in the ledger or counted by Envoy as dropped, or this fails."""
    entry, dropped = stand.ledger(), stand.dropped()
    rejected = sum(entry["rejected"].values())
    assert entry["received"] == entry["observed"] + entry["duplicate"] + rejected + entry["in_flight"], entry
    assert entry["received"] + dropped == logged, (entry, dropped, logged)
    kept = {name: entry[name] for name in ("received", "observed", "duplicate", "rejected", "in_flight")}
    return {"calls_logged": logged, "dropped_by_envoy": dropped, "ledger": kept}


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        return _measure(Path(directory), stack)


def main() -> None:
    result = measure()
    publish("envoy_overhead", result)
    alone, plain = result["generator_alone_per_s"], result["closed_loop"]["plain"]["calls_per_s"]
    print(f"Throughput of plain Envoy kept: {result['throughput_ratio']}")
    print(f"Latency added by Envoy's logging: {result['latency_gatewatch_elsewhere']['added']}")
    print(f"The generator and the upstream alone do {alone}/s, {alone / plain:.1f} times plain Envoy's {plain}/s.")
