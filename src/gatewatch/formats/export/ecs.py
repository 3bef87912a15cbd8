"""Elastic Common Schema 8.11."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.export.summary import Summary, split_endpoint, summarise
from gatewatch.formats.records import Record, rfc3339
from gatewatch.knowledge.attack import TACTIC_IDS, TECHNIQUE_NAMES, technique_url
from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.finding import FindingStatus
from gatewatch.model.score import ScoreEntry

__all__ = ["ECS_VERSION", "Ecs"]

ECS_VERSION = "8.11.0"
_SEVERITY = {Severity.INFORMATIONAL: 21, Severity.LOW: 21, Severity.MEDIUM: 47, Severity.HIGH: 73}
"""Elastic Security's risk scores of low, medium and high."""
_KINDS = {
    ExportKind.ALERT: ("alert", ["intrusion_detection", "api"], ["indicator"]),
    ExportKind.INCIDENT: ("alert", ["intrusion_detection"], ["info"]),
    ExportKind.FINDING: ("state", ["configuration", "api"], ["info"]),
    ExportKind.AUDIT: ("event", ["configuration"], ["change"]),
    ExportKind.SCORE: ("metric", ["configuration"], ["info"]),
}
"""`event.kind`, `event.category`, `event.type`."""


class Ecs(Format):
    """Fields of ECS, and what ECS has no field for under `gatewatch`."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="ecs",
        title="Elastic Common Schema 8.11",
        description=(
            "`event.id` is the event id; detectors are `rule`, intents and techniques `threat`, callers `source` and "
            "`user`, endpoints `http`, `url` and `service`. What ECS has no field for stands under `gatewatch`."
        ),
        kinds=tuple(ExportKind),
        shape=Shape.JSON,
        content_type="application/json",
        references=("https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html",),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One document."""
        facts = summarise(item, context)
        document: Record = {
            "@timestamp": rfc3339(item.at),
            "ecs": {"version": ECS_VERSION},
            "message": facts.text or facts.title,
            "event": _event(item, facts),
            "observer": {
                "vendor": "Gatewatch",
                "product": "Gatewatch",
                "type": "api-security",
                "version": context.version,
                "hostname": context.host,
            },
            "related": _related(facts),
            "gatewatch": _own(item, facts),
            **_callers(facts),
            **_endpoint(facts),
        }
        if facts.detectors:
            document["rule"] = {"id": list(facts.detectors), "name": facts.title, "category": facts.type}
        if facts.tactics:
            document["threat"] = _threat(facts)
        if item.snapshot:
            document["tags"] = ["snapshot"]
        return msgspec.json.encode({name: value for name, value in document.items() if value})


def _event(item: ExportItem, facts: Summary) -> Record:
    kind, category, types = _KINDS[item.kind]
    event: Record = {
        "id": item.event_id,
        "kind": kind,
        "category": category,
        "type": types,
        "module": "gatewatch",
        "dataset": f"gatewatch.{item.kind.value}",
        "action": facts.type,
        "severity": _SEVERITY[item.severity],
        "provider": "gatewatch",
    }
    if facts.first_seen:
        event |= {"start": rfc3339(facts.first_seen), "end": rfc3339(facts.last_seen)}
    if item.kind is ExportKind.FINDING:
        event["outcome"] = "success" if item.status == FindingStatus.HEALTHY else "failure"
    return event


def _callers(facts: Summary) -> Record:
    found: Record = {}
    if facts.addresses:
        found["source"] = {"ip": facts.addresses[0], "address": facts.addresses[0]}
    if facts.users:
        found["user"] = {"name": facts.users[0]}
    return found


def _endpoint(facts: Summary) -> Record:
    method, host, path = split_endpoint(facts)
    if not path:
        return {}
    return {
        "http": {"request": {"method": method}},
        "url": {"domain": host, "path": path},
        "service": {"name": host, "type": "api"},
    }


def _related(facts: Summary) -> Record:
    hosts = dict.fromkeys(endpoint.split(" ", 2)[1] for endpoint in facts.endpoints if " " in endpoint)
    found = {"ip": list(facts.addresses), "user": list(facts.users), "hosts": list(hosts)}
    return {name: values for name, values in found.items() if values}


def _threat(facts: Summary) -> Record:
    tactics = [TACTIC_IDS[tactic] for tactic in facts.tactics if tactic in TACTIC_IDS]
    threat: Record = {
        "framework": "MITRE ATT&CK",
        "tactic": {"id": [uid for uid, _ in tactics], "name": [name for _, name in tactics]},
    }
    parents = list(dict.fromkeys(technique.partition(".")[0] for technique in facts.techniques))
    if parents:
        threat["technique"] = _techniques(parents)
    if children := [technique for technique in facts.techniques if "." in technique]:
        threat["technique"]["subtechnique"] = _techniques(children)
    return threat


def _techniques(ids: list[str]) -> Record:
    return {
        "id": ids,
        "name": [TECHNIQUE_NAMES.get(one, one) for one in ids],
        "reference": [technique_url(one) for one in ids],
    }


def _own(item: ExportItem, facts: Summary) -> Record:
    found: Record = {
        "kind": item.kind.value,
        "id": item.subject,
        "severity": item.severity.value,
        "status": item.status,
        "title": facts.title,
        "owasp": facts.owasp,
        "actors": list(facts.actors),
        "endpoints": list(facts.endpoints),
        "count": facts.count,
        "incident": facts.incident,
        "priority": facts.priority,
        "assigned_to": facts.assigned_to,
        "classification": facts.classification,
        "revision": facts.revision,
        "remediation": facts.remediation,
        "snapshot": item.snapshot,
        "score": _points(facts.score) if facts.score is not None else None,
    }
    return {name: value for name, value in found.items() if value}


def _points(score: ScoreEntry) -> Record:
    return {
        "current": round(score.current, 4),
        "max": score.max,
        "percentage": round(score.percentage, 4) if score.percentage is not None else None,
        "healthy": score.healthy,
        "unhealthy": score.unhealthy,
        "not_applicable": score.not_applicable,
    }
