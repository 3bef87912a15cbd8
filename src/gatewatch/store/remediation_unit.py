"""Remediation activities, targets and exceptions changed together with the audit log."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from gatewatch.errors import NotFoundError
from gatewatch.model.activity import Activity
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.remediation import ExceptionScope, RemediationActivity, RemediationException, Target
from gatewatch.store.activities import append_activities
from gatewatch.store.batches import batches
from gatewatch.store.remediation_tables import exceptions, remediation_targets, remediations
from gatewatch.store.tables import findings

__all__ = ["SqlRemediationUnit"]

_ACTIVITY = msgspec.msgpack.Decoder(RemediationActivity)
_EXCEPTION = msgspec.msgpack.Decoder(RemediationException)
_TARGET = msgspec.msgpack.Decoder(Target)
_FINDING = msgspec.msgpack.Decoder(Finding)
_BATCH = 400


class SqlRemediationUnit:
    """Implements `ports.remediation.RemediationUnit`."""

    def __init__(self, connection: Connection, at: float) -> None:
        """`connection` is in a transaction that has taken its turn."""
        self._connection, self._at = connection, at

    def activity(self, activity_id: str) -> RemediationActivity:
        """One of them."""
        query = select(remediations.c.body).where(remediations.c.id == activity_id)
        body = self._connection.execute(query).scalar()
        if body is None:
            raise NotFoundError(f"no remediation {activity_id}")
        return _ACTIVITY.decode(body)

    def put(self, activity: RemediationActivity) -> None:
        """Insert or replace."""
        row = _activity_row(activity)
        known = update(remediations).where(remediations.c.id == activity.id)
        if not self._connection.execute(known.values(row)).rowcount:
            self._connection.execute(insert(remediations).values(row))

    def put_targets(self, activity_id: str, targets: Sequence[Target]) -> None:
        """Insert or replace by endpoint."""
        side = remediation_targets.c
        for batch in batches(list(targets), _BATCH):
            own = and_(side.activity == activity_id, side.endpoint_id.in_([one.endpoint_id for one in batch]))
            self._connection.execute(delete(remediation_targets).where(own))
            self._connection.execute(insert(remediation_targets), [_target_row(activity_id, one) for one in batch])

    def move_target(self, activity_id: str, old: str, target: Target) -> None:
        """Two that became one are one target."""
        side = remediation_targets.c
        self._connection.execute(
            delete(remediation_targets).where(side.activity == activity_id, side.endpoint_id == old)
        )
        there = select(side.endpoint_id).where(side.activity == activity_id, side.endpoint_id == target.endpoint_id)
        if self._connection.execute(there).first() is None:
            self._connection.execute(insert(remediation_targets).values(_target_row(activity_id, target)))

    def count_targets(self, activity_id: str) -> tuple[int, int]:
        """(targets, of these fixed)."""
        side = remediation_targets.c
        query = select(func.count(), func.coalesce(func.sum(side.fixed), 0)).where(side.activity == activity_id)
        total, fixed = self._connection.execute(query).one()
        return int(total), int(fixed)

    def findings(self, recommendation: str, endpoint_ids: Collection[str] | None) -> list[Finding]:
        """By endpoint."""
        side = findings.c
        query = select(side.body).where(side.recommendation == recommendation)
        if endpoint_ids is None:
            bodies = list(self._connection.execute(query.where(side.status == FindingStatus.UNHEALTHY.value)).scalars())
        else:
            bodies = []
            for batch in batches(sorted(set(endpoint_ids)), _BATCH):
                bodies += self._connection.execute(query.where(side.endpoint_id.in_(batch))).scalars()
        return sorted((_FINDING.decode(body) for body in bodies), key=lambda one: (one.endpoint, one.id))

    def forget_completed(self, before: float) -> list[RemediationActivity]:
        """Oldest first."""
        side = remediations.c
        old = select(side.body).where(side.completed_at < before).order_by(side.completed_at).limit(_BATCH)
        gone = [_ACTIVITY.decode(body) for body in self._connection.execute(old).scalars()]
        ids = [one.id for one in gone]
        self._connection.execute(delete(remediation_targets).where(remediation_targets.c.activity.in_(ids)))
        self._connection.execute(delete(remediations).where(side.id.in_(ids)))
        return gone

    def exception(self, exception_id: str) -> RemediationException:
        """One of them."""
        query = select(exceptions.c.body).where(exceptions.c.id == exception_id)
        body = self._connection.execute(query).scalar()
        if body is None:
            raise NotFoundError(f"no exception {exception_id}")
        return _EXCEPTION.decode(body)

    def standing(self, recommendation: str, scope: ExceptionScope) -> RemediationException | None:
        """There is one at most."""
        side = exceptions.c
        query = select(side.body).where(
            side.recommendation == recommendation,
            side.collection_id == scope.collection_id,
            side.endpoint_id == scope.endpoint_id,
            side.ended == 0,
        )
        body = self._connection.execute(query).scalar()
        return None if body is None else _EXCEPTION.decode(body)

    def put_exception(self, exception: RemediationException) -> None:
        """Insert or replace."""
        row = _exception_row(exception)
        known = update(exceptions).where(exceptions.c.id == exception.id)
        if not self._connection.execute(known.values(row)).rowcount:
            self._connection.execute(insert(exceptions).values(row))

    def record(self, entries: Sequence[Activity]) -> None:
        """Append to the audit log."""
        append_activities(self._connection, entries, self._at)


def _activity_row(one: RemediationActivity) -> dict[str, Any]:
    return {
        "id": one.id,
        "status": one.status.value,
        "type": one.type.value,
        "recommendation": one.recommendation,
        "incident": one.incident,
        "assigned_to": one.assigned_to,
        "created_at": one.created_at,
        "due_at": one.due_at,
        "completed_at": one.completed_at,
        "body": msgspec.msgpack.encode(one),
    }


def _target_row(activity_id: str, one: Target) -> dict[str, Any]:
    return {
        "activity": activity_id,
        "endpoint_id": one.endpoint_id,
        "finding": one.finding,
        "fixed": int(one.fixed),
        "body": msgspec.msgpack.encode(one),
    }


def _exception_row(one: RemediationException) -> dict[str, Any]:
    return {
        "id": one.id,
        "recommendation": one.recommendation,
        "collection_id": one.scope.collection_id,
        "endpoint_id": one.scope.endpoint_id,
        "ended": int(one.ended_at is not None),
        "created_at": one.created_at,
        "body": msgspec.msgpack.encode(one),
    }
