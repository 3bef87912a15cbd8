"""What the control store remembers of tickets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from gatewatch.model.ticket import TicketLink

__all__ = ["TicketLinks"]


class TicketLinks(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def put(self, link: TicketLink) -> None:
        """Insert or replace; a ticket belongs to one incident."""
        ...

    def links(self, connection: str, *, after: str = "", limit: int = 200) -> list[TicketLink]:
        """The next links of a connection behind a ticket's id, in the order of ids."""
        ...

    def of_tickets(self, connection: str, tickets: Collection[str]) -> dict[str, TicketLink]:
        """Those that are known, by ticket."""
        ...

    def of_incident(self, incident: int) -> list[TicketLink]:
        """All tickets of an incident."""
        ...

    def remove(self, connection: str, ticket: str) -> None:
        """Let a ticket and its incident go their own ways. Raises NotFoundError."""
        ...

    def polled_at(self, connection: str) -> float:
        """When changes of tickets were last read whole, Unix seconds; 0 for never."""
        ...

    def set_polled(self, connection: str, at: float) -> None:
        """They were."""
        ...
