"""Playbooks and their runs in SQL."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, and_, func, insert, or_, select, update

from gatewatch.errors import NotFoundError
from gatewatch.model.run import PlaybookVersion, Run, RunState, StepRecord
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.ports.runs import RunFilter
from gatewatch.store.engine import readers
from gatewatch.store.order import take_turn
from gatewatch.store.questions import QuestionTable
from gatewatch.store.run_tables import playbooks, run_steps, runs, target_locks

__all__ = ["RunTable"]

_VERSION, _RUN = msgspec.msgpack.Decoder(PlaybookVersion), msgspec.msgpack.Decoder(Run)
_STEP = msgspec.msgpack.Decoder(StepRecord)
_ACTIVE = tuple(state.value for state in RunState if not state.over)


class RunTable(QuestionTable):
    """Implements `ports.runs.RunStore`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine, self._readers = engine, readers(engine)

    def put_version(self, version: PlaybookVersion) -> None:
        """Insert or replace."""
        row = {
            "name": version.name,
            "version": version.version,
            "enabled": int(version.enabled),
            "body": msgspec.msgpack.encode(version),
        }
        own = (playbooks.c.name == version.name) & (playbooks.c.version == version.version)
        with self._engine.begin() as connection:
            take_turn(connection)
            if not connection.execute(update(playbooks).where(own).values(row)).rowcount:
                connection.execute(insert(playbooks).values(row))

    def playbooks(self) -> list[PlaybookVersion]:
        """The enabled version, or the newest."""
        query = select(playbooks.c.body).order_by(playbooks.c.name, playbooks.c.enabled, playbooks.c.version)
        with self._readers.connect() as connection:
            found = [_VERSION.decode(row.body) for row in connection.execute(query)]
        return list({version.name: version for version in found}.values())

    def versions(self, name: str) -> list[PlaybookVersion]:
        """Newest first."""
        query = select(playbooks.c.body).where(playbooks.c.name == name).order_by(playbooks.c.version.desc())
        with self._readers.connect() as connection:
            return [_VERSION.decode(row.body) for row in connection.execute(query)]

    def version(self, name: str, version: int) -> PlaybookVersion:
        """One version."""
        own = (playbooks.c.name == name) & (playbooks.c.version == version)
        with self._readers.connect() as connection:
            body = connection.execute(select(playbooks.c.body).where(own)).scalar()
        if body is None:
            raise NotFoundError(f"no version {version} of a playbook {name}")
        return _VERSION.decode(body)

    def request(self, run: Run) -> Run:
        """Once per id; served by an active run with the same `coalesce`."""
        with self._engine.begin() as connection:
            take_turn(connection)
            body = connection.execute(select(runs.c.body).where(runs.c.id == run.id)).scalar()
            if body is not None:
                return _RUN.decode(body)
            serving = _serving(connection, run)
            if serving is not None:
                kept = msgspec.structs.replace(serving, coalesced=serving.coalesced + 1)
                connection.execute(update(runs).where(runs.c.id == kept.id).values(_row(kept)))
                return kept
            connection.execute(insert(runs).values(_row(run)))
        return run

    def run(self, run_id: str) -> Run:
        """One run."""
        with self._readers.connect() as connection:
            body = connection.execute(select(runs.c.body).where(runs.c.id == run_id)).scalar()
        if body is None:
            raise NotFoundError(f"no run {run_id}")
        return _RUN.decode(body)

    def runs(self, where: RunFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Run], str]:
        """Newest first."""
        query = _filtered(select(runs.c.body), where)
        if cursor:
            at, known = read_cursor(cursor, (float, str))
            query = query.where(or_(runs.c.created_at < at, and_(runs.c.created_at == at, runs.c.id < known)))
        query = query.order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit + 1)
        with self._readers.connect() as connection:
            found = [_RUN.decode(row.body) for row in connection.execute(query)]
        following = ""
        if len(found) > limit:
            found = found[:limit]
            following = write_cursor(found[-1].created_at, found[-1].id)
        return found, following

    def save_run(self, run: Run, *, expected: Collection[RunState]) -> bool:
        """Compare and set."""
        states = [state.value for state in expected]
        with self._engine.begin() as connection:
            take_turn(connection)
            own = (runs.c.id == run.id) & runs.c.state.in_(states)
            return bool(connection.execute(update(runs).where(own).values(_row(run))).rowcount)

    def queued(self, playbook: str, limit: int) -> list[Run]:
        """Of one playbook, oldest first."""
        query = select(runs.c.body).where(runs.c.state == RunState.QUEUED.value, runs.c.playbook == playbook)
        with self._readers.connect() as connection:
            rows = connection.execute(query.order_by(runs.c.created_at, runs.c.id).limit(limit))
            return [_RUN.decode(row.body) for row in rows]

    def counts(self) -> dict[tuple[str, RunState], int]:
        """Runs that are not over."""
        query = (
            select(runs.c.playbook, runs.c.state, func.count().label("count"))
            .where(runs.c.state.in_(_ACTIVE))
            .group_by(runs.c.playbook, runs.c.state)
        )
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        return {(row.playbook, RunState(row.state)): int(row[2]) for row in rows}

    def begin_step(self, record: StepRecord) -> tuple[StepRecord, bool]:
        """Insert unless known."""
        with self._engine.begin() as connection:
            take_turn(connection)
            body = connection.execute(select(run_steps.c.body).where(_own_step(record))).scalar()
            if body is not None:
                return _STEP.decode(body), False
            connection.execute(insert(run_steps).values(_step_row(record)))
        return record, True

    def put_step(self, record: StepRecord) -> None:
        """Insert or replace."""
        row = _step_row(record)
        with self._engine.begin() as connection:
            take_turn(connection)
            if not connection.execute(update(run_steps).where(_own_step(record)).values(row)).rowcount:
                connection.execute(insert(run_steps).values(row))

    def steps(self, run: str) -> list[StepRecord]:
        """In order of their begin."""
        query = select(run_steps.c.body).where(run_steps.c.run == run)
        query = query.order_by(run_steps.c.started_at, run_steps.c.path, run_steps.c.attempt)
        with self._readers.connect() as connection:
            return [_STEP.decode(row.body) for row in connection.execute(query)]

    def lock(self, target: str, holder: str, run: str, at: float) -> bool:
        """Take it; a lock of a run that is over is free."""
        row = {"target": target, "holder": holder, "run": run, "taken_at": at}
        with self._engine.begin() as connection:
            take_turn(connection)
            known = connection.execute(select(target_locks).where(target_locks.c.target == target)).one_or_none()
            if known is None:
                connection.execute(insert(target_locks).values(row))
                return True
            if known.holder == holder:
                return True
            state = connection.execute(select(runs.c.state).where(runs.c.id == known.run)).scalar()
            if state in _ACTIVE:
                return False
            connection.execute(update(target_locks).where(target_locks.c.target == target).values(row))
            return True

    def unlock(self, target: str, holder: str) -> None:
        """Give it back."""
        own = (target_locks.c.target == target) & (target_locks.c.holder == holder)
        with self._engine.begin() as connection:
            connection.execute(target_locks.delete().where(own))


def _serving(connection: Connection, run: Run) -> Run | None:
    if not run.coalesce:
        return None
    same = (runs.c.playbook == run.playbook) & (runs.c.coalesce == run.coalesce) & runs.c.state.in_(_ACTIVE)
    body = connection.execute(select(runs.c.body).where(same).order_by(runs.c.created_at).limit(1)).scalar()
    return None if body is None else _RUN.decode(body)


def _row(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "playbook": run.playbook,
        "state": run.state.value,
        "subject_kind": run.subject_kind,
        "subject_id": run.subject_id,
        "incident": run.incident,
        "created_at": run.created_at,
        "coalesce": run.coalesce,
        "body": msgspec.msgpack.encode(run),
    }


def _own_step(record: StepRecord) -> Any:
    return (run_steps.c.run == record.run) & (run_steps.c.path == record.path) & (run_steps.c.attempt == record.attempt)


def _step_row(record: StepRecord) -> dict[str, Any]:
    return {
        "run": record.run,
        "path": record.path,
        "attempt": record.attempt,
        "state": record.state.value,
        "started_at": record.started_at,
        "body": msgspec.msgpack.encode(record),
    }


def _filtered(query: Select[Any], where: RunFilter) -> Select[Any]:
    if where.playbook:
        query = query.where(runs.c.playbook == where.playbook)
    if where.state:
        query = query.where(runs.c.state.in_([state.value for state in where.state]))
    if where.incident:
        query = query.where(runs.c.incident == where.incident)
    if where.subject_kind:
        query = query.where(runs.c.subject_kind == where.subject_kind)
    if where.subject_id:
        query = query.where(runs.c.subject_id == where.subject_id)
    if where.since is not None:
        query = query.where(runs.c.created_at >= where.since)
    return query
