"""Tickets of incidents in SQL."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection, Engine, delete, insert, select, update

from gatewatch.errors import NotFoundError
from gatewatch.model.ticket import TicketLink
from gatewatch.store.batches import batches
from gatewatch.store.engine import readers
from gatewatch.store.tables import ticket_links, ticket_polls

__all__ = ["TicketTable"]

_LINK = msgspec.msgpack.Decoder(TicketLink)
_BATCH = 200


class TicketTable:
    """Implements `ports.ticketing.TicketLinks`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine, self._readers = engine, readers(engine)

    def put(self, link: TicketLink) -> None:
        """By connection and ticket."""
        row = {"incident": link.incident, "synced_at": link.synced_at, "body": msgspec.msgpack.encode(link)}
        key = {"connection": link.connection, "ticket": link.ticket}
        with self._engine.begin() as connection:
            known = (ticket_links.c.connection == link.connection) & (ticket_links.c.ticket == link.ticket)
            if not connection.execute(update(ticket_links).where(known).values(row)).rowcount:
                connection.execute(insert(ticket_links).values(**key, **row))

    def links(self, connection: str, *, after: str = "", limit: int = 200) -> list[TicketLink]:
        """By the primary key."""
        side = ticket_links.c
        query = select(side.body).where(side.connection == connection, side.ticket > after).order_by(side.ticket)
        with self._readers.connect() as reader:
            return [_LINK.decode(body) for body in reader.execute(query.limit(limit)).scalars()]

    def of_tickets(self, connection: str, tickets: Collection[str]) -> dict[str, TicketLink]:
        """In batches."""
        side = ticket_links.c
        found: dict[str, TicketLink] = {}
        with self._readers.connect() as reader:
            for batch in batches(sorted(tickets), _BATCH):
                query = select(side.body).where(side.connection == connection, side.ticket.in_(batch))
                for body in reader.execute(query).scalars():
                    link = _LINK.decode(body)
                    found[link.ticket] = link
        return found

    def of_incident(self, incident: int) -> list[TicketLink]:
        """By connection and ticket."""
        side = ticket_links.c
        query = select(side.body).where(side.incident == incident).order_by(side.connection, side.ticket)
        with self._readers.connect() as reader:
            return [_LINK.decode(body) for body in reader.execute(query).scalars()]

    def remove(self, connection: str, ticket: str) -> None:
        """One row."""
        chosen = (ticket_links.c.connection == connection) & (ticket_links.c.ticket == ticket)
        with self._engine.begin() as writer:
            if not writer.execute(delete(ticket_links).where(chosen)).rowcount:
                raise NotFoundError(f"no ticket {ticket} of {connection} is linked")

    def polled_at(self, connection: str) -> float:
        """One row for each connection."""
        query = select(ticket_polls.c.polled_at).where(ticket_polls.c.connection == connection)
        with self._readers.connect() as reader:
            return float(reader.execute(query).scalar() or 0.0)

    def set_polled(self, connection: str, at: float) -> None:
        """Insert or replace."""
        with self._engine.begin() as writer:
            _set_polled(writer, connection, at)


def _set_polled(writer: Connection, connection: str, at: float) -> None:
    known = ticket_polls.c.connection == connection
    if not writer.execute(update(ticket_polls).where(known).values(polled_at=at)).rowcount:
        writer.execute(insert(ticket_polls).values(connection=connection, polled_at=at))
