"""Guardrails: what may never be contained, what needs a person to say so, and how many have to agree."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

import msgspec

from gatewatch.model.containment import BlastRadius, Containment, ContainmentPlan, Effect, Scope, ScopeKind

__all__ = ["Guardrails", "approvals_for", "obstacles"]

_APPROVALS = {
    Effect.MIRROR: 0,
    Effect.THROTTLE: 1,
    Effect.CHALLENGE: 1,
    Effect.BLOCK: 1,
    Effect.SUSPEND_KEY: 1,
    Effect.DISABLE_ENDPOINT: 2,
}
_Network = IPv4Network | IPv6Network


class Guardrails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one installation."""

    protected: tuple[str, ...] = ()
    """Addresses, ranges, `kind:id` of actors, consumers, `METHOD host template`, hosts: never contained, by nobody."""
    max_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """Of the calls of those that no alert of the incident names, that a plan may hit."""
    max_bystanders: Annotated[int, msgspec.Meta(ge=0)] = 5
    """Actors that no alert of the incident names, that a plan may hit."""
    max_in_force: Annotated[int, msgspec.Meta(ge=1)] = 100
    """At a time, on all gateways together."""
    max_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0
    min_prefix_v4: Annotated[int, msgspec.Meta(ge=0, le=32)] = 20
    """No wider range."""
    min_prefix_v6: Annotated[int, msgspec.Meta(ge=0, le=128)] = 44
    approvals: dict[Effect, Annotated[int, msgspec.Meta(ge=0, le=5)]] = msgspec.field(
        default_factory=lambda: dict(_APPROVALS)
    )
    """How many different people have to agree, by effect."""
    look_back_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0
    recovery_s: Annotated[float, msgspec.Meta(ge=60, le=86_400)] = 1800.0
    """How long traffic is watched after a containment is gone: whether normal use is back and the attack is not."""


def approvals_for(plan: ContainmentPlan, rails: Guardrails) -> int:
    """How many different people; one more where a guardrail was overridden."""
    return rails.approvals.get(plan.effect, 1) + (1 if plan.forced else 0)


def obstacles(
    plan: ContainmentPlan, radius: BlastRadius, active: Sequence[Containment], rails: Guardrails
) -> tuple[str, ...]:
    """Sentences; none when the plan may be carried out. A forced plan overrides shares and counts, nothing else."""
    found = list(_never(plan, rails))
    if plan.effect is Effect.MIRROR:
        return tuple(found)
    if not plan.forced:
        found += _too_much(plan, radius, rails)
    others = [one for one in active if one.state.wanted]
    if len(others) >= rails.max_in_force:
        found.append(f"{len(others)} containments are in force, as many as there may be at a time")
    return tuple(found)


def _too_much(plan: ContainmentPlan, radius: BlastRadius, rails: Guardrails) -> list[str]:
    found = []
    if radius.calls and radius.share > rails.max_share:
        found.append(
            f"it would have hit {radius.share:.0%} of the calls of everybody else in the last {radius.hours:g} hours;"
            f" at most {rails.max_share:.0%} are allowed"
        )
    if radius.bystanders_count > rails.max_bystanders:
        found.append(
            f"it would have hit {radius.bystanders_count} {_bystanders(plan.incident)}"
            f" ({radius.bystander_calls} calls in {radius.hours:g} hours); at most {rails.max_bystanders} are allowed"
        )
    if plan.duration_s > rails.max_hours * 3600:
        found.append(f"it would last longer than {rails.max_hours:g} hours")
    return found


def _bystanders(incident: int) -> str:
    """Attackers are whom the plan's incident names; without one a caller in an alert counts as everybody does."""
    if incident:
        return f"callers that incident {incident} does not name"
    return "callers, none of whom counts as an attacker because no incident is given"


def _never(plan: ContainmentPlan, rails: Guardrails) -> list[str]:
    found = []
    network = _network(plan.scope.value) if plan.scope.kind in (ScopeKind.ADDRESS, ScopeKind.RANGE) else None
    if plan.scope.kind in (ScopeKind.ADDRESS, ScopeKind.RANGE):
        if network is None:
            return [f"`{plan.scope.value}` is no {plan.scope.kind.value}"]
        least = rails.min_prefix_v4 if network.version == 4 else rails.min_prefix_v6
        if network.prefixlen < least:
            found.append(f"{network} is wider than /{least}")
    named = _names(plan.scope)
    for one in rails.protected:
        guarded = _network(one)
        hit = one in named
        if network is not None and guarded is not None and network.version == guarded.version:
            hit = network.overlaps(guarded)
        if hit:
            found.append(f"{one} is protected")
    return found


def _names(scope: Scope) -> set[str]:
    names = {scope.value, scope.endpoint, scope.value.partition("/")[0]} - {""}
    for text in (scope.value, scope.endpoint):
        parts = text.split(" ")
        if len(parts) == 3:  # METHOD host template
            names.add(parts[1])
    return names


def _network(text: str) -> _Network | None:
    try:
        return ip_network(text.removeprefix("address:"), strict=False)
    except ValueError:
        return None
