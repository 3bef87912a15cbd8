"""What people do with automation rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gatewatch.model.automation import About, RuleRun
from gatewatch.ports.automation import AutomationStore
from gatewatch.services.automation.dispatching import Counts
from gatewatch.services.automation.rulebook import Rulebook
from gatewatch.services.automation.simulating import Simulating

__all__ = ["AutomationDesk", "RunByHand"]


class RunByHand(Protocol):
    """One rule on one subject, now."""

    def __call__(self, name: str, about: About, subject: str, *, by: str) -> RuleRun:
        """Raises NotFoundError, ConflictError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationDesk:
    """The parts."""

    store: AutomationStore
    """Runs are read from it."""
    rulebook: Rulebook
    simulating: Simulating
    run_by_hand: RunByHand
    counts: Callable[[], Counts]
