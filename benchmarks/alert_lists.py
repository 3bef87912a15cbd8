"""REST lists at 1,000,000 alerts in 50,000 incidents: milliseconds per list, and pages deep into them.

python -m benchmarks alert_lists [--write]
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, insert

from benchmarks.facts import machine, publish
from gatewatch.bootstrap.server import Server
from gatewatch.config.settings import Settings
from gatewatch.model.alert import Alert, AlertStatus, Explanation, OwaspApi, Severity, Tactic
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.ports.control import Role
from gatewatch.store.alerts import alert_row, subject_rows
from gatewatch.store.cases import incident_row
from gatewatch.store.engine import open_engine
from gatewatch.store.tables import alert_subjects, alerts, incident_entities, incidents
from gatewatch.telemetry.logs import configure

ALERTS, PER_INCIDENT, BATCH = 1_000_000, 20, 20_000
START, SPAN_S = 1_767_268_800.0, 90 * 86_400.0
KINDS = (
    ("authorization.object_enumeration", "API_ParameterEnumeration", Tactic.INITIAL_ACCESS),
    ("authentication.credential_stuffing", "API_CredentialStuffing", Tactic.CREDENTIAL_ACCESS),
    ("indicator.injection_attempt", "API_InjectionAttempt", Tactic.EXECUTION),
    ("volume.traffic_spike", "API_SpikeInAPITraffic", Tactic.IMPACT),
)
LISTS = (
    "/v1/alerts?limit=50",
    "/v1/alerts?limit=50&severity=high&severity=low",
    "/v1/alerts?limit=50&status=new&status=in_progress&severity=high",
    "/v1/alerts?limit=50&detector=volume.traffic_spike",
    "/v1/alerts?limit=50&actor=u77",
    "/v1/alerts?limit=50&client_ip=10.0.3.7",
    "/v1/alerts?limit=50&endpoint=GET%20shop%20/p3",
    "/v1/alerts?limit=50&until=2026-01-02T00:00:00Z",
    "/v1/incidents?limit=50",
    "/v1/incidents?limit=50&order=priority",
    "/v1/incidents?limit=50&order=created_at&status=active",
    "/v1/incidents?limit=50&severity=high&status=resolved",
    "/v1/incidents?limit=50&assigned_to=ann",
    "/v1/incidents?limit=50&entity=actor%20subject:u77",
    "/v1/incidents?limit=50&text=nothing%20has%20this%20name",
    "/v1/incidents/41",
    "/v1/incidents/41/alerts",
    "/v1/incidents/41/dossier",
    "/v1/incidents/41/activities",
    "/api/incidents?$top=100",
    "/v1.0/security/incidents?$top=50&$expand=alerts&$orderby=lastUpdateDateTime asc",
    "/v1.0/security/incidents?$filter=severity eq 'high' and status eq 'active'&$count=true",
    "/v1.0/security/alerts_v2?$top=100&$filter=status eq 'new'",
    "/v1.0/security/alerts_v2?$top=100&$filter=lastUpdateDateTime ge 2026-03-01T00:00:00Z&$orderby=lastUpdateDateTime",
    "/v1.0/security/alerts_v2?$filter=assignedTo eq 'nobody has it'&$count=true",
)


def _alert(number: int, dice: random.Random) -> Alert:
    detector, kind, tactic = dice.choice(KINDS)
    at = START + SPAN_S * number / ALERTS
    status = dice.choices(list(AlertStatus), weights=(5, 1, 90, 4))[0]
    return Alert(
        id=f"{number:032x}",
        detector=detector,
        key=f"{number:032x}",
        alert_type=kind,
        title=kind,
        severity=dice.choice(list(Severity)),
        tactic=tactic,
        owasp=OwaspApi.NONE,
        status=status,
        first_seen=at,
        last_seen=at + 60,
        detected_at=at,
        updated_at=at,
        actors=(Actor(ActorKind.SUBJECT, f"u{dice.randrange(20_000)}"),),
        client_ips=(f"10.0.{dice.randrange(250)}.{dice.randrange(250)}",),
        endpoints=(f"GET shop /p{dice.randrange(500)}",),
        count=dice.randrange(1, 500),
        explanation=Explanation(sentence="invented"),
        incident=number // PER_INCIDENT + 1,
        created_at=at,
        changed_at=at + 60,
    )


def _incident(group: list[Alert], dice: random.Random) -> Incident:
    still = sum(alert.status in (AlertStatus.NEW, AlertStatus.IN_PROGRESS) for alert in group)
    return Incident(
        id=group[0].incident,
        name=f"Multi-stage attack by {group[0].actors[0].id}",
        status=IncidentStatus.ACTIVE if still else IncidentStatus.RESOLVED,
        severity=max((alert.severity for alert in group), key=lambda one: one.rank),
        assigned_to=dice.choice(["", "ann", "bob"]),
        priority=dice.randrange(101),
        created_at=group[0].first_seen,
        updated_at=group[-1].last_seen,
        first_activity=group[0].first_seen,
        last_activity=group[-1].last_seen,
        first_detected=group[0].first_seen,
        alerts=len(group),
        open_alerts=still,
        tactics=tuple(dict.fromkeys(alert.tactic for alert in group)),
        detectors=tuple(dict.fromkeys(alert.detector for alert in group)),
    )


def _batches(dice: random.Random) -> Iterator[list[Alert]]:
    for start in range(0, ALERTS, BATCH):
        yield [_alert(number, dice) for number in range(start, start + BATCH)]


def fill(engine: Engine) -> None:
    """Write rows as the store writes them, many at a time."""
    dice = random.Random(1)
    for batch in _batches(dice):
        groups = [batch[start : start + PER_INCIDENT] for start in range(0, len(batch), PER_INCIDENT)]
        seen = {
            (kind, value, group[0].incident): (group[0].first_seen, group[-1].last_seen)
            for group in groups
            for alert in group
            for kind, value in (
                ("actor", f"subject:{alert.actors[0].id}"),
                ("address", alert.client_ips[0]),
                ("endpoint", alert.endpoints[0]),
            )
        }
        entities = [
            {"kind": kind, "value": value, "incident": incident, "first_seen": first, "last_seen": last}
            for (kind, value, incident), (first, last) in seen.items()
        ]
        with engine.begin() as connection:
            connection.execute(insert(alerts), [alert_row(alert) | {"pending": 0} for alert in batch])
            connection.execute(insert(alert_subjects), [row for alert in batch for row in subject_rows(alert)])
            connection.execute(insert(incidents), [incident_row(_incident(group, dice)) for group in groups])
            connection.execute(insert(incident_entities), entities)


async def _lists(server: Server) -> dict[str, dict[str, float]]:
    """Milliseconds: the slowest of five after one that warms up, and the page after the tenth."""
    _, token = server.access.create("bench", Role.ADMIN)
    transport = httpx.ASGITransport(app=server.app)
    headers = {"authorization": f"Bearer {token}"}
    took: dict[str, dict[str, float]] = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", headers=headers, timeout=60) as client:
        for path in LISTS:
            times = [await _timed(client, path) for _ in range(6)]
            took[path] = {"worst_of_5_ms": max(one for one, _ in times[1:])}
            following = times[0][1].get("next")
            for _ in range(9):
                if following:
                    last, page = await _timed(client, f"{path}&cursor={following}" if "?" in path else path)
                    following = page.get("next")
                    took[path]["tenth_page_ms"] = last
    return took


async def _timed(client: httpx.AsyncClient, path: str) -> tuple[float, dict[str, Any]]:
    start = time.perf_counter()
    response = (await client.get(path)).raise_for_status()
    return round(1000 * (time.perf_counter() - start), 1), response.json()


def measure() -> dict[str, Any]:
    """Fill a store, serve it, time it."""
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Settings(data_dir=directory), configure(level="error"))
        begin = time.perf_counter()
        fill(open_engine(f"sqlite:///{directory}/control.sqlite"))
        filled = time.perf_counter() - begin
        lists = asyncio.run(_lists(server))
        size = Path(directory, "control.sqlite").stat().st_size
        server.stop()
    worst = max(value for one in lists.values() for value in one.values())
    return {
        "alerts": ALERTS,
        "incidents": ALERTS // PER_INCIDENT,
        "worst_ms": worst,
        "lists": lists,
        "fill_s": round(filled),
        "control_store_mb": round(size / 1e6),
        "machine": machine(),
    }


def main() -> None:
    publish("alert_lists", measure())
