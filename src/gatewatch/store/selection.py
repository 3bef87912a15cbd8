"""Lists of alerts and incidents by a condition on their columns."""

from __future__ import annotations

from operator import eq, ge, gt, le, lt, ne
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Engine, Table, and_, false, func, not_, or_, select, true, tuple_

from gatewatch.errors import InputError
from gatewatch.model.alert import Alert
from gatewatch.model.incident import Incident
from gatewatch.model.predicate import (
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operator,
    Predicate,
)
from gatewatch.ports.cases import MOST_COUNTED, Selection
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.engine import readers
from gatewatch.store.remediation_tables import remediations
from gatewatch.store.tables import alerts, incidents

__all__ = ["SelectionReader", "clause"]

_ALERT = msgspec.msgpack.Decoder(Alert)
_INCIDENT = msgspec.msgpack.Decoder(Incident)
_JUDGED = ("id", "created_at", "status", "severity", "classification", "determination", "assigned_to")
_FILTERED = {
    alerts.name: frozenset({*_JUDGED, "changed_at", "incident", "detector"}),
    incidents.name: frozenset({*_JUDGED, "updated_at", "priority"}),
    remediations.name: frozenset({"created_at", "status"}),
}
_ORDERED = {
    alerts.name: frozenset({"id", "created_at", "changed_at", "first_seen", "last_seen"}),
    incidents.name: frozenset({"id", "created_at", "updated_at", "priority"}),
}
_COMMON = frozenset({"status", "severity"})
"""Few values that many rows share."""
_OPERATORS: dict[Operator, Any] = {
    Operator.EQ: eq,
    Operator.NE: ne,
    Operator.GT: gt,
    Operator.GE: ge,
    Operator.LT: lt,
    Operator.LE: le,
}


class SelectionReader:
    """The columns that may be named are listed here, whatever a caller lets through."""

    def __init__(self, engine: Engine) -> None:
        """Reads wait for nobody."""
        self._readers = readers(engine)

    def incidents(self, wanted: Selection) -> tuple[list[Incident], str]:
        """(a page, next cursor)."""
        bodies, following = self._page(incidents, wanted)
        return [_INCIDENT.decode(body) for body in bodies], following

    def alerts(self, wanted: Selection) -> tuple[list[Alert], str]:
        """(a page, next cursor)."""
        bodies, following = self._page(alerts, wanted)
        return [_ALERT.decode(body) for body in bodies], following

    def count(self, table: Table, where: Predicate | None) -> int:
        """At most MOST_COUNTED."""
        matching = select(table.c.id).where(clause(table, where)).limit(MOST_COUNTED).subquery()
        with self._readers.connect() as connection:
            return int(connection.execute(select(func.count()).select_from(matching)).scalar_one())

    def _page(self, table: Table, wanted: Selection) -> tuple[list[bytes], str]:
        if wanted.order not in _ORDERED[table.name]:
            raise InputError(f"{table.name} can't be sorted by {wanted.order}")
        place, number = table.c[wanted.order], table.c.id
        query = select(place.label("place"), number.label("number")).where(clause(table, wanted.where))
        if wanted.cursor:
            kinds = (place.type.python_type, number.type.python_type)
            last = tuple_(place, number), read_cursor(wanted.cursor, kinds)
            query = query.where(last[0] < last[1] if wanted.descending else last[0] > last[1])
        elif wanted.skip:
            query = query.offset(wanted.skip)
        keys = (place.desc(), number.desc()) if wanted.descending else (place, number)
        # The page is found in an index first; only then are whole rows read.
        found = query.order_by(*keys).limit(wanted.limit + 1).subquery()
        whole = select(found.c.place, found.c.number, table.c.body).join(table, number == found.c.number)
        with self._readers.connect() as connection:
            rows = connection.execute(whole.order_by(*keys)).all()
        shown = rows[: wanted.limit]
        following = write_cursor(shown[-1].place, shown[-1].number) if len(rows) > len(shown) and shown else ""
        return [row.body for row in shown], following


def clause(table: Table, where: Predicate | None) -> ColumnElement[bool]:
    """A condition on the columns of a table. Raises InputError for one that may not be named."""
    match where:
        case None:
            return true()
        case Comparison():
            found: ColumnElement[bool] = _OPERATORS[where.operator](_column(table, where.field), where.value)
            return found
        case Membership():
            return _column(table, where.field).in_(where.values) if where.values else false()
        case Negation():
            return not_(clause(table, where.part))
        case Conjunction():
            return and_(true(), *(clause(table, part) for part in where.parts))
        case Disjunction():
            return or_(false(), *(clause(table, part) for part in where.parts))


def _column(table: Table, name: str) -> ColumnElement[Any]:
    if name not in _FILTERED[table.name]:
        raise InputError(f"{table.name} can't be filtered by {name}")
    column = table.c[name]
    # An index that begins with one of these would be read whole and sorted: 75 ms when 15,000 of 300,000 alerts match.
    # Walking the index of the list's order ends as soon as the page is full: 1 ms.
    return func.coalesce(column, column) if name in _COMMON else column
