"""Leases in SQL, timed by the database's own clock."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, delete, literal_column, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from gatewatch.ports.leases import Lease
from gatewatch.store.engine import readers
from gatewatch.store.tables import leases

__all__ = ["LeaseTable"]

_NOW = {
    # Of the moment, not of the transaction's begin: it may have waited for another server's.
    "postgresql": "extract(epoch FROM clock_timestamp())",
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
}


class LeaseTable:
    """Implements `ports.leases.LeaseStore`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine, self._readers = engine, readers(engine)
        self._now: Any = literal_column(_NOW[engine.dialect.name])
        self._insert: Any = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    def take(self, name: str, holder: str, ttl_s: float) -> bool:
        """One statement: the row is locked while its holder is looked at."""
        new = self._insert(leases).values(name=name, holder=holder, until=self._now + ttl_s)
        taken = new.on_conflict_do_update(
            index_elements=["name"],
            set_={"holder": new.excluded.holder, "until": self._now + ttl_s},
            where=or_(leases.c.holder == holder, leases.c.until <= self._now),
        )
        with self._engine.begin() as connection:
            return connection.execute(taken.returning(leases.c.holder)).scalar() == holder

    def release(self, name: str, holder: str) -> None:
        """Removes the row."""
        with self._engine.begin() as connection:
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))

    def leases(self) -> list[Lease]:
        """Every row."""
        query = select(leases.c.name, leases.c.holder, (leases.c.until - self._now).label("left"))
        with self._readers.connect() as connection:
            rows = connection.execute(query.order_by(leases.c.name)).all()
        return [Lease(name=row.name, holder=row.holder, left_s=float(row.left)) for row in rows]
