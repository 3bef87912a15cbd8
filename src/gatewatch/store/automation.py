"""Automation rules, their runs and the position in the change log, in SQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Select, delete, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from gatewatch.errors import NotFoundError
from gatewatch.model.automation import AutomationRule, RuleRun, RunOutcome
from gatewatch.model.finding import Finding
from gatewatch.ports.automation import KnownRule, RunFilter
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.batches import batches
from gatewatch.store.cases import SqlCaseUnit
from gatewatch.store.engine import readers
from gatewatch.store.order import take_turn
from gatewatch.store.tables import automation_progress, automation_rules, changes, findings, rule_runs

__all__ = ["AutomationTable"]

_RULE = msgspec.msgpack.Decoder(AutomationRule)
_RUN = msgspec.msgpack.Decoder(RuleRun)
_FINDING = msgspec.msgpack.Decoder(Finding)
_BATCH = 400
_SELF = "rules"


class SqlAutomationUnit:
    """Implements `ports.automation.AutomationUnit`."""

    def __init__(self, connection: Connection, at: float) -> None:
        """`connection` is in a transaction that has taken its turn."""
        self._connection, self._at = connection, at
        self.cases = SqlCaseUnit(connection, at)

    def position(self) -> int:
        """The last one."""
        wanted = select(automation_progress.c.position).where(automation_progress.c.name == _SELF)
        return int(self._connection.execute(wanted).scalar_one())

    def move(self, position: int) -> None:
        """With everything else in this transaction."""
        wanted = update(automation_progress).where(automation_progress.c.name == _SELF)
        self._connection.execute(wanted.values(position=position))

    def rules(self) -> list[KnownRule]:
        """All of them."""
        return _rules(self._connection)

    def put_rule(self, rule: AutomationRule, due: float) -> None:
        """Insert or replace."""
        row = {"position": rule.order, "due": due, "body": msgspec.msgpack.encode(rule)}
        known = update(automation_rules).where(automation_rules.c.name == rule.name)
        if not self._connection.execute(known.values(row)).rowcount:
            self._connection.execute(insert(automation_rules).values(row | {"name": rule.name}))

    def delete_rule(self, name: str) -> None:
        """One."""
        if not self._connection.execute(delete(automation_rules).where(automation_rules.c.name == name)).rowcount:
            raise NotFoundError(f"no automation rule {name}")

    def was_due(self, name: str, due: float) -> None:
        """Remembered."""
        self._connection.execute(update(automation_rules).where(automation_rules.c.name == name).values(due=due))

    def findings(self, ids: Collection[str]) -> dict[str, Finding]:
        """By id."""
        found: dict[str, Finding] = {}
        for batch in batches(sorted(set(ids)), _BATCH):
            query = select(findings.c.id, findings.c.body).where(findings.c.id.in_(batch))
            found |= {row.id: _FINDING.decode(row.body) for row in self._connection.execute(query)}
        return found

    def known_runs(self, ids: Collection[str]) -> set[str]:
        """Looked up by key."""
        found: set[str] = set()
        for batch in batches(sorted(set(ids)), _BATCH):
            found |= set(self._connection.execute(select(rule_runs.c.id).where(rule_runs.c.id.in_(batch))).scalars())
        return found

    def keep(self, runs: Sequence[RuleRun]) -> None:
        """Inserted together."""
        if not runs:
            return
        self._connection.execute(insert(rule_runs), [_row(run) for run in runs])
        matched: dict[str, list[float]] = {}
        for run in runs:
            if run.outcome is RunOutcome.MATCHED:
                matched.setdefault(run.rule, []).append(run.at)
        for name, moments in matched.items():
            counted = automation_rules.c.matched + len(moments)
            wanted = update(automation_rules).where(automation_rules.c.name == name)
            self._connection.execute(wanted.values(matched=counted, matched_at=max(moments)))

    def replace(self, run: RuleRun) -> None:
        """By id."""
        self._connection.execute(update(rule_runs).where(rule_runs.c.id == run.id).values(_row(run)))


class AutomationTable:
    """Implements `ports.automation.AutomationStore`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions; reads wait for nobody."""
        self._engine, self._readers = engine, readers(engine)

    @contextmanager
    def unit(self, at: float) -> Iterator[SqlAutomationUnit]:
        """In one order with all other writers of alerts and incidents."""
        with self._engine.begin() as connection:
            take_turn(connection)
            unit = SqlAutomationUnit(connection, at)
            yield unit
            unit.cases.finish()

    def begin(self, position: int) -> int:
        """The first one to begin decides."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(automation_progress).values(name=_SELF, position=position))
        except IntegrityError:
            with self._readers.connect() as connection:
                wanted = select(automation_progress.c.position).where(automation_progress.c.name == _SELF)
                return int(connection.execute(wanted).scalar_one())
        return position

    def lag(self) -> tuple[int, float]:
        """Numbers have no gaps, so the count is a difference."""
        with self._readers.connect() as connection:
            position = connection.execute(select(automation_progress.c.position)).scalar() or 0
            newest = connection.execute(select(func.max(changes.c.seq))).scalar() or 0
            following = select(changes.c.at).where(changes.c.seq > position).order_by(changes.c.seq).limit(1)
            first = connection.execute(following).scalar()
        return max(0, int(newest) - int(position)), float(first or 0.0)

    def rules(self) -> list[KnownRule]:
        """All of them."""
        with self._readers.connect() as connection:
            return _rules(connection)

    def rule(self, name: str) -> KnownRule:
        """One."""
        query = select(automation_rules).where(automation_rules.c.name == name)
        with self._readers.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError(f"no automation rule {name}")
        return _known(row)

    def run(self, run: str) -> RuleRun:
        """One."""
        with self._readers.connect() as connection:
            body = connection.execute(select(rule_runs.c.body).where(rule_runs.c.id == run)).scalar()
        if body is None:
            raise NotFoundError(f"no rule run {run}")
        return _RUN.decode(body)

    def runs(self, where: RunFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[RuleRun], str]:
        """Newest first."""
        side = rule_runs.c
        query = _filtered(select(side.at, side.id, side.body), where)
        if cursor:
            query = query.where(tuple_(side.at, side.id) < read_cursor(cursor, (float, str)))
        query = query.order_by(side.at.desc(), side.id.desc()).limit(limit + 1)
        with self._readers.connect() as connection:
            rows = connection.execute(query).all()
        following = write_cursor(float(rows[limit - 1].at), rows[limit - 1].id) if len(rows) > limit else ""
        return [_RUN.decode(row.body) for row in rows[:limit]], following

    def waiting(self, limit: int) -> list[RuleRun]:
        """Oldest first."""
        query = select(rule_runs.c.body).where(rule_runs.c.waiting == 1).order_by(rule_runs.c.at, rule_runs.c.id)
        with self._readers.connect() as connection:
            return [_RUN.decode(body) for body in connection.execute(query.limit(limit)).scalars()]

    def waiting_count(self) -> int:
        """From a small index."""
        with self._readers.connect() as connection:
            query = select(func.count()).select_from(rule_runs).where(rule_runs.c.waiting == 1)
            return int(connection.execute(query).scalar() or 0)

    def forget_runs(self, outcomes: Collection[RunOutcome], *, before: float, keep: int) -> int:
        """One that waits for its playbook stays."""
        side = rule_runs.c
        chosen = (side.outcome.in_([one.value for one in outcomes]), side.waiting == 0)
        newest = select(side.at).where(*chosen).order_by(side.at.desc()).offset(keep - 1).limit(1)
        with self._engine.begin() as connection:
            limit = max(before, float(connection.execute(newest).scalar() or 0.0))
            return int(connection.execute(delete(rule_runs).where(*chosen, side.at < limit)).rowcount)


def _rules(connection: Connection) -> list[KnownRule]:
    query = select(automation_rules).order_by(automation_rules.c.position, automation_rules.c.name)
    return [_known(row) for row in connection.execute(query)]


def _known(row: Any) -> KnownRule:
    return KnownRule(rule=_RULE.decode(row.body), due=row.due, matched=row.matched, matched_at=row.matched_at)


def _filtered(query: Select[Any], where: RunFilter) -> Select[Any]:
    side = rule_runs.c
    if where.rule:
        query = query.where(side.rule == where.rule)
    if where.about is not None:
        query = query.where(side.about == where.about.value)
    if where.subject:
        query = query.where(side.subject == where.subject)
    if where.outcome:
        query = query.where(side.outcome.in_([one.value for one in where.outcome]))
    return query


def _row(run: RuleRun) -> dict[str, object]:
    return {
        "id": run.id,
        "rule": run.rule,
        "about": run.about.value,
        "subject": run.subject[:64],
        "outcome": run.outcome.value,
        "waiting": int(run.waiting),
        "at": run.at,
        "body": msgspec.msgpack.encode(run),
    }
