"""Containments in the control store."""

from __future__ import annotations

from typing import Protocol

import msgspec

from gatewatch.model.containment import Containment, ContainmentState

__all__ = ["ContainmentFilter", "ContainmentStore"]


class ContainmentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    gateway: str = ""
    state: tuple[ContainmentState, ...] = ()
    incident: int = 0


class ContainmentStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def request(self, containment: Containment) -> Containment:
        """Insert unless its key is known; what is stored."""
        ...

    def containment(self, containment_id: str) -> Containment:
        """Raises NotFoundError."""
        ...

    def by_key(self, key: str) -> Containment | None:
        """What this request made."""
        ...

    def containments(
        self, where: ContainmentFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[Containment], str]:
        """Newest first; (a page, next cursor)."""
        ...

    def unfinished(self, gateway: str = "") -> list[Containment]:
        """Wanted ones, and ended ones whose removal no gateway has confirmed; oldest first."""
        ...

    def recovering(self) -> list[Containment]:
        """Ended ones after which traffic is still watched; oldest first."""
        ...

    def save(self, containment: Containment, *, expected: ContainmentState) -> bool:
        """Replace if it is in this state; whether it was."""
        ...
