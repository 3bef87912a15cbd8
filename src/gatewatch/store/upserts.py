"""Insert-or-change statements, which the two engines write differently."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Table, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from gatewatch.store.tables import incident_entities, incidents

__all__ = ["Upserts", "upserts_for"]


@dataclass(frozen=True, slots=True)
class Upserts:
    """For one engine."""

    incidents: Insert
    """Replaces everything but the id."""
    entities: Insert
    """Widens the times of what is known."""


@cache
def upserts_for(dialect: str) -> Upserts:
    """`dialect`: `sqlite` or `postgresql`."""
    embedded = dialect == "sqlite"
    into: Any = sqlite.insert if embedded else postgresql.insert
    earlier: Any = func.min if embedded else func.least
    later: Any = func.max if embedded else func.greatest
    whole, seen = into(incidents), into(incident_entities)
    times = incident_entities.c
    wider = {
        "first_seen": earlier(times.first_seen, seen.excluded.first_seen),
        "last_seen": later(times.last_seen, seen.excluded.last_seen),
    }
    return Upserts(
        incidents=whole.on_conflict_do_update(index_elements=_key(incidents), set_=_others(incidents, whole)),
        entities=seen.on_conflict_do_update(index_elements=_key(incident_entities), set_=wider),
    )


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _others(table: Table, statement: Any) -> dict[str, Any]:
    return {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
