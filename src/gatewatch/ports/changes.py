"""What changed in the control store, in the order in which it was committed."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from gatewatch.model.difference import Difference

__all__ = ["Change", "ChangeKind", "ChangeLog"]


class ChangeKind(StrEnum):
    """What a change points to."""

    ALERT = "alert"
    INCIDENT = "incident"
    FINDING = "finding"
    AUDIT = "audit"
    SCORE = "score"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Something is new or different; what it is now has to be read."""

    seq: int
    """A reader that saw it has seen everything before it."""
    kind: ChangeKind
    subject: str
    """Id of the alert, incident or finding; number of the activity; `overall` or a control of the score."""
    at: float
    difference: Difference | None = None
    """What it made different; None when nobody asks for it."""


class ChangeLog(Protocol):
    """Read side of the log."""

    def changes(self, after: int, limit: int) -> list[Change]:
        """The next changes after a sequence number, oldest first."""
        ...

    def head(self) -> int:
        """Sequence number of the newest change; 0 when there is none."""
        ...

    def forget_changes(self, before: float) -> int:
        """Remove changes older than a moment (Unix seconds); returns how many."""
        ...
