"""From an alert to the first refused call, with everything in between that people set up: rule, playbook, containment.

    python -m benchmarks alert_to_block [--write]

A whole server in a process of its own, fed by a real Envoy with bodies, contains on that same Envoy. Another process
sends 2,000 ordinary calls a second through it. Every attacker stands at an address of its own, probes for SQL injection
a few times, then goes on with harmless calls, one every few
milliseconds, until the first 403. Blocks of single addresses
need no approval here (`containment.approvals`), as somebody would have it who wants them within seconds. Clocks: when
the server stored the alert, and when the attacker was refused; both are this machine's.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from benchmarks.containment import ROOT, Caller, spread
from benchmarks.facts import machine, publish
from gatewatch.ports.control import AlertFilter
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.processes import ChildProcess, answers, free_port

__all__ = ["main"]

ATTACKERS, PROBES, PER_S, CONNECTIONS, MOST_S = 40, 6, 2000.0, 12, 240.0
_GIVE_UP_S = 30.0
_SETTLE_S = 8.0
_PAUSE_S = 0.005
"""Between an attacker's calls: one that were a fifth of all traffic would be too much for the guardrails."""
_PLAYBOOK = """\
schema: gatewatch.playbook/v1
name: block-now
title: Block the address at once
subject: alert
steps:
  - id: each_address
    each:
      in: "entities.filter(e, e.kind == 'address').map(e, e.value)"
      as: address
      do:
        - id: block
          contain: {gateway: edge, scope: address, value: "${address}", effect: block, duration: 1h, reason: measured}
"""
_RULE = {
    "title": "SQL injection is blocked at once",
    "trigger": {"on": "alert_created"},
    "conditions": ['alert.detector == "indicator.injection_attempt"'],
    "actions": [{"do": "run_playbook", "playbook": "block-now"}],
}
_PROBES = (
    "1' OR '1'='1",
    "1' UNION SELECT login, password FROM users-- ",
    "1'; DROP TABLE users; -- ",
    "1' AND SLEEP(5)-- ",
)


class Stand(NamedTuple):
    """What runs."""

    port: int
    """Of Envoy."""
    client: httpx.Client
    """Of Gatewatch."""


def _serve(directory: Path, stack: ExitStack) -> Stand:
    upstream, port, collector, api, admin = (free_port() for _ in range(5))
    command = (sys.executable, "-m", "benchmarks.http_load", "serve", "--port", str(upstream))
    ready = answers(f"http://127.0.0.1:{upstream}/")
    stack.enter_context(ChildProcess(command, log=directory / "upstream.log", ready=ready, cwd=ROOT))
    settings = directory / "gatewatch.toml"
    settings.write_text(
        f'[api]\nport = {api}\n[envoy]\nenabled = true\naddress = "127.0.0.1:{collector}"\n'
        '[observe]\ntrusted_proxies = ["127.0.0.0/8"]\n[containment]\nmax_in_force = 1000\n'
        "[containment.approvals]\nblock = 0\n"
        f'[[gateways]]\nname = "edge"\nkind = "envoy"\n[gateways.settings]\ndirectory = "{directory / "envoy"}"\n'
        f'admin_url = "http://127.0.0.1:{admin}"\n'
    )
    command = (sys.executable, "-m", "gatewatch", "serve", "--data-dir", str(directory / "data"))
    log, ready = directory / "gatewatch.log", answers(f"http://127.0.0.1:{api}/v1/health")
    server = stack.enter_context(ChildProcess((*command, "--config", str(settings)), log=log, ready=ready, cwd=ROOT))
    lines = server.output().splitlines()
    token = next(line.partition("token: ")[2] for line in lines if line.startswith("token: "))
    listener = Listener(name="shop", port=port, upstream=upstream, collector=collector, containment=directory / "envoy")
    stack.enter_context(EnvoyProcess(directory, [listener], admin=admin))
    headers = {"authorization": f"Bearer {token}"}
    client = httpx.Client(base_url=f"http://127.0.0.1:{api}", headers=headers, timeout=30)
    stack.callback(client.close)
    return Stand(port, client)


def _arrange(client: httpx.Client) -> None:
    client.put("/v1/playbooks/block-now", json={"text": _PLAYBOOK}).raise_for_status()
    for verb in ("promote", "enable"):
        client.post(f"/v1/playbooks/block-now/{verb}").raise_for_status()
    client.put("/v1/automation-rules/block-now", json=_RULE).raise_for_status()


def _attack(stand: Stand, address: str) -> tuple[float, float]:
    """Unix seconds: of the first probe, of the first refused call."""
    caller = Caller(stand.port)
    begin = time.time()
    try:
        for number in range(PROBES):
            caller.status(address, f"/api/items?q={quote(_PROBES[number % len(_PROBES)])}")
        while caller.status(address) != 403:
            if time.time() - begin > _GIVE_UP_S:
                said = stand.client.get("/v1/runs", params={"limit": 5}).text
                raise RuntimeError(f"{address} was never refused: {said}")
            time.sleep(_PAUSE_S)
        return begin, time.time()
    finally:
        caller.close()


def _stored(directory: Path) -> dict[str, float]:
    """Address -> Unix seconds when its first alert of an injection attempt was stored."""
    control = SqlControlStore(f"sqlite:///{directory}/data/control.sqlite")
    try:
        found: dict[str, float] = {}
        alerts, _ = control.alerts(AlertFilter(), limit=1000)
        for alert in alerts:
            for address in alert.client_ips if alert.detector == "indicator.injection_attempt" else ():
                found[address] = min(found.get(address, alert.created_at), alert.created_at)
        return found
    finally:
        control.close()


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        stand = _serve(Path(directory), stack)
        _arrange(stand.client)
        options = {"port": stand.port, "seconds": MOST_S, "connections": CONNECTIONS, "rate": PER_S}
        command = [sys.executable, "-m", "benchmarks.http_load", "drive"]
        command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
        background = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        stack.callback(background.kill)
        time.sleep(_SETTLE_S)
        dice, times = random.Random(11), {}
        before = _received(stand.client), time.monotonic()
        for number in range(ATTACKERS):
            address = f"203.0.113.{number + 1}"
            times[address] = _attack(stand, address)
            time.sleep(dice.random() * 2)
        observed = (_received(stand.client) - before[0]) / (time.monotonic() - before[1])
        lasted = background.poll() is None
        background.terminate()
        found = _stored(Path(directory))
        return _result(times, found) | {
            "background_asked_per_s": PER_S,
            "observed_per_s": round(observed),
            "background_lasted": lasted,
            "machine": machine(),
        }


def _result(times: dict[str, tuple[float, float]], found: dict[str, float]) -> dict[str, Any]:
    return {
        "attackers": len(times),
        "from_alert_to_refused": spread([refused - found[one] for one, (_, refused) in times.items()]),
        "from_first_probe_to_refused": spread([refused - begin for begin, refused in times.values()]),
        "from_first_probe_to_alert": spread([found[one] - begin for one, (begin, _) in times.items()]),
    }


def _received(client: httpx.Client) -> int:
    items = client.get("/v1/ledger").raise_for_status().json()["items"]
    return sum(int(entry["received"]) for entry in items)


def main() -> None:
    publish("alert_to_block", measure())
