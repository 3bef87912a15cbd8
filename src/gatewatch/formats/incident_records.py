"""Incidents and what belongs to them as plain records for REST, the command line and files."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gatewatch.formats.records import Record, alert_record, link_record, rfc3339
from gatewatch.model.activity import Activity
from gatewatch.model.correlation import Entity
from gatewatch.model.dossier import AttackStory, Dossier, EntityGraph, KnownEntity, Step, Timing
from gatewatch.model.incident import Incident, Task
from gatewatch.model.rule import Rule
from gatewatch.model.suppression import Suppression

__all__ = [
    "activity_record",
    "dossier_record",
    "entity_record",
    "graph_record",
    "incident_record",
    "rule_record",
    "similar_record",
    "story_record",
    "suppression_record",
    "task_record",
    "timing_record",
]


def _moment(ts: float | None) -> str | None:
    return None if ts is None else rfc3339(ts)


def incident_record(incident: Incident) -> Record:
    """Body of `GET /v1/incidents/{id}`."""
    return {
        "id": incident.id,
        "name": incident.name,
        "status": incident.status.value,
        "severity": incident.severity.value,
        "severity_fixed": incident.severity_fixed,
        "priority": incident.priority,
        "factors": [{"name": f.name, "points": f.points, "reason": f.reason} for f in incident.factors],
        "classification": incident.classification.value,
        "determination": incident.determination.value,
        "assigned_to": incident.assigned_to or None,
        "description": incident.description,
        "resolving_comment": incident.resolving_comment,
        "tags": list(incident.tags),
        "system_tags": list(incident.system_tags),
        "tasks": [task_record(task) for task in incident.tasks],
        "redirect_to": incident.redirect_to or None,
        "alerts": incident.alerts,
        "open_alerts": incident.open_alerts,
        "calls": incident.calls,
        "tactics": [tactic.value for tactic in incident.tactics],
        "alert_types": list(incident.alert_types),
        "detectors": list(incident.detectors),
        "first_activity": rfc3339(incident.first_activity),
        "last_activity": rfc3339(incident.last_activity),
        "created_at": rfc3339(incident.created_at),
        "updated_at": rfc3339(incident.updated_at),
        "updated_by": incident.updated_by,
        "acknowledged_at": _moment(incident.acknowledged_at),
        "resolved_at": _moment(incident.resolved_at),
        "reopened": incident.reopened,
        "revision": incident.revision,
    }


def task_record(task: Task) -> Record:
    """One task."""
    return {
        "id": task.id,
        "title": task.title,
        "done": task.done,
        "assigned_to": task.assigned_to or None,
        "due_at": _moment(task.due_at),
        "created_at": rfc3339(task.created_at),
        "created_by": task.created_by,
        "done_at": _moment(task.done_at),
    }


def activity_record(entry: Activity) -> Record:
    """One entry of the audit log."""
    return {
        "number": entry.number,
        "at": rfc3339(entry.at),
        "origin": entry.origin.value,
        "by": entry.by,
        "subject": entry.subject.value,
        "subject_id": entry.subject_id,
        "incident": entry.incident or None,
        "action": entry.action,
        "text": entry.text,
        "details": dict(entry.details),
        "digest": entry.digest,
    }


def rule_record(rule: Rule) -> Record:
    """What a detector says of itself."""
    plain: Record = msgspec.to_builtins(rule)
    return plain


def suppression_record(rule: Suppression) -> Record:
    """One suppression rule."""
    return {
        "name": rule.name,
        "alert_type": rule.alert_type,
        "conditions": [{"field": one.field, "values": list(one.values)} for one in rule.conditions],
        "reason": rule.reason,
        "comment": rule.comment,
        "enabled": rule.enabled,
        "expires_at": _moment(rule.expires_at),
        "created_at": rfc3339(rule.created_at),
        "created_by": rule.created_by,
        "incident": rule.incident or None,
        "dismissed": rule.dismissed,
    }


def similar_record(incident: Incident, shared: Sequence[Entity]) -> Record:
    """Another incident and what it has in common."""
    return {
        **incident_record(incident),
        "shared": [{"kind": entity.kind.value, "value": entity.value} for entity in shared],
    }


def story_record(story: AttackStory) -> Record:
    """The attack story; times as RFC 3339."""
    return {
        "headline": story.headline,
        "summary": story.summary,
        "chapters": [
            {
                "tactic": chapter.tactic.value,
                "title": chapter.title,
                "first_seen": rfc3339(chapter.first_seen),
                "last_seen": rfc3339(chapter.last_seen),
                "steps": [_step_record(step) for step in chapter.steps],
            }
            for chapter in story.chapters
        ],
        "left_out": story.left_out,
    }


def _step_record(step: Step) -> Record:
    return {
        "alert": step.alert,
        "at": rfc3339(step.at),
        "until": rfc3339(step.until),
        "severity": step.severity.value,
        "title": step.title,
        "sentence": step.sentence,
        "actors": list(step.actors),
        "addresses": list(step.addresses),
        "endpoints": list(step.endpoints),
        "calls": step.calls,
        "evidence": [
            {"observation_id": item.observation_id, "ts": rfc3339(item.ts), "summary": item.summary}
            for item in step.evidence
        ],
        "links": [link_record(link) for link in step.links],
        "dismissed": step.dismissed,
    }


def graph_record(graph: EntityGraph) -> Record:
    """Nodes and edges."""
    plain: Record = msgspec.to_builtins(graph)
    return plain


def entity_record(known: KnownEntity) -> Record:
    """One entity with what is known of it."""
    endpoint = known.endpoint
    return {
        "kind": known.entity.kind.value,
        "value": known.entity.value,
        "verdict": known.verdict.value if known.verdict else None,
        "first_seen": rfc3339(known.first_seen),
        "last_seen": rfc3339(known.last_seen),
        "endpoint_id": endpoint.id if endpoint else None,
        "authentication": endpoint.authentication.value if endpoint else None,
        "external": endpoint.external_last_seen is not None if endpoint else None,
        "information_types": sorted({fact.type for fact in endpoint.information_types}) if endpoint else [],
    }


def timing_record(timing: Timing) -> Record:
    """Seconds; null for what has not happened."""
    plain: Record = msgspec.to_builtins(timing)
    return plain


def dossier_record(dossier: Dossier) -> Record:
    """Everything about one incident."""
    return {
        "incident": incident_record(dossier.incident),
        "story": story_record(dossier.story),
        "graph": graph_record(dossier.graph),
        "entities": [entity_record(one) for one in dossier.entities],
        "alerts": [alert_record(alert) for alert in dossier.alerts],
        "rules": [rule_record(rule) for rule in dossier.rules],
        "similar": [similar_record(*one) for one in dossier.similar],
        "metrics": timing_record(dossier.timing),
    }
