"""Remediation activities, their targets and exceptions in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, Table, and_, func, or_, select, tuple_

from gatewatch.errors import NotFoundError
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.predicate import Predicate
from gatewatch.model.remediation import RemediationActivity, RemediationException, Target
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.ports.remediation import ExceptionFilter, RemediationFilter, Suspect
from gatewatch.store.engine import readers
from gatewatch.store.order import take_turn
from gatewatch.store.remediation_tables import exceptions, remediation_targets, remediations
from gatewatch.store.remediation_unit import SqlRemediationUnit
from gatewatch.store.selection import clause
from gatewatch.store.tables import findings

__all__ = ["RemediationTable"]

_ACTIVITY = msgspec.msgpack.Decoder(RemediationActivity)
_EXCEPTION = msgspec.msgpack.Decoder(RemediationException)
_FINDING = msgspec.msgpack.Decoder(Finding)
_TARGET = msgspec.msgpack.Decoder(Target)


class RemediationTable:
    """Implements `ports.remediation.RemediationStore`."""

    def __init__(self, engine: Engine) -> None:
        """Reads wait for nobody."""
        self._engine, self._readers = engine, readers(engine)

    @contextmanager
    def unit(self, at: float) -> Iterator[SqlRemediationUnit]:
        """A transaction that has taken its turn."""
        with self._engine.begin() as connection:
            take_turn(connection)
            yield SqlRemediationUnit(connection, at)

    def activity(self, activity_id: str) -> RemediationActivity:
        """One of them."""
        body = self._body(select(remediations.c.body).where(remediations.c.id == activity_id))
        if body is None:
            raise NotFoundError(f"no remediation {activity_id}")
        return _ACTIVITY.decode(body)

    def activities(
        self, where: RemediationFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[RemediationActivity], str]:
        """Newest first."""
        query = select(remediations.c.body).where(*_conditions(where))
        bodies = self._newest(query, remediations, cursor, limit)
        found = [_ACTIVITY.decode(body) for body in bodies]
        return found[:limit], _following(found, limit)

    def select(self, where: Predicate | None, *, skip: int, limit: int) -> list[RemediationActivity]:
        """Newest first."""
        side = remediations.c
        query = select(side.body).where(clause(remediations, where)).order_by(side.created_at.desc(), side.id.desc())
        with self._readers.connect() as connection:
            return [_ACTIVITY.decode(body) for body in connection.execute(query.offset(skip).limit(limit)).scalars()]

    def targets(
        self, activity_id: str, *, fixed: bool | None = None, cursor: str = "", limit: int = 50
    ) -> tuple[list[Target], str]:
        """By endpoint id."""
        side = remediation_targets.c
        query = select(side.body).where(side.activity == activity_id).order_by(side.endpoint_id).limit(limit + 1)
        if fixed is not None:
            query = query.where(side.fixed == int(fixed))
        if cursor:
            (after,) = read_cursor(cursor, (str,))
            query = query.where(side.endpoint_id > after)
        with self._readers.connect() as connection:
            found = [_TARGET.decode(body) for body in connection.execute(query).scalars()]
        return found[:limit], write_cursor(found[limit - 1].endpoint_id) if len(found) > limit else ""

    def suspects(self, limit: int, after: tuple[str, str]) -> list[Suspect]:
        """Those that their finding speaks against, or that have lost it."""
        side, place = remediation_targets.c, (remediation_targets.c.activity, remediation_targets.c.endpoint_id)
        better = and_(side.fixed == 0, or_(findings.c.id.is_(None), findings.c.status == FindingStatus.HEALTHY.value))
        worse = and_(side.fixed == 1, findings.c.status == FindingStatus.UNHEALTHY.value)
        query = (
            select(side.activity, side.body.label("target"), findings.c.body.label("finding"))
            .select_from(remediation_targets.outerjoin(findings, findings.c.id == side.finding))
            .where(side.finding != "", or_(better, worse), tuple_(*place) > tuple_(*after))
            .order_by(*place)
            .limit(limit)
        )
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        return [
            Suspect(
                activity=row.activity,
                target=_TARGET.decode(row.target),
                finding=None if row.finding is None else _FINDING.decode(row.finding),
            )
            for row in rows
        ]

    def exception(self, exception_id: str) -> RemediationException:
        """One of them."""
        body = self._body(select(exceptions.c.body).where(exceptions.c.id == exception_id))
        if body is None:
            raise NotFoundError(f"no exception {exception_id}")
        return _EXCEPTION.decode(body)

    def exceptions(
        self, where: ExceptionFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[RemediationException], str]:
        """Newest first."""
        query = select(exceptions.c.body)
        if where.recommendation:
            query = query.where(exceptions.c.recommendation == where.recommendation)
        if where.ended is not None:
            query = query.where(exceptions.c.ended == int(where.ended))
        found = [_EXCEPTION.decode(body) for body in self._newest(query, exceptions, cursor, limit)]
        return found[:limit], _following(found, limit)

    def unended(self) -> list[RemediationException]:
        """Oldest first."""
        side = exceptions.c
        query = select(side.body).where(side.ended == 0).order_by(side.created_at, side.id)
        with self._readers.connect() as connection:
            return [_EXCEPTION.decode(body) for body in connection.execute(query).scalars()]

    def finding_counts(self) -> list[tuple[str, FindingStatus, str, int]]:
        """By recommendation, status and exception."""
        side = findings.c
        kind = (side.recommendation, side.status, side.exception)
        with self._readers.connect() as connection:
            rows = connection.execute(select(*kind, func.count().label("number")).group_by(*kind)).all()
        return [(row.recommendation, FindingStatus(row.status), row.exception, row.number) for row in rows]

    def _newest(self, query: Select[Any], table: Table, cursor: str, limit: int) -> list[bytes]:
        at, known = table.c.created_at, table.c.id
        if cursor:
            moment, last = read_cursor(cursor, (float, str))
            query = query.where(or_(at < moment, and_(at == moment, known < last)))
        with self._readers.connect() as connection:
            rows = connection.execute(query.order_by(at.desc(), known.desc()).limit(limit + 1))
            return [bytes(body) for body in rows.scalars()]

    def _body(self, query: Select[Any]) -> bytes | None:
        with self._readers.connect() as connection:
            body: bytes | None = connection.execute(query).scalar()
        return body


def _following(found: list[Any], limit: int) -> str:
    return write_cursor(found[limit - 1].created_at, found[limit - 1].id) if len(found) > limit else ""


def _conditions(where: RemediationFilter) -> list[Any]:
    side = remediations.c
    found: list[Any] = []
    if where.status:
        found.append(side.status.in_([one.value for one in where.status]))
    if where.type:
        found.append(side.type.in_([one.value for one in where.type]))
    if where.recommendation:
        found.append(side.recommendation == where.recommendation)
    if where.incident:
        found.append(side.incident == where.incident)
    if where.assigned_to is not None:
        found.append(side.assigned_to == where.assigned_to)
    if where.due_before is not None:
        found.append(side.due_at < where.due_before)
    return found
