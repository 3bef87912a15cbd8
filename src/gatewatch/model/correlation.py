"""What alerts have in common, and why they belong together."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["CorrelationReason", "Entity", "EntityKind", "Link"]


class EntityKind(StrEnum):
    """What alerts and incidents have in common with each other."""

    ACTOR = "actor"
    ADDRESS = "address"
    ENDPOINT = "endpoint"


class Entity(msgspec.Struct, frozen=True, order=True):
    """One thing that is named in alerts; `value` is `kind:id` for an actor, `METHOD host template` for an endpoint."""

    kind: EntityKind
    value: str


class CorrelationReason(StrEnum):
    """Why an alert is in its incident; the members of Graph's `correlationReason` that we can give a ground for."""

    REPEATED_OCCURRENCE = "repeatedAlertOccurrence"
    SAME_ACTOR = "sameActor"
    SAME_SOURCE = "sameThreatSource"
    SAME_NETWORK = "sameNetworkSegment"
    SAME_TARGET = "sameTargetedAsset"
    SIMILAR_TECHNIQUE = "similarTTPsOrBehavior"
    EVENT_SEQUENCE = "eventSequence"
    TIME = "temporalProximity"
    CAMPAIGN = "sameCampaign"
    MANUAL = "manual"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why two things belong together."""

    reason: CorrelationReason
    subject: str
    """What is shared, in words: an address, an actor, `Discovery then CredentialAccess`."""
    weight: float
    """Part of the belief that it gave, 0 to 1."""
