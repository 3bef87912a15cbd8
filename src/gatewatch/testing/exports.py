"""Things to export, invented: one of each kind, with every member that formats show."""

from __future__ import annotations

from typing import Any

import msgspec

from gatewatch.formats.export import Context
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.alert import Alert, EvidenceItem, Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, PriorityFactor
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.rule import Rule
from gatewatch.model.score import OVERALL, ControlScore, ScoreEntry, SecureScore, entries
from gatewatch.testing.alerts import NOON, alert

__all__ = ["CONTEXT", "activity", "finding", "incident", "rich_alert", "score"]

CONTEXT = Context(
    rules={
        "d.one": Rule(
            id="d.one",
            title="Too many logins",
            description="Counts logins.",
            known_misses="Slow ones.",
            steps=("Reset the accounts.", "Block the address."),
            techniques=("T1110.004", "T1190"),
            references=("MITRE ATT&CK T1110.004",),
            needs=("path",),
        )
    },
    host="gatewatch.example",
    version="0.1.0",
    url="https://gatewatch.example",
)


def rich_alert(**changes: Any) -> Alert:
    """An alert with actors of several kinds, both kinds of addresses, evidence and a baseline."""
    made = alert(
        1,
        title="Credential stuffing",
        severity=Severity.HIGH,
        tactic=Tactic.CREDENTIAL_ACCESS,
        owasp=OwaspApi.BROKEN_AUTHENTICATION,
        actors=(
            Actor(ActorKind.SUBJECT, "mallory@example.com"),
            Actor(ActorKind.KEY, "5f2c"),
            Actor(ActorKind.ADDRESS, "203.0.113.7"),
        ),
        client_ips=("203.0.113.7", "2001:db8::7"),
        endpoints=("POST shop.example /api/login", "GET shop.example /api/users/{int}"),
        count=420,
        explanation=Explanation(
            sentence="42 accounts were tried from one address; 3 are usual.",
            measures=(
                Measure(name="users", observed=42.0, baseline=3.0, threshold=10.0, unit="accounts"),
                Measure(name="successes", observed=2.0),
            ),
        ),
        evidence=(EvidenceItem(observation_id="o1", ts=NOON, summary="POST /api/login 401"),),
        incident=7,
        created_at=NOON + 2,
        changed_at=NOON + 3,
        revision=4,
    )
    return msgspec.structs.replace(made, **changes)


def incident(number: int = 7, **changes: Any) -> Incident:
    """An incident that nobody has yet."""
    made = Incident(
        id=number,
        name="Credential stuffing on shop.example",
        severity=Severity.HIGH,
        created_at=NOON,
        updated_at=NOON + 5,
        first_activity=NOON - 60,
        last_activity=NOON + 60,
        first_detected=NOON,
        priority=88,
        factors=(PriorityFactor(name="severity", points=40.0, reason="high"),),
        alerts=3,
        open_alerts=2,
        calls=840,
        tactics=(Tactic.DISCOVERY, Tactic.CREDENTIAL_ACCESS),
        alert_types=("API_Test",),
        detectors=("d.one",),
        tags=("shop",),
        revision=2,
    )
    return msgspec.structs.replace(made, **changes)


def finding(number: int = 1, **changes: Any) -> Finding:
    """A finding that is not healthy."""
    made = Finding(
        id=f"f{number:04d}",
        recommendation="endpoint_authentication",
        title="Endpoints should ask who calls",
        severity=Severity.MEDIUM,
        status=FindingStatus.UNHEALTHY,
        cause="3 calls without credentials were answered",
        remediation="Ask for a token.",
        endpoint_id=f"{number:016x}",
        endpoint="GET shop.example /api/users/{int}",
        evaluated_at=NOON + number,
    )
    return msgspec.structs.replace(made, **changes)


def activity(number: int = 9, **changes: Any) -> Activity:
    """An entry of the audit log."""
    made = Activity(
        number=number,
        at=NOON + number,
        origin=Origin.PERSON,
        by="ana",
        subject=Subject.ALERT,
        subject_id="a0001",
        incident=7,
        action="status",
        text="ana set it to resolved",
        details={"status": "resolved"},
        digest="00ff",
    )
    return msgspec.structs.replace(made, **changes)


def score(name: str = OVERALL, **changes: Any) -> ScoreEntry:
    """The whole, or the control `access_and_permissions`, of a score of 75 %."""
    control = ControlScore(
        control="access_and_permissions",
        title="Manage access and permissions",
        recommendations=("endpoint_authentication",),
        max=4.0,
        healthy=3,
        unhealthy=1,
        not_applicable=2,
    )
    whole = SecureScore(number=5, at=NOON + 3, controls=(control,))
    return msgspec.structs.replace(entries(whole)[name], **changes)
