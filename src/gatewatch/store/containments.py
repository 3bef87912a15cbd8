"""Containments in SQL."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Engine,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    insert,
    or_,
    select,
    update,
)

from gatewatch.errors import NotFoundError
from gatewatch.model.containment import Containment, ContainmentState
from gatewatch.ports.containments import ContainmentFilter
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.engine import readers
from gatewatch.store.order import take_turn
from gatewatch.store.tables import METADATA

__all__ = ["ContainmentTable", "containments"]

containments = Table(
    "containments",
    METADATA,
    Column("id", String(40), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("gateway", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("finished", Integer, nullable=False),
    Column("incident", Integer, nullable=False),
    Column("recovering", Integer, nullable=False, server_default="0"),
    Column("created_at", Float(53), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_containments_newest", "created_at", "id"),
    Index("ix_containments_unfinished", "finished", "gateway", "created_at"),
    Index("ix_containments_incident", "incident", "created_at"),
    Index("ix_containments_recovering", "recovering", "created_at"),
)
"""`finished`: nothing has to be done on the gateway any more. `recovering`: it is gone, and traffic is watched."""
_CONTAINMENT = msgspec.msgpack.Decoder(Containment)


class ContainmentTable:
    """Implements `ports.containments.ContainmentStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._readers = engine, readers(engine)

    def request(self, containment: Containment) -> Containment:
        """Once per key."""
        with self._engine.begin() as connection:
            take_turn(connection)
            known = connection.execute(
                select(containments.c.body).where(containments.c.key == containment.key)
            ).scalar()
            if known is not None:
                return _CONTAINMENT.decode(known)
            connection.execute(insert(containments).values(_row(containment)))
        return containment

    def containment(self, containment_id: str) -> Containment:
        """One of them."""
        found = self._one(containments.c.id == containment_id)
        if found is None:
            raise NotFoundError(f"no containment {containment_id}")
        return found

    def by_key(self, key: str) -> Containment | None:
        """By the key of its request."""
        return self._one(containments.c.key == key)

    def containments(
        self, where: ContainmentFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[Containment], str]:
        """Newest first."""
        query = select(containments.c.body)
        if where.gateway:
            query = query.where(containments.c.gateway == where.gateway)
        if where.state:
            query = query.where(containments.c.state.in_([state.value for state in where.state]))
        if where.incident:
            query = query.where(containments.c.incident == where.incident)
        if cursor:
            at, known = read_cursor(cursor, (float, str))
            before = and_(containments.c.created_at == at, containments.c.id < known)
            query = query.where(or_(containments.c.created_at < at, before))
        query = query.order_by(containments.c.created_at.desc(), containments.c.id.desc()).limit(limit + 1)
        with self._readers.connect() as connection:
            found = [_CONTAINMENT.decode(row.body) for row in connection.execute(query)]
        if len(found) <= limit:
            return found, ""
        last = found[limit - 1]
        return found[:limit], write_cursor(last.created_at, last.id)

    def unfinished(self, gateway: str = "") -> list[Containment]:
        """Oldest first."""
        query = select(containments.c.body).where(containments.c.finished == 0)
        if gateway:
            query = query.where(containments.c.gateway == gateway)
        with self._readers.connect() as connection:
            rows = connection.execute(query.order_by(containments.c.created_at, containments.c.id))
            return [_CONTAINMENT.decode(row.body) for row in rows]

    def recovering(self) -> list[Containment]:
        """Oldest first."""
        query = select(containments.c.body).where(containments.c.recovering == 1)
        with self._readers.connect() as connection:
            rows = connection.execute(query.order_by(containments.c.created_at, containments.c.id))
            return [_CONTAINMENT.decode(row.body) for row in rows]

    def save(self, containment: Containment, *, expected: ContainmentState) -> bool:
        """Compare and set."""
        own = (containments.c.id == containment.id) & (containments.c.state == expected.value)
        with self._engine.begin() as connection:
            take_turn(connection)
            return bool(connection.execute(update(containments).where(own).values(_row(containment))).rowcount)

    def _one(self, condition: Any) -> Containment | None:
        with self._readers.connect() as connection:
            body = connection.execute(select(containments.c.body).where(condition)).scalar()
        return None if body is None else _CONTAINMENT.decode(body)


def _row(one: Containment) -> dict[str, Any]:
    finished = one.state is ContainmentState.REFUSED or (not one.state.wanted and one.removed_at is not None)
    return {
        "id": one.id,
        "key": one.key,
        "gateway": one.plan.gateway,
        "state": one.state.value,
        "finished": int(finished),
        "incident": one.plan.incident,
        "recovering": int(one.recovering),
        "created_at": one.created_at,
        "body": msgspec.msgpack.encode(one),
    }
