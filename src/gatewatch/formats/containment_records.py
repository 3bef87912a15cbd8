"""Containments as plain records for REST and the command line."""

from __future__ import annotations

import msgspec

from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.containment import BlastRadius, Containment, ContainmentPlan, Measured, Recovery

__all__ = ["containment_record", "plan_record", "radius_record"]


def _moment(ts: float | None) -> str | None:
    return None if ts is None else rfc3339(ts)


def plan_record(plan: ContainmentPlan) -> Record:
    """A plan as people give and approve it."""
    return {
        "gateway": plan.gateway,
        "scope": {"kind": plan.scope.kind.value, "value": plan.scope.value, "endpoint": plan.scope.endpoint or None},
        "effect": plan.effect.value,
        "duration_s": plan.duration_s,
        "calls": plan.calls,
        "per_s": plan.per_s,
        "reason": plan.reason,
        "incident": plan.incident or None,
        "expects": msgspec.to_builtins(plan.expects),
        "forced": plan.forced,
    }


def radius_record(radius: BlastRadius) -> Record:
    """What a plan would have hit."""
    return {**msgspec.to_builtins(radius), "share": radius.share}


def _measured_record(found: Measured) -> Record:
    return {**msgspec.to_builtins(found), "at": rfc3339(found.at)}


def _recovery_record(found: Recovery) -> Record:
    return {**msgspec.to_builtins(found), "at": rfc3339(found.at), "since": rfc3339(found.since)}


def containment_record(one: Containment) -> Record:
    """Body of `GET /v1/containments/{id}`."""
    return {
        "id": one.id,
        "plan": plan_record(one.plan),
        "digest": one.digest,
        "radius": radius_record(one.radius),
        "state": one.state.value,
        "by": one.by,
        "created_at": rfc3339(one.created_at),
        "expires_at": rfc3339(one.expires_at),
        "in_force_at": _moment(one.in_force_at),
        "ended_at": _moment(one.ended_at),
        "removed_at": _moment(one.removed_at),
        "ended_by": one.ended_by or None,
        "why": one.why or None,
        "verdict": one.verdict.value,
        "measured": _measured_record(one.measured) if one.measured else None,
        "recovery": _recovery_record(one.recovery) if one.recovery else None,
    }
