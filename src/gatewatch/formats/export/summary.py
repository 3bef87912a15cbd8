"""One item as the flat facts that line formats have fields for."""

from __future__ import annotations

import msgspec

from gatewatch.formats.export.format import Context, fallback_rule
from gatewatch.model.activity import Activity, Origin
from gatewatch.model.alert import Alert
from gatewatch.model.export import ExportItem
from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident
from gatewatch.model.observation import ActorKind
from gatewatch.model.score import ScoreEntry

__all__ = ["Summary", "split_endpoint", "summarise"]

_SHOWN = 20
"""Addresses, actors, endpoints and types that a field lists at most."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """'' , () and 0 where the kind has no such thing. Times are Unix seconds."""

    type: str
    """Alert type, `incident`, recommendation, `subject.action` or `score.control`."""
    title: str
    text: str
    detectors: tuple[str, ...] = ()
    tactics: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    owasp: str = ""
    actors: tuple[str, ...] = ()
    """`kind:id`; without those that are mere addresses."""
    users: tuple[str, ...] = ()
    """Actors that have a name."""
    addresses: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    """`METHOD host template`."""
    first_seen: float = 0.0
    last_seen: float = 0.0
    count: int = 0
    incident: int = 0
    priority: int = 0
    assigned_to: str = ""
    classification: str = ""
    revision: int = 0
    remediation: str = ""
    score: ScoreEntry | None = None


def split_endpoint(facts: Summary) -> tuple[str, str, str]:
    """Method, host and template of the first endpoint; three times '' without one."""
    method, _, place = (facts.endpoints[0] if facts.endpoints else "").partition(" ")
    host, _, template = place.partition(" ")
    return method, host, template


def summarise(item: ExportItem, context: Context) -> Summary:
    """The facts of whatever it is."""
    match item.value:
        case Alert():
            return _alert(item.value, context)
        case Incident():
            return _incident(item.value, context)
        case Activity():
            return _audit(item.value)
        case ScoreEntry():
            return _score(item.value)
        case _:
            return _finding(item.value)


def _alert(alert: Alert, context: Context) -> Summary:
    rule = fallback_rule(context, alert.detector)
    known = [actor for actor in alert.actors if actor.kind is not ActorKind.ADDRESS][:_SHOWN]
    return Summary(
        type=alert.alert_type,
        title=alert.title,
        text=alert.explanation.sentence,
        detectors=(alert.detector,),
        tactics=(alert.tactic.value,),
        techniques=rule.techniques,
        owasp=alert.owasp.value,
        actors=tuple(f"{actor.kind.value}:{actor.id}" for actor in known),
        users=tuple(actor.id for actor in known if actor.kind in (ActorKind.SUBJECT, ActorKind.CONSUMER)),
        addresses=alert.client_ips[:_SHOWN],
        endpoints=alert.endpoints[:_SHOWN],
        first_seen=alert.first_seen,
        last_seen=alert.last_seen,
        count=alert.count,
        incident=alert.incident,
        assigned_to=alert.assigned_to,
        classification=alert.classification.value,
        revision=alert.revision,
        remediation=" ".join(rule.steps),
    )


def _incident(incident: Incident, context: Context) -> Summary:
    techniques = dict.fromkeys(t for name in incident.detectors for t in fallback_rule(context, name).techniques)
    return Summary(
        type="incident",
        title=incident.name,
        text=incident.description or f"{incident.alerts} alerts, {incident.calls} calls",
        detectors=incident.detectors[:_SHOWN],
        tactics=tuple(tactic.value for tactic in incident.tactics),
        techniques=tuple(techniques)[:_SHOWN],
        first_seen=incident.first_activity,
        last_seen=incident.last_activity,
        count=incident.alerts,
        incident=incident.id,
        priority=incident.priority,
        assigned_to=incident.assigned_to,
        classification=incident.classification.value,
        revision=incident.revision,
    )


def _finding(finding: Finding) -> Summary:
    return Summary(
        type=finding.recommendation,
        title=finding.title,
        text=finding.cause,
        endpoints=(finding.endpoint,),
        last_seen=finding.evaluated_at,
        remediation=finding.remediation,
    )


def _audit(entry: Activity) -> Summary:
    return Summary(
        type=f"{entry.subject.value}.{entry.action}",
        title=f"{entry.subject.value} {entry.subject_id}: {entry.action}",
        text=entry.text,
        actors=(f"{entry.origin.value}:{entry.by}",),
        users=(entry.by,) if entry.origin is Origin.PERSON else (),
        last_seen=entry.at,
        incident=entry.incident,
    )


def _score(entry: ScoreEntry) -> Summary:
    share = f" ({entry.percentage:.2f} %)" if entry.percentage is not None else ""
    judged = f"{entry.healthy} healthy, {entry.unhealthy} unhealthy"
    return Summary(
        type=f"score.{entry.name}",
        title=entry.title,
        text=f"{entry.current:.2f} of {entry.max:g} points{share}; {judged}",
        last_seen=entry.at,
        revision=entry.number,
        score=entry,
    )
