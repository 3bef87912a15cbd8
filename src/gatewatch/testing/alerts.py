"""Alerts for tests, invented."""

from __future__ import annotations

from typing import Any

import msgspec

from gatewatch.model.alert import Alert, AlertStatus, Explanation, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Actor, ActorKind

__all__ = ["NOON", "alert"]

NOON = 1_767_268_800.0
"""1 January 2026, 12:00 UTC."""


def alert(number: int, **changes: Any) -> Alert:
    """The n-th of an hour: a detector of its own key, few actors and addresses, one endpoint."""
    made = Alert(
        id=f"a{number:04d}",
        detector="d.one",
        key=f"k{number}",
        alert_type="API_Test",
        title="Test",
        severity=Severity.MEDIUM,
        tactic=Tactic.IMPACT,
        owasp=OwaspApi.NONE,
        status=AlertStatus.NEW,
        first_seen=NOON + number,
        last_seen=NOON + number,
        detected_at=NOON + number,
        updated_at=NOON + number,
        actors=(Actor(ActorKind.SUBJECT, f"u{number % 3}"),),
        client_ips=(f"192.0.2.{number % 5}",),
        endpoints=("GET shop /x",),
        count=1,
        explanation=Explanation(sentence="because"),
    )
    return msgspec.structs.replace(made, **changes)
