"""Values of the model as the plain records that files, the command line and the REST API show."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gatewatch.model.alert import Alert
from gatewatch.model.correlation import Link
from gatewatch.model.finding import Finding
from gatewatch.model.inventory import Collection, Endpoint, FieldFact, InformationFact
from gatewatch.model.ledger import LedgerEntry
from gatewatch.model.rule import Rule
from gatewatch.model.score import CollectionScore, ControlScore, SecureScore, percentage

__all__ = [
    "Record",
    "alert_record",
    "collection_record",
    "collection_score_record",
    "control_score_record",
    "endpoint_record",
    "field_record",
    "finding_record",
    "ledger_record",
    "link_record",
    "rfc3339",
    "score_record",
]

Record = dict[str, Any]
"""A JSON object."""


def rfc3339(ts: float) -> str:
    """Unix seconds as RFC 3339 UTC with milliseconds."""
    return datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(ts: float | None) -> str | None:
    return rfc3339(ts) if ts else None


def alert_record(alert: Alert, rule: Rule | None = None) -> Record:
    """One line of alerts.ndjson; also the body of `GET /v1/alerts/{id}`, there with its detector's steps."""
    advice = {} if rule is None else {"description": rule.description, "steps": list(rule.steps)}
    return advice | {
        "id": alert.id,
        "detector": alert.detector,
        "alert_type": alert.alert_type,
        "title": alert.title,
        "severity": alert.severity.value,
        "tactic": alert.tactic.value,
        "owasp": alert.owasp.value,
        "status": alert.status.value,
        "first_seen": rfc3339(alert.first_seen),
        "last_seen": rfc3339(alert.last_seen),
        "detected_at": rfc3339(alert.detected_at),
        "actors": [{"kind": actor.kind.value, "id": actor.id} for actor in alert.actors],
        "client_ips": list(alert.client_ips),
        "endpoints": list(alert.endpoints),
        "count": alert.count,
        "explanation": alert.explanation.sentence,
        "measures": [
            {"name": m.name, "observed": m.observed, "baseline": m.baseline, "threshold": m.threshold, "unit": m.unit}
            for m in alert.explanation.measures
        ],
        "evidence": [
            {"observation_id": item.observation_id, "ts": rfc3339(item.ts), "summary": item.summary}
            for item in alert.evidence
        ],
        "updated_at": rfc3339(alert.updated_at),
        "revision": alert.revision,
        "incident_id": alert.incident or None,
        "links": [link_record(link) for link in alert.links],
        "classification": alert.classification.value,
        "determination": alert.determination.value,
        "assigned_to": alert.assigned_to or None,
        "resolved_at": _moment(alert.resolved_at),
        "suppressed_by": alert.suppressed_by or None,
    }


def link_record(link: Link) -> Record:
    """Why an alert is in its incident."""
    return {"reason": link.reason.value, "subject": link.subject, "weight": link.weight}


def field_record(fact: FieldFact) -> Record:
    """One line of fields.ndjson; `types` are information types, `value_types` what the values look like."""
    return {
        "method": fact.method,
        "host": fact.host,
        "template": fact.template,
        "location": fact.location.value,
        "path": fact.path,
        "types": list(fact.types),
        "value_types": list(fact.value_types),
        "transactions": fact.transactions,
        "endpoint_id": f"{fact.endpoint_id:016x}",
    }


def _information_record(fact: InformationFact) -> Record:
    return {
        "type": fact.type,
        "location": fact.location.value,
        "path": fact.path,
        "transactions": fact.transactions,
        "share": fact.share,
        "status_classes": list(fact.status_classes),
        "first_seen": rfc3339(fact.first_seen),
        "last_seen": rfc3339(fact.last_seen),
    }


def endpoint_record(endpoint: Endpoint) -> Record:
    """One endpoint of the inventory."""
    return {
        "id": endpoint.id,
        "collection_id": endpoint.collection_id,
        "method": endpoint.method,
        "host": endpoint.host,
        "template": endpoint.template,
        "operation": endpoint.operation or None,
        "first_seen": rfc3339(endpoint.first_seen),
        "last_called": _moment(endpoint.last_called),
        "calls": endpoint.calls,
        "calls_by_status_class": dict(endpoint.calls_by_status_class),
        "activity": endpoint.activity.value,
        "authentication": endpoint.authentication.value,
        "authentication_why": endpoint.authentication_why,
        "external_traffic_observed": _moment(endpoint.external_last_seen),
        "information_types": [_information_record(fact) for fact in endpoint.information_types],
        "actors": endpoint.actors,
        "clients": endpoint.clients,
        "template_reason": endpoint.template_reason,
        "template_confidence": endpoint.template_confidence,
        "template_why": endpoint.template_why,
    }


def collection_record(collection: Collection) -> Record:
    """One API collection."""
    return {
        "id": collection.id,
        "name": collection.name,
        "host": collection.host,
        "base_path": collection.base_path,
        "discovered_via": list(collection.discovered_via),
        "endpoints": collection.endpoints,
        "inactive": collection.inactive,
        "unauthenticated": collection.unauthenticated,
        "external": collection.external,
        "sensitive": collection.sensitive,
        "first_seen": rfc3339(collection.first_seen),
        "last_called": _moment(collection.last_called),
    }


def finding_record(finding: Finding) -> Record:
    """One recommendation judged for one endpoint."""
    return {
        "id": finding.id,
        "recommendation": finding.recommendation,
        "title": finding.title,
        "severity": finding.severity.value,
        "status": finding.status.value,
        "judged": finding.judged.value,
        "exception": finding.exception or None,
        "cause": finding.cause,
        "remediation": finding.remediation,
        "endpoint_id": finding.endpoint_id,
        "endpoint": finding.endpoint,
        "evaluated_at": rfc3339(finding.evaluated_at),
    }


def score_record(score: SecureScore) -> Record:
    """One snapshot of the secure score with its controls; score.json, and one item of the history."""
    return {
        "number": score.number or None,
        "at": rfc3339(score.at),
        **_points(score.current, score.max),
        "healthy": score.healthy,
        "unhealthy": score.unhealthy,
        "controls": [control_score_record(control) for control in score.controls],
    }


def control_score_record(control: ControlScore) -> Record:
    """One control of the score."""
    return {
        "control": control.control,
        "title": control.title,
        **_points(control.current, control.max),
        "potential_increase": round(control.potential_increase, 4),
        "healthy": control.healthy,
        "unhealthy": control.unhealthy,
        "not_applicable": control.not_applicable,
        "recommendations": list(control.recommendations),
    }


def collection_score_record(collection: Collection, score: CollectionScore | None) -> Record:
    """The score of one collection alone; without numbers when nothing in it was judged."""
    points = _points(score.current, score.max) if score is not None else {}
    return {
        "collection_id": collection.id,
        "name": collection.name,
        "host": collection.host,
        "current": points.get("current"),
        "max": points.get("max"),
        "percentage": points.get("percentage"),
        "weight": score.weight if score is not None else 0,
        "healthy": score.healthy if score is not None else 0,
        "unhealthy": score.unhealthy if score is not None else 0,
    }


def _points(current: float, most: float) -> Record:
    share = percentage(current, most)
    return {
        "current": round(current, 4),
        "max": most,
        "percentage": round(share, 4) if share is not None else None,
    }


def ledger_record(entry: LedgerEntry) -> Record:
    """The sums of one source."""
    return {
        "source": entry.source,
        "received": entry.received,
        "observed": entry.observed,
        "duplicate": entry.duplicate,
        "rejected": dict(entry.rejected),
        "in_flight": entry.in_flight,
    }
