"""Containment as playbooks see it: a plan is judged first, then carried out under its digest."""

from __future__ import annotations

from typing import Protocol

import msgspec

from gatewatch.model.containment import BlastRadius, ContainmentPlan, Evidence
from gatewatch.ports.connectors import ActionResult

__all__ = ["Containing", "Judgement"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What speaks about a plan before anybody approves it."""

    digest: str
    radius: BlastRadius
    obstacles: tuple[str, ...] = ()
    """Guardrails and protected targets that forbid it; a sentence each. Empty when it may be carried out."""
    approvals: int = 0
    """How many different people have to approve it."""
    evidence: Evidence | None = None
    """How the newest of the same effect, gateway and kind of scope have fared; None when none was measured."""


class Containing(Protocol):
    """Plans on configured gateways."""

    def judge(self, plan: ContainmentPlan) -> Judgement:
        """Dry run: reads stored traffic, touches nothing. Raises NotFoundError for an unknown gateway."""
        ...

    def apply(self, plan: ContainmentPlan, *, key: str, by: str, approved_digest: str) -> ActionResult:
        """Carry out what was approved, once per key; `values` has `action`, the id to roll it back by.

        Raises ConflictError when the plan is not what was approved, or a guardrail forbids it now.
        """
        ...

    def read_back(self, key: str) -> ActionResult:
        """What became of an earlier call with this key."""
        ...

    def roll_back(self, action: str, *, by: str, reason: str) -> ActionResult:
        """Undo. Raises NotFoundError."""
        ...
