"""Runs of automation rules as plain records for REST, the command line and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.automation import ActionReport, AutomationRule, ConditionReport, RuleRun

__all__ = ["rule_record", "run_record"]


def _moment(ts: float | None) -> str | None:
    return rfc3339(ts) if ts else None


def rule_record(
    rule: AutomationRule,
    text: Mapping[str, Any],
    *,
    state: str,
    matched: int,
    matched_at: float,
    next_at: float | None,
    warnings: Sequence[str] = (),
) -> Record:
    """Body of `GET /v1/automation-rules/{name}`; `text` is what people wrote."""
    usual: Record = {"description": "", "enabled": True, "timezone": "UTC", "conditions": [], "expires_at": None}
    return {
        **usual,
        **text,
        "state": state,
        "matched": matched,
        "matched_at": _moment(matched_at),
        "next_at": _moment(next_at),
        "warnings": list(warnings),
        "created_at": rfc3339(rule.created_at),
        "created_by": rule.created_by,
        "updated_at": rfc3339(rule.updated_at),
        "updated_by": rule.updated_by,
        "revision": rule.revision,
    }


def run_record(run: RuleRun) -> Record:
    """One run, explained."""
    return {
        "id": run.id,
        "rule": run.rule,
        "rule_revision": run.revision,
        "trigger": run.trigger,
        "event": run.event,
        "change": run.seq or None,
        "subject": {"kind": run.about.value, "id": run.subject},
        "incident_id": run.incident or None,
        "by": run.by or None,
        "chain": list(run.chain),
        "outcome": run.outcome.value,
        "why": run.why,
        "conditions": [_condition(one) for one in run.conditions],
        "actions": [_action(one) for one in run.actions],
        "at": rfc3339(run.at),
        "took_ms": round(run.took_s * 1000, 3),
    }


def _condition(one: ConditionReport) -> Record:
    return {"text": one.text, "holds": one.holds, "why": one.why, "values": one.values}


def _action(one: ActionReport) -> Record:
    return {
        "action": one.action,
        "outcome": one.outcome.value,
        "detail": one.detail,
        "playbook": one.playbook or None,
        "inputs": one.inputs,
        "run": one.run or None,
    }
