"""Containment as values: what is to be done on a gateway, to whom, for how long, and what it would hit."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import Annotated

import msgspec

__all__ = [
    "BlastRadius",
    "Containment",
    "ContainmentPlan",
    "ContainmentState",
    "Effect",
    "Evidence",
    "Expectation",
    "Measured",
    "Recovery",
    "RecoveryVerdict",
    "Scope",
    "ScopeKind",
    "Verdict",
    "digest_of",
]

_MOST_S = 30 * 86_400.0


class ScopeKind(StrEnum):
    """What a containment is about."""

    ADDRESS = "address"
    """`203.0.113.7` or an IPv6 address."""
    RANGE = "range"
    """CIDR."""
    ACTOR = "actor"
    """`subject:ann`, `key:…`, `session:…`: an actor as alerts name it."""
    CONSUMER = "consumer"
    """A consumer or subscription as the gateway names it."""
    ENDPOINT = "endpoint"
    """`METHOD host template`."""
    COLLECTION = "collection"
    """All endpoints of a host (or of a base path on it): `host/base`."""

    @property
    def of_caller(self) -> bool:
        """Whether it is about whoever calls, not about what is called."""
        return self not in (ScopeKind.ENDPOINT, ScopeKind.COLLECTION)


class Effect(StrEnum):
    """What happens to calls in scope, from least to most harm."""

    MIRROR = "mirror"
    """Nothing but that the gateway counts them: a rehearsal on the real gateway."""
    THROTTLE = "throttle"
    CHALLENGE = "challenge"
    BLOCK = "block"
    SUSPEND_KEY = "suspend_key"
    DISABLE_ENDPOINT = "disable_endpoint"


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Whom or what a plan is about; with `endpoint` only where they call it."""

    kind: ScopeKind
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    endpoint: str = ""
    """`METHOD host template` that the plan is narrowed to; '' for everywhere behind the gateway."""


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be seen in traffic, or the plan is rolled back."""

    attack_falls_by: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.95
    """Share of the attack's calls that get through no more."""
    collateral_at_most: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.01
    """Share of other actors' calls that may be refused because of it."""
    bystanders_at_most: Annotated[int, msgspec.Meta(ge=0)] = 5
    """Other actors that may be shut out by a plan about a caller: in a large installation they are few of all calls."""
    within_s: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 600.0


class BlastRadius(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan would have hit, read from stored traffic."""

    hours: float
    """Length of the look back."""
    calls: int
    """All calls that the gateway's sources saw meanwhile."""
    calls_hit: int
    actors_hit: int
    """Actors with calls that would have been hit."""
    bystanders: tuple[str, ...] = ()
    """The busiest of them that the plan's incident does not name (without one: all of them); bounded."""
    bystanders_count: int = 0
    bystander_calls: int = 0
    endpoints_hit: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of everybody else's calls that would have been hit: an attack may be most of the traffic."""
        others = self.calls - (self.calls_hit - self.bystander_calls)
        return self.bystander_calls / others if others else 0.0


class ContainmentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that people approve. Nothing acts on a gateway without one."""

    gateway: str
    """Name of a configured gateway."""
    scope: Scope
    effect: Effect
    duration_s: Annotated[float, msgspec.Meta(gt=0, le=_MOST_S)]
    """Counted from the moment of its being applied."""
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """For THROTTLE: so many calls in `per_s`."""
    per_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    incident: int = 0
    alerts: tuple[str, ...] = ()
    expects: Expectation = Expectation()
    forced: bool = False
    """A person overrode a guardrail; the digest covers it."""


def digest_of(plan: ContainmentPlan) -> str:
    """What approvals bind to: any change of the plan has another digest."""
    return blake2b(msgspec.json.encode(plan, order="deterministic"), digest_size=16).hexdigest()


class ContainmentState(StrEnum):
    """Life cycle of a containment."""

    QUEUED = "queued"
    """Wanted; the gateway has not confirmed it yet."""
    IN_FORCE = "in_force"
    """Read back from the gateway."""
    REFUSED = "refused"
    """The gateway will never take it."""
    EXPIRED = "expired"
    ROLLED_BACK = "rolled_back"

    @property
    def wanted(self) -> bool:
        """Whether the gateway should have it."""
        return self in (ContainmentState.QUEUED, ContainmentState.IN_FORCE)


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What traffic showed so far; rates are calls a minute."""

    at: float
    """Unix seconds."""
    before_s: float
    after_s: float
    attack_before: int
    """Calls in scope by whom the plan is about that got through, before."""
    attack_after: int
    attempts_after: int
    """The same with those that were refused."""
    fell_by: float | None
    """Share; None when nothing is known of it: there was no attack before, or nobody tried after."""
    fell_low: float | None = None
    fell_high: float | None = None
    """95 % interval."""
    bystander_calls: int = 0
    """Calls of all others behind the gateway, after."""
    refused: int = 0
    """Of these refused in scope, beyond what was usual before."""
    collateral: float = 0.0
    """Their share."""
    collateral_low: float = 0.0
    collateral_high: float = 0.0
    shut_out: int = 0
    """Other actors in scope who got through before, and since then were refused and never got through."""


class Verdict(StrEnum):
    """What is concluded from it."""

    MEASURING = "measuring"
    WORKED = "worked"
    NO_EFFECT = "no_effect"
    COLLATERAL = "collateral"
    INCONCLUSIVE = "inconclusive"
    """The attack had ended by itself, or there is too little traffic."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of action has fared here: what to expect of it next time."""

    gateway: str
    effect: Effect
    scope: ScopeKind
    actions: int
    """That were measured."""
    verdicts: dict[str, int]
    mean_fall: float | None
    """Mean of the measured falls of the attacks."""
    mean_collateral: float


class RecoveryVerdict(StrEnum):
    """What traffic showed after a containment was gone."""

    WATCHING = "watching"
    RECOVERED = "recovered"
    """Normal use is back and the attack is not."""
    STILL_ATTACKED = "still_attacked"
    NOT_BACK = "not_back"
    """No attack, but others surely use it less than before."""
    NO_TRAFFIC = "no_traffic"
    """Nothing was seen at all, so nothing is known."""


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """Traffic after a containment was gone against traffic before the attack."""

    at: float
    """Unix seconds."""
    since: float
    """When the gateway confirmed that the containment is gone."""
    before_s: float
    after_s: float
    normal_before: int
    """Calls of others in scope that got through."""
    normal_after: int
    back: float | None = None
    """Rate after as a share of the rate before; None when there was no such use before."""
    back_low: float | None = None
    back_high: float | None = None
    """95 % interval, widened by how uneven the minutes before were."""
    attack_before: int = 0
    """Calls of attackers in scope that got through before the containment."""
    attack_after: int = 0
    """The same since it is gone."""
    attack_share: float | None = None
    """Rate after as a share of the rate before the containment."""
    attack_low: float | None = None
    calls_after: int = 0
    """All that was seen behind the gateway's sources."""
    alerts: tuple[str, ...] = ()
    """Ids of alerts of the incident's detectors about the attackers since; bounded."""
    verdict: RecoveryVerdict = RecoveryVerdict.WATCHING


class Containment(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was approved, and what became of it."""

    id: str
    key: str
    """Of whoever asked; the same request twice is one containment."""
    plan: ContainmentPlan
    digest: str
    radius: BlastRadius
    """As predicted when it was applied."""
    attackers: tuple[str, ...] = ()
    """Actors and addresses (`kind:id`) that the incident's alerts name: everybody else is a bystander."""
    state: ContainmentState = ContainmentState.QUEUED
    by: str
    created_at: float
    expires_at: float
    in_force_at: float | None = None
    """When the gateway confirmed it first."""
    ended_at: float | None = None
    removed_at: float | None = None
    """When the gateway confirmed that it is gone."""
    ended_by: str = ""
    why: str = ""
    """Of its end, or of its being queued still."""
    measured: Measured | None = None
    verdict: Verdict = Verdict.MEASURING
    recovery: Recovery | None = None
    """Since it is gone from the gateway; None before, and where nothing had been in force."""

    @property
    def recovering(self) -> bool:
        """Whether traffic is still to be watched for normal use and for the attack."""
        if self.removed_at is None or self.in_force_at is None or self.state.wanted:
            return False
        if self.state is ContainmentState.REFUSED or self.plan.effect is Effect.MIRROR:
            return False
        return self.recovery is None or self.recovery.verdict is RecoveryVerdict.WATCHING
