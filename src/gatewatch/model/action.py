"""Actions of playbooks on other systems as values: what is asked, what came of it, what a connector can do."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

__all__ = ["ActionCall", "ActionInput", "ActionMeta", "ActionResult", "ConnectorMeta", "Outcome"]


class Outcome(StrEnum):
    """What became of a call."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It surely had no effect."""
    UNKNOWN = "unknown"
    """It was sent and no answer tells whether it had its effect; never to be repeated without reading back."""


class ActionCall(msgspec.Struct, frozen=True, kw_only=True):
    """One action on one configured connection."""

    connection: str
    """Name in the settings."""
    action: str
    inputs: dict[str, Any]
    """As the action's meta describes them; secrets are never inputs."""
    key: str
    """Idempotency key, the same for every attempt of the same step of the same run; at most 64 safe characters."""


class ActionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a call brought."""

    outcome: Outcome
    values: dict[str, Any] = {}
    """As the action's meta describes them; bounded, no secrets: run history keeps them."""
    link: str = ""
    """Where people see the effect."""
    error: str = ""
    """For people; no secret, no body."""
    again: bool = False
    """A later attempt may succeed and does no harm: FAILED for a passing reason, or UNKNOWN of a repeatable action."""
    retry_after_s: float | None = None
    """What the other side asked for."""


class ActionInput(msgspec.Struct, frozen=True, kw_only=True):
    """One input or output of an action."""

    name: str
    type: str = "string"
    """JSON Schema type: string, integer, number, boolean, array, object."""
    description: str
    required: bool = False
    choices: tuple[str, ...] = ()
    example: Any = None
    """Schema-valid; outputs answer simulations with it."""


class ActionMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector can do."""

    id: str
    title: str
    description: str
    inputs: tuple[ActionInput, ...] = ()
    outputs: tuple[ActionInput, ...] = ()
    changes: bool = True
    """It has an effect outside; false for look-ups."""
    reads_back: bool = False
    """`read_back` can tell what became of a call."""
    settles_s: float = 0.0
    """How long after a call a read-back that finds nothing may still be wrong; wait so long before it."""
    repeatable: bool = False
    """Performed again with the same key it has no second effect: the other side drops the repeat."""


class ConnectorMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a connector."""

    id: str
    title: str
    description: str
    actions: tuple[ActionMeta, ...]
    references: tuple[str, ...] = ()
