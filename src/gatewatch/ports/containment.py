"""What was done on gateways about an incident, as reviews see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gatewatch.model.review import ActionTaken

__all__ = ["Containments", "NothingContained"]


class Containments(Protocol):
    """Read side."""

    def of(self, incident: int) -> Sequence[ActionTaken]:
        """Containments of an incident with their roll-backs, oldest first."""
        ...


class NothingContained:
    """For an installation that has no gateway it can tell to block."""

    def of(self, incident: int) -> Sequence[ActionTaken]:  # noqa: ARG002 - the answer is the same for all
        """None."""
        return ()
