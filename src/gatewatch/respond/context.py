"""What conditions of automation rules may name: typed, documented, made from incidents, alerts and findings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from gatewatch.model.alert import Alert, AlertStatus, OwaspApi, Severity, Tactic
from gatewatch.model.automation import (
    About,
    AlertCreated,
    FindingChanged,
    FindingOpened,
    IncidentCreated,
    IncidentUpdated,
    Manual,
    Trigger,
)
from gatewatch.model.difference import Difference
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.verdict import Classification, Determination

__all__ = [
    "ROOTS",
    "AlertFacts",
    "ChangeFacts",
    "EntityFacts",
    "FindingFacts",
    "IncidentFacts",
    "NowFacts",
    "Turn",
    "about_of",
    "alert_facts",
    "change_facts",
    "entity_list",
    "finding_facts",
    "incident_facts",
    "now_facts",
    "roots_for",
]


def _about(description: str, example: object) -> msgspec.Meta:
    return msgspec.Meta(description=description, examples=[example])


Moment = Annotated[float, _about("Unix seconds.", 1767268800.0)]


class IncidentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The incident as it is now, changed by the rules before this one; for an alert, the incident that it is in."""

    id: Annotated[int, _about("Its number; 0 when there is none.", 7)]
    name: Annotated[str, _about("Made from its alerts unless somebody renamed it: better not to depend on it.", "Scan")]
    status: Annotated[IncidentStatus, _about("Life cycle.", "active")]
    open: Annotated[bool, _about("Somebody still has to do something.", True)]
    severity: Annotated[Severity, _about("The highest of its alerts unless fixed.", "high")]
    severity_rank: Annotated[int, _about("0 informational, 1 low, 2 medium, 3 high: for `>=`.", 3)]
    priority: Annotated[int, _about("0 to 100.", 72)]
    classification: Annotated[Classification, _about("What a person concluded.", "unknown")]
    determination: Annotated[Determination, _about("What it was.", "unknown")]
    assigned_to: Annotated[str, _about("Owner; '' for nobody.", "ann")]
    description: Annotated[str, _about("Text.", "")]
    tags: Annotated[list[str], _about("Given by people and rules.", ["vip"])]
    system_tags: Annotated[list[str], _about("Given by Gatewatch.", ["Reopened"])]
    tactics: Annotated[list[Tactic], _about("In order of first appearance.", ["CredentialAccess"])]
    alert_types: Annotated[list[str], _about("Of its alerts.", ["API_CredentialStuffing"])]
    detectors: Annotated[list[str], _about("Ids of the detectors.", ["authentication.credential_stuffing"])]
    alerts: Annotated[int, _about("How many.", 3)]
    open_alerts: Annotated[int, _about("Not resolved or dismissed.", 3)]
    calls: Annotated[int, _about("Transactions that its alerts count.", 410)]
    reopened: Annotated[int, _about("How often.", 0)]
    open_tasks: Annotated[int, _about("Tasks that are not done.", 0)]
    created_at: Moment
    updated_at: Moment
    first_activity: Moment
    last_activity: Moment


class AlertFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The alert as it is now."""

    id: Annotated[str, _about("Its id.", "5f1c")]
    incident: Annotated[int, _about("Number of its incident.", 7)]
    title: Annotated[str, _about("The detector's title.", "Credential stuffing from one address")]
    alert_type: Annotated[str, _about("Stable name of the kind.", "API_CredentialStuffing")]
    detector: Annotated[str, _about("Id of the detector.", "authentication.credential_stuffing")]
    severity: Annotated[Severity, _about("Level.", "high")]
    severity_rank: Annotated[int, _about("0 informational, 1 low, 2 medium, 3 high: for `>=`.", 3)]
    status: Annotated[AlertStatus, _about("Life cycle.", "new")]
    tactic: Annotated[Tactic, _about("Kill-chain intent.", "CredentialAccess")]
    owasp: Annotated[OwaspApi, _about("OWASP API Top 10 item; '' for none.", "API2:2023")]
    classification: Annotated[Classification, _about("What a person concluded.", "unknown")]
    determination: Annotated[Determination, _about("What it was.", "unknown")]
    assigned_to: Annotated[str, _about("Owner; '' for nobody.", "")]
    actors: Annotated[list[str], _about("`kind:id` of who called.", ["subject:mallory"])]
    addresses: Annotated[list[str], _about("Client addresses.", ["203.0.113.7"])]
    endpoints: Annotated[list[str], _about("`METHOD host template`.", ["POST shop.example /login"])]
    count: Annotated[int, _about("Transactions.", 410)]
    sentence: Annotated[str, _about("The explanation.", "203.0.113.7 tried 380 accounts; 2 logins succeeded.")]
    measures: Annotated[dict[str, float], _about("Numbers of the explanation by name.", {"successful logins": 2.0})]
    first_seen: Moment
    last_seen: Moment
    detected_at: Moment


class FindingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The finding as it is now."""

    id: Annotated[str, _about("Its id.", "f1")]
    recommendation: Annotated[str, _about("Id of the recommendation.", "endpoint_authentication")]
    title: Annotated[str, _about("The recommendation's title.", "API endpoints should be authenticated")]
    severity: Annotated[Severity, _about("Level.", "high")]
    severity_rank: Annotated[int, _about("0 informational, 1 low, 2 medium, 3 high: for `>=`.", 3)]
    status: Annotated[FindingStatus, _about("Result.", "unhealthy")]
    cause: Annotated[str, _about("Why this status.", "31 of 31 accepted calls carried no credential.")]
    remediation: Annotated[str, _about("What to do.", "Require a token.")]
    endpoint: Annotated[str, _about("`METHOD host template`.", "GET shop.example /orders/{int}")]
    endpoint_id: Annotated[str, _about("Id of the endpoint.", "00000000000000ab")]
    evaluated_at: Moment


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One property of the event."""

    changed: Annotated[bool, _about("It is another than before.", True)]
    before: Annotated[str, _about("Then what it was; '' when it did not change.", "active")]
    after: Annotated[str, _about("Then what it became; '' when it did not change.", "resolved")]


class ChangeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What this event changed; nothing of it for what was created."""

    status: Turn
    severity: Turn
    assigned_to: Turn
    classification: Turn
    determination: Turn
    alerts_added: Annotated[int, _about("How many alerts came.", 2)]
    comments_added: Annotated[int, _about("How many comments came.", 0)]
    tags_added: Annotated[list[str], _about("System tags too.", ["vip"])]
    tags_removed: Annotated[list[str], _about("System tags too.", [])]
    tactics_added: Annotated[list[str], _about("Tactics that were not seen in it before.", ["Exfiltration"])]
    by: Annotated[str, _about("Token name, `correlation`, `rule NAME`, `playbook NAME`.", "ann")]
    source: Annotated[str, _about("`person`, `correlation`, `posture`, `rule` or `playbook`.", "person")]


class EntityFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the subject names."""

    kind: Annotated[str, _about("`actor`, `address` or `endpoint`.", "address")]
    value: Annotated[str, _about("`kind:id`, an address, `METHOD host template`.", "203.0.113.7")]
    verdict: Annotated[str, _about("What a person said of it; '' for nothing.", "malicious")]


class NowFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The moment of the run, in the rule's time zone."""

    unix: Moment
    date: Annotated[str, _about("Year, month, day.", "2026-01-01")]
    month: Annotated[int, _about("1 to 12.", 1)]
    day: Annotated[int, _about("1 to 31.", 1)]
    hour: Annotated[int, _about("0 to 23.", 12)]
    minute: Annotated[int, _about("0 to 59.", 0)]
    weekday: Annotated[int, _about("1 Monday to 7 Sunday.", 4)]


ROOTS: dict[str, Any] = {
    "incident": IncidentFacts,
    "alert": AlertFacts,
    "finding": FindingFacts,
    "changed": ChangeFacts,
    "entities": list[EntityFacts],
    "now": NowFacts,
}
"""Variable -> its type. Which of them a rule has depends on its trigger: `roots_for`."""
_OF = {
    About.INCIDENT: ("incident", "changed", "entities", "now"),
    About.ALERT: ("alert", "incident", "entities", "now"),
    About.FINDING: ("finding", "changed", "now"),
    About.NONE: ("now",),
}


def about_of(trigger: Trigger) -> About:
    """What a rule with this trigger is about."""
    if isinstance(trigger, IncidentCreated | IncidentUpdated):
        return About.INCIDENT
    if isinstance(trigger, AlertCreated):
        return About.ALERT
    if isinstance(trigger, FindingOpened | FindingChanged):
        return About.FINDING
    return trigger.subject if isinstance(trigger, Manual) else About.NONE


def roots_for(trigger: Trigger) -> dict[str, Any]:
    """The variables that conditions with this trigger may name, with their types."""
    return {name: ROOTS[name] for name in _OF[about_of(trigger)]}


def incident_facts(incident: Incident) -> IncidentFacts:
    """As conditions see it."""
    same = (
        *("id", "name", "status", "severity", "priority", "classification", "determination", "assigned_to"),
        *("description", "alerts", "open_alerts", "calls", "reopened"),
        *("created_at", "updated_at", "first_activity", "last_activity"),
    )
    return IncidentFacts(
        **{name: getattr(incident, name) for name in same},
        open=incident.status.open,
        severity_rank=incident.severity.rank,
        tags=list(incident.tags),
        system_tags=list(incident.system_tags),
        tactics=list(incident.tactics),
        alert_types=list(incident.alert_types),
        detectors=list(incident.detectors),
        open_tasks=sum(not task.done for task in incident.tasks),
    )


def alert_facts(alert: Alert) -> AlertFacts:
    """As conditions see it."""
    same = (
        *("id", "incident", "title", "alert_type", "detector", "severity", "status", "tactic", "owasp", "count"),
        *("classification", "determination", "assigned_to", "first_seen", "last_seen", "detected_at"),
    )
    return AlertFacts(
        **{name: getattr(alert, name) for name in same},
        severity_rank=alert.severity.rank,
        actors=[f"{actor.kind.value}:{actor.id}" for actor in alert.actors],
        addresses=list(alert.client_ips),
        endpoints=list(alert.endpoints),
        sentence=alert.explanation.sentence,
        measures={measure.name: measure.observed for measure in alert.explanation.measures},
    )


def finding_facts(finding: Finding) -> FindingFacts:
    """As conditions see it."""
    same = (
        *("id", "recommendation", "title", "severity", "status", "cause", "remediation"),
        *("endpoint", "endpoint_id", "evaluated_at"),
    )
    values = {name: getattr(finding, name) for name in same}
    return FindingFacts(**values, severity_rank=finding.severity.rank)


def change_facts(difference: Difference) -> ChangeFacts:
    """As conditions see it."""

    def turn(name: str) -> Turn:
        before, after = difference.fields.get(name, ("", ""))
        return Turn(changed=name in difference.fields, before=before, after=after)

    return ChangeFacts(
        status=turn("status"),
        severity=turn("severity"),
        assigned_to=turn("assigned_to"),
        classification=turn("classification"),
        determination=turn("determination"),
        alerts_added=difference.alerts_added,
        comments_added=difference.comments_added,
        tags_added=list(difference.tags_added),
        tags_removed=list(difference.tags_removed),
        tactics_added=list(difference.tactics_added),
        by=difference.by,
        source=_source(difference.by),
    )


def _source(by: str) -> str:
    first = by.split(" ", maxsplit=1)[0]
    if first in ("rule", "playbook") and " " in by:
        return first
    return by if by in ("correlation", "posture") else "person"


def now_facts(at: float, zone: str) -> NowFacts:
    """`at` in Unix seconds; `zone` is a known IANA name."""
    local = datetime.fromtimestamp(at, ZoneInfo(zone))
    return NowFacts(
        unix=at,
        date=local.date().isoformat(),
        month=local.month,
        day=local.day,
        hour=local.hour,
        minute=local.minute,
        weekday=local.isoweekday(),
    )


def entity_list(pairs: Iterable[tuple[str, str]], verdicts: dict[str, Any]) -> list[EntityFacts]:
    """(kind, value) pairs with what people said of them."""
    return [
        EntityFacts(kind=kind, value=value, verdict=str(verdicts.get(f"{kind} {value}", ""))) for kind, value in pairs
    ]
