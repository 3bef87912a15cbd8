"""`make demo`: play, watch, judge. Exits 0 only if every attacker was named and nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from examples.demo.parts import Parts
from examples.demo.response import arrange, respond
from examples.demo.traffic import ATTACKERS, CHAIN, CHAIN_ADDRESSES, Attacker, Clock, drive
from examples.demo.waiting import until
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gatewatch.cli.incidents import story_lines

_SECONDS = float(os.environ.get("DEMO_SECONDS", "60"))
_AFTERTHOUGHT_S = 12.0
"""Some ticks of the detectors and of the correlation: whoever is named wrongly is named by then."""


class Reader:
    """Reads Gatewatch over its REST API, as everybody must."""

    def __init__(self, parts: Parts) -> None:
        self._client = httpx.Client(base_url=parts.api, headers={"authorization": f"Bearer {parts.token}"}, timeout=120)

    def items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = (
                self._client.get(path, params={**parameters, "limit": 200, "cursor": cursor}).raise_for_status().json()
            )
            found += page["items"]
            cursor = page["next"]
            if not cursor:
                return found

    def one(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client.get(path).raise_for_status().json()
        return found

    def counts(self) -> tuple[int, int]:
        """(received, in flight)."""
        ledger = self.items("/v1/ledger")
        return sum(e["received"] for e in ledger), sum(e["in_flight"] for e in ledger)


async def _play(parts: Parts, reader: Reader, console: Console) -> int:
    clock = Clock(_SECONDS)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[seen]}"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("traffic through Envoy", total=_SECONDS, seen="")
        play = asyncio.ensure_future(drive(parts.gateway, clock, seed=int(os.environ.get("DEMO_SEED", "7"))))
        while not play.done():
            await asyncio.sleep(1)
            received, _ = await asyncio.to_thread(reader.counts)
            alerts = await asyncio.to_thread(reader.items, "/v1/alerts")
            seen = f"{clock.sent} calls sent, {received} received, {len(alerts)} alerts"
            progress.update(task, completed=_SECONDS - max(0.0, clock.left()), seen=seen)
        await play
    return clock.sent


def _settled(reader: Reader, sent: int) -> bool:
    """Everything sent has arrived and is accounted for, and the detectors have looked at it."""

    def arrived() -> bool:
        received, in_flight = reader.counts()
        return received >= sent and not in_flight

    settled = until(arrived) is not None
    # How long the detectors take depends on the machine; whom they miss they have missed when the time is over.
    until(lambda: all(_hits(attacker, reader.items("/v1/alerts")) for attacker in ATTACKERS))
    time.sleep(_AFTERTHOUGHT_S)
    return settled


def _summary(reader: Reader, console: Console) -> list[dict[str, Any]]:
    endpoints, collections = reader.items("/v1/endpoints"), reader.items("/v1/collections")
    alerts = sorted(
        reader.items("/v1/alerts"), key=lambda a: ["high", "medium", "low", "informational"].index(a["severity"])
    )
    open_ones = [e for e in endpoints if e["authentication"] == "unauthenticated"]
    console.print(f"\n[bold]{len(endpoints)} endpoints in {len(collections)} collections[/]")
    table = Table("Endpoint", "Calls", "Authentication", "Sensitive data", box=None)
    for item in endpoints:
        kinds = ", ".join(sorted({fact["type"] for fact in item["information_types"]}))
        style = "red" if item in open_ones else ""
        operation = f" ({item['operation']})" if item["operation"] else ""
        name = f"{item['method']} {item['host']}{item['template']}{operation}"
        table.add_row(name, str(item["calls"]), item["authentication"], kinds, style=style)
    console.print(table)
    console.print(f"\n[bold]{len(open_ones)} endpoints answer without any credential[/]")
    console.print(f"\n[bold]{len(alerts)} alerts[/]")
    table = Table("Severity", "Alert", "Who", "Where", "Why", box=None)
    for item in alerts:
        who = ", ".join(sorted({actor["id"] for actor in item["actors"]} | set(item["client_ips"]))[:3])
        table.add_row(item["severity"], item["title"], who, ", ".join(item["endpoints"][:2]), item["explanation"])
    console.print(table)
    return alerts


def _hits(attacker: Attacker, alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Alerts that name an attacker, for what was planted."""
    return [
        alert
        for alert in alerts
        if alert["alert_type"] in attacker.types
        and (attacker.address in alert["client_ips"] or any(a["id"] == attacker.actor for a in alert["actors"]))
    ]


def _verdict(alerts: list[dict[str, Any]], console: Console) -> bool:
    good = True
    console.print("\n[bold]Planted attackers[/]")
    for attacker in ATTACKERS:
        hits = _hits(attacker, alerts)
        good = good and bool(hits)
        console.print(f"  {'[green]named[/]' if hits else '[red]MISSED[/]'}  {attacker.name} ({attacker.address})")
    known = {attacker.address for attacker in ATTACKERS} | {attacker.actor for attacker in ATTACKERS}
    for alert in alerts:
        named = {actor["id"] for actor in alert["actors"]} | set(alert["client_ips"])
        if not named & known or (set(alert["client_ips"]) - known):
            good = False
            wrong = ", ".join(sorted(named - known)[:5])
            console.print(f"  [red]WRONG[/]  {alert['title']} names {wrong}: {alert['explanation']}")
    if good:
        console.print("  [green]no customer was named[/]")
    return good


def _incidents(reader: Reader, console: Console) -> int:
    """Number of the incident that is the planted chain, told in order, with nobody else's alerts in it; 0 for none."""
    incidents = reader.items("/v1/incidents", order="priority")
    console.print(f"\n[bold]{len(incidents)} incidents[/]")
    table = Table("Priority", "Severity", "Incident", "Alerts", box=None)
    for item in incidents:
        table.add_row(str(item["priority"]), item["severity"], item["name"], str(item["alerts"]))
    console.print(table)
    found = []
    for item in incidents:
        named = {ip for alert in reader.items(f"/v1/incidents/{item['id']}/alerts") for ip in alert["client_ips"]}
        if named & CHAIN_ADDRESSES:
            found.append((item, named))
    good = len(found) == 1 and found[0][1] == CHAIN_ADDRESSES and set(CHAIN) <= set(found[0][0]["alert_types"])
    console.print(f"\n[bold]The planted chain[/]: {'[green]one incident[/]' if good else '[red]NOT ONE INCIDENT[/]'}")
    for item, _ in found:
        console.print(f"[bold]Incident {item['id']}[/] {item['name']}", highlight=False)
        for line in story_lines(reader.one(f"/v1/incidents/{item['id']}/story")):
            console.print(f"  {line}", highlight=False, markup=False)
    return int(found[0][0]["id"]) if good else 0


def main() -> int:
    console = Console()
    # So that the children end with us, however we are told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    keep = bool(os.environ.get("KEEP"))
    directory = Path(tempfile.mkdtemp(prefix="gatewatch-demo-"))
    console.print("Starting Envoy, the weak shop and Gatewatch ...")
    with Parts(directory, threats=["198.18.60.60"]) as parts:
        reader = Reader(parts)
        arrange(parts)
        sent = asyncio.run(_play(parts, reader, console))
        settled = _settled(reader, sent)
        received, in_flight = reader.counts()
        console.print(f"\nLedger: {sent} calls sent, {received} received, {in_flight} in flight")
        good = _verdict(_summary(reader, console), console) and settled
        incident = _incidents(reader, console)
        good = bool(incident and respond(parts, incident, console)) and good
        if keep:
            console.print("\nLeft running. In another terminal:")
            for line in (
                "source .venv/bin/activate",
                f"export GATEWATCH_SERVER={parts.api}",
                f"export GATEWATCH_TOKEN={parts.token}",
                f"gatewatch incidents show {incident or 1}",
            ):
                console.print(f"  {line}", highlight=False, soft_wrap=True)
            console.print(f"The shop behind Envoy: {parts.gateway}. Ctrl-C ends everything.")
            with contextlib.suppress(KeyboardInterrupt):
                signal.pause()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
