"""Guardrails: what may never be contained, what needs a person to say so, and how many have to agree."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Annotated

import msgspec

from gatewatch.model.containment import BlastRadius, Containment, ContainmentPlan, Effect, Scope, ScopeKind
from gatewatch.model.enforcement import Network, Place, actor_of, network_in, network_of, place_of

__all__ = ["Guardrails", "approvals_for", "obstacles"]

_APPROVALS = {
    Effect.MIRROR: 0,
    Effect.THROTTLE: 1,
    Effect.CHALLENGE: 1,
    Effect.BLOCK: 1,
    Effect.SUSPEND_KEY: 1,
    Effect.DISABLE_ENDPOINT: 2,
}


class Guardrails(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What containments may do, in this installation."""

    protected: tuple[str, ...] = ()
    """Addresses, ranges, `kind:id` of actors, `consumer:NAME`, `METHOD host template`, hosts with or without a path:
    never contained, by nobody. Loopback and the trusted proxies are so too: calls of everybody come from there."""
    max_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """Of the calls of those that no alert of the incident names, that a plan may hit."""
    max_bystanders: Annotated[int, msgspec.Meta(ge=0)] = 5
    """Actors that no alert of the incident names, that a plan may hit."""
    max_in_force: Annotated[int, msgspec.Meta(ge=1)] = 100
    """At a time, on all gateways together."""
    max_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0
    """Longest duration of a plan."""
    min_prefix_v4: Annotated[int, msgspec.Meta(ge=0, le=32)] = 20
    """No wider range."""
    min_prefix_v6: Annotated[int, msgspec.Meta(ge=0, le=128)] = 44
    """The same for IPv6."""
    approvals: dict[Effect, Annotated[int, msgspec.Meta(ge=0, le=5)]] = msgspec.field(
        default_factory=lambda: dict(_APPROVALS)
    )
    """How many different people have to agree, by effect."""
    look_back_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0
    """Traffic that the blast radius is predicted from."""
    recovery_s: Annotated[float, msgspec.Meta(ge=60, le=86_400)] = 1800.0
    """How long traffic is watched after a containment is gone: whether normal use is back and the attack is not."""


def approvals_for(plan: ContainmentPlan, rails: Guardrails) -> int:
    """How many different people; one more where a guardrail was overridden."""
    return rails.approvals.get(plan.effect, 1) + (1 if plan.forced else 0)


def obstacles(
    plan: ContainmentPlan, radius: BlastRadius, active: Sequence[Containment], rails: Guardrails
) -> tuple[str, ...]:
    """Sentences; none when the plan may be carried out.

    A forced plan overrides shares, counts and the longest duration, nothing else.
    """
    found = _never(plan, radius, rails)
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


def _never(plan: ContainmentPlan, radius: BlastRadius, rails: Guardrails) -> list[str]:
    try:
        network, place = network_of(plan.scope), place_of(plan.scope)
    except ValueError as error:
        return [f"`{plan.scope.value}` is no {plan.scope.kind.value}: {error}"]
    found = []
    if network is not None:
        least = rails.min_prefix_v4 if network.version == 4 else rails.min_prefix_v6
        if network.prefixlen < least:
            found.append(f"{network} is wider than /{least}")
    named = _names(plan.scope)
    # Whoever is protected is so too where somebody else's address is theirs as well.
    hit = set() if plan.effect is Effect.MIRROR else set(radius.bystanders)
    found += [f"{one} is protected" for one in rails.protected if one in named or _is_within(one, network, place)]
    return found + [f"{one} is protected, and calls from there" for one in rails.protected if one in hit - named]


def _names(scope: Scope) -> set[str]:
    """As protected lists may name the caller."""
    kind, name = actor_of(scope)
    return {scope.value} | ({f"{kind}:{name}"} if kind else set())


def _is_within(protected: str, network: Network | None, place: Place | None) -> bool:
    """Whether a plan for these addresses or this place would hit what is protected."""
    try:
        guarded = network_in(protected.removeprefix("address:"))
    except ValueError:
        return place is not None and _is_in(protected, place)
    if network is None or isinstance(network, IPv4Network) is not isinstance(guarded, IPv4Network):
        return False
    return network.overlaps(guarded)


def _is_in(protected: str, place: Place) -> bool:
    kind = ScopeKind.ENDPOINT if " " in protected else ScopeKind.COLLECTION
    try:
        guarded = place_of(Scope(kind=kind, value=protected))
    except ValueError:
        return False
    return guarded is not None and guarded.overlaps(place)
