"""One recording: a company's ordinary traffic with stories laid over it; as observations or as Gatewatch NDJSON v1."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from gatewatch.testing.scenarios.attacks import ATTACKS, LOOK_ALIKES, Label
from gatewatch.testing.scenarios.companies import Company, ordinary_traffic
from gatewatch.testing.traffic import Call, fingerprint

__all__ = ["EPOCH", "Recording", "ndjson", "record"]

EPOCH = 1_767_571_200.0
"""A Monday, 00:00 UTC."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """Calls in order of time, and what really happened."""

    company: Company
    start: float
    end: float
    calls: tuple[Call, ...]
    labels: tuple[Label, ...]


def record(company: Company, story: str | None, *, seed: int) -> Recording:
    """Ordinary traffic of the company with one story (attack or look-alike) that begins in its second half."""
    dice = random.Random(f"{company.name}/{story}/{seed}")  # noqa: S311 - repeatable traffic, no secret
    start = EPOCH + 8 * 3600
    calls = list(ordinary_traffic(company, dice, start))
    labels = []
    if story is not None:
        types, play = ATTACKS[story] if story in ATTACKS else ((), LOOK_ALIKES[story])
        begin = start + company.hours * 3600 * dice.uniform(0.5, 0.7)
        told = [
            msgspec.structs.replace(call, id=f"{company.name}-{seed}-s{n}")
            for n, call in enumerate(play(company, dice, begin))
        ]
        calls += told
        labels = [_label(story, types, told)] if told else []
    ordered = sorted(calls, key=lambda call: call.ts)
    named = tuple(
        c if c.id else msgspec.structs.replace(c, id=f"{company.name}-{seed}-{n}") for n, c in enumerate(ordered)
    )
    return Recording(company=company, start=start, end=named[-1].ts + 1, calls=named, labels=tuple(labels))


def _label(story: str, types: tuple[str, ...], told: Sequence[Call]) -> Label:
    return Label(
        id=story,
        alert_types=types,
        addresses=frozenset(call.ip for call in told),
        actors=frozenset(call.user for call in told if call.user),
        request_ids=tuple(call.id for call in told),
        first=min(call.ts for call in told),
        last=max(call.ts for call in told),
    )


def ndjson(call: Call) -> str:
    """The call as one line of Gatewatch NDJSON v1, so that the whole product can be driven with it."""
    headers = [["Host", call.host], ["User-Agent", call.agent]]
    if call.user:
        headers.append(["Authorization", f"Bearer {_token(call.user)}"])
    body = json.dumps({"username": call.login, "password": call.tried}) if call.login else None
    if body:
        headers.append(["Content-Type", "application/json"])
    return json.dumps(
        {
            "id": call.id,
            "ts": datetime.fromtimestamp(call.ts, UTC).isoformat(timespec="milliseconds"),
            "method": call.method,
            "scheme": "https",
            "host": call.host,
            "path": _path(call),
            "query": "q=1%27%20OR%20%271%27%3D%271" if call.indicators else "",
            "http_version": "1.1",
            "request_headers": headers,
            "response_headers": [["Content-Type", "application/json"]],
            "request_body": body,
            "response_body": '{"error":"SQLSTATE[42000]: Syntax error"}' if "sql_error" in call.signals else "{}",
            "status": call.status,
            "latency_ms": call.latency_ms,
            "request_size": len(body or ""),
            "response_size": call.response_size,
            "client_ip": call.ip,
        }
    )


def _path(call: Call) -> str:
    if not call.template:
        return f"/missing-{fingerprint(call.id) % 10_000}"
    number = fingerprint(call.objects.get("p0", "0"))
    named = {"{int}": str(number % 10_000_000), "{slug}": f"shop-{number % 900}", "{uuid}": _uuid(number)}
    path = call.template
    for placeholder, value in named.items():
        path = path.replace(placeholder, value)
    return path


def _uuid(number: int) -> str:
    digits = f"{number:016x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[12:15]}-a{digits[:3]}-{digits[3:15]}"


def _token(user: str) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": user, "exp": 1_900_000_000})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))
