"""An alert as OCSF Detection Finding (2004)."""

from __future__ import annotations

from gatewatch.formats.export.format import Context, fallback_rule
from gatewatch.formats.export.ocsf_parts import attacks, classified, milliseconds, resources
from gatewatch.formats.records import Record
from gatewatch.model.alert import Alert, AlertStatus, Measure
from gatewatch.model.export import ExportItem
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.model.rule import Rule

__all__ = ["alert_event"]

_CLOSED = (AlertStatus.RESOLVED, AlertStatus.DISMISSED)
_STATUS = {
    AlertStatus.NEW: (1, "New"),
    AlertStatus.IN_PROGRESS: (2, "In Progress"),
    AlertStatus.DISMISSED: (3, "Suppressed"),
    AlertStatus.RESOLVED: (4, "Resolved"),
}
_RULE_ANALYTIC = (1, "Rule")
_USER_NAMES = (ActorKind.SUBJECT, ActorKind.CONSUMER)


def alert_event(item: ExportItem, alert: Alert, context: Context) -> Record:
    """All that the alert says, nothing that it does not."""
    rule = fallback_rule(context, alert.detector)
    activity = (3, "Close") if alert.status in _CLOSED else (1, "Create") if alert.revision == 1 else (2, "Update")
    event = classified(
        item,
        context,
        class_uid=2004,
        class_name="Detection Finding",
        activity=activity,
        message=alert.explanation.sentence,
    )
    event["status_id"], event["status"] = _STATUS[alert.status]
    event |= {
        "count": alert.count,
        "start_time": milliseconds(alert.first_seen),
        "end_time": milliseconds(alert.last_seen),
        "is_alert": alert.status not in _CLOSED,
        "finding_info": _finding_info(alert, rule),
        "resources": resources(alert.endpoints),
        "evidences": _evidences(alert),
        "unmapped": _unmapped(alert),
    }
    if analyses := _anomalies(alert):
        event["anomaly_analyses"] = analyses
    if rule.steps:
        event["remediation"] = {"desc": " ".join(rule.steps)}
    return event


def _finding_info(alert: Alert, rule: Rule) -> Record:
    return {
        "uid": alert.id,
        "title": alert.title,
        "desc": alert.explanation.sentence,
        "types": [alert.alert_type],
        "analytic": {
            "uid": alert.detector,
            "name": rule.title,
            "type_id": _RULE_ANALYTIC[0],
            "type": _RULE_ANALYTIC[1],
        },
        "attacks": attacks([alert.tactic], rule.techniques),
        "created_time": milliseconds(alert.created_at or alert.detected_at),
        "modified_time": milliseconds(alert.changed_at or alert.updated_at),
        "first_seen_time": milliseconds(alert.first_seen),
        "last_seen_time": milliseconds(alert.last_seen),
    }


def _evidences(alert: Alert) -> list[Record]:
    found: list[Record] = [{"name": "client address", "src_endpoint": {"ip": address}} for address in alert.client_ips]
    found += [
        {"name": "actor", "actor": {"user": _user(actor)}}
        for actor in alert.actors
        if actor.kind is not ActorKind.ADDRESS
    ]
    found += [
        {
            "name": "observation",
            "uid": one.observation_id,
            "data": {"summary": one.summary, "time": milliseconds(one.ts)},
        }
        for one in alert.evidence
    ]
    return found


def _user(actor: Actor) -> Record:
    by_name = actor.kind in _USER_NAMES
    return {"name" if by_name else "credential_uid": actor.id, "uid": f"{actor.kind.value}:{actor.id}"}


def _anomalies(alert: Alert) -> list[Record]:
    usual = [measure for measure in alert.explanation.measures if measure.baseline is not None]
    if not usual:
        return []
    target = {"name": alert.endpoints[0] if alert.endpoints else alert.detector, "type": "API Endpoint"}
    anomalies = [_observed(measure, measure.observed) for measure in usual]
    baselines = [_observed(measure, measure.baseline or 0.0) for measure in usual]
    return [{"analysis_target": target, "anomalies": anomalies, "baselines": baselines}]


def _observed(measure: Measure, value: float) -> Record:
    shown = f"{value:g} {measure.unit}".strip()
    return {
        "observed_attribute": measure.name,
        "observation_type": "Deviation Analysis",
        "observations": [{"value": shown}],
    }


def _unmapped(alert: Alert) -> Record:
    found: Record = {
        "owasp": alert.owasp.value,
        "classification": alert.classification.value,
        "determination": alert.determination.value,
        "incident": alert.incident,
        "assigned_to": alert.assigned_to,
        "suppressed_by": alert.suppressed_by,
        "revision": alert.revision,
        "measures": {measure.name: measure.observed for measure in alert.explanation.measures},
    }
    return {name: value for name, value in found.items() if value}
