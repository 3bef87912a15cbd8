"""The control store on SQLAlchemy: SQLite for one process, PostgreSQL for many; one code."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Select, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError

from gatewatch.errors import ConflictError, NotFoundError
from gatewatch.model.alert import Alert, Severity
from gatewatch.model.difference import finding_difference
from gatewatch.model.finding import Finding
from gatewatch.ports.changes import ChangeKind
from gatewatch.ports.control import AlertFilter, FindingFilter, Role, Token
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.alerts import AlertTable
from gatewatch.store.automation import AutomationTable
from gatewatch.store.containments import ContainmentTable
from gatewatch.store.engine import current_revision, head_revision, open_engine, readers, upgrade
from gatewatch.store.exports import ExportTable
from gatewatch.store.incidents import IncidentTable
from gatewatch.store.leases import LeaseTable
from gatewatch.store.order import ChangeTable, append_changes, take_turn
from gatewatch.store.playbooks import RunTable
from gatewatch.store.remediation import RemediationTable
from gatewatch.store.scores import ScoreTable
from gatewatch.store.subscriptions import SubscriptionTable
from gatewatch.store.tables import detector_settings, findings, states, tokens
from gatewatch.store.tickets import TicketTable

__all__ = ["SqlControlStore"]

_FINDING = msgspec.msgpack.Decoder(Finding)
_BATCH = 500
SettingValue = float | int | bool | str


class SqlControlStore:
    """Implements `ports.control.ControlStore`."""

    def __init__(self, url: str) -> None:
        """`url` as for SQLAlchemy; `postgresql://` means psycopg 3."""
        self._engine = open_engine(url)
        self._readers = readers(self._engine)
        self._alerts = AlertTable(self._engine)
        self.cases = IncidentTable(self._engine)
        """Incidents and what people do with alerts."""
        self.changes = ChangeTable(self._engine)
        """What changed, for exporters."""
        self.exports = ExportTable(self._engine)
        """How far exporters are."""
        self.containments = ContainmentTable(self._engine)
        """What gateways were told."""
        self.runs = RunTable(self._engine)
        """Playbooks and their runs."""
        self.automation = AutomationTable(self._engine)
        """Automation rules and their runs."""
        self.remediations = RemediationTable(self._engine)
        """What owners are asked to fix, and exceptions."""
        self.tickets = TicketTable(self._engine)
        """Which tickets stand for which incidents."""
        self.subscriptions = SubscriptionTable(self._engine)
        """Flows that are called back."""
        self.scores = ScoreTable(self._engine)
        """Snapshots of the secure score."""
        self.leases = LeaseTable(self._engine)
        """Who does what only one server may do."""

    @property
    def embedded(self) -> bool:
        """Whether the database belongs to one process."""
        return self._engine.dialect.name == "sqlite"

    def migrate(self) -> list[str]:
        """Revisions applied."""
        return upgrade(self._engine)

    def schema_current(self) -> bool:
        """Whether nothing is left to apply."""
        return current_revision(self._engine) == head_revision()

    def upsert_alerts(self, alerts: Sequence[Alert], *, at: float | None = None) -> int:
        """See AlertTable.upsert."""
        return self._alerts.upsert(alerts, at)

    def open_alerts(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Alert]:
        """Latest alert per (detector, key)."""
        return self._alerts.latest(keys)

    def alert(self, alert_id: str) -> Alert:
        """One alert."""
        return self._alerts.get(alert_id)

    def alerts(self, where: AlertFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Alert], str]:
        """One page."""
        return self._alerts.page(where, cursor, limit)

    def put_findings(self, new: Sequence[Finding]) -> int:
        """Upsert; a finding that says the same as before, but later, is not a change."""
        changed = 0
        for start in range(0, len(new), _BATCH):
            batch = {finding.id: finding for finding in new[start : start + _BATCH]}
            # A transaction per batch: 200,000 findings in one would keep every other writer waiting for seconds.
            with self._engine.begin() as connection:
                take_turn(connection)
                rows = connection.execute(select(findings.c.id, findings.c.body).where(findings.c.id.in_(batch)))
                known = {row.id: _FINDING.decode(row.body) for row in rows}
                moved = [f for f in batch.values() if f.id not in known or not _same(known[f.id], f)]
                if moved:
                    connection.execute(delete(findings).where(findings.c.id.in_([f.id for f in moved])))
                    connection.execute(insert(findings), [_finding_row(finding) for finding in moved])
                    told = [finding_difference(known.get(f.id), f) for f in moved]
                    append_changes(connection, ChangeKind.FINDING, [f.id for f in moved], moved[0].evaluated_at, told)
            changed += len(moved)
        return changed

    def forget_findings(self, living: Collection[str]) -> int:
        """Remove what was found at endpoints that are no more."""
        with self._engine.begin() as connection:
            known = connection.execute(select(findings.c.endpoint_id).distinct()).scalars()
            gone = sorted(set(known) - set(living))
            count = 0
            for start in range(0, len(gone), _BATCH):
                chosen = findings.c.endpoint_id.in_(gone[start : start + _BATCH])
                count += connection.execute(delete(findings).where(chosen)).rowcount
        return count

    def findings(self, where: FindingFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Finding], str]:
        """High severity first, then by endpoint."""
        after = read_cursor(cursor, (int, str, str)) if cursor else None
        rows: list[Any] = []
        with self._readers.connect() as connection:
            # A query per level reads one index in the list's order; one for all would sort every match.
            for rank in sorted((s.rank for s in where.severity or Severity), reverse=True):
                if len(rows) <= limit and (after is None or rank <= int(after[0])):
                    query = _level(where, rank, after)
                    rows += connection.execute(query.limit(limit + 1 - len(rows)))
        shown = rows[:limit]
        following = write_cursor(shown[-1].severity, shown[-1].endpoint, shown[-1].id) if len(rows) > limit else ""
        return [_FINDING.decode(row.body) for row in shown], following

    def finding(self, finding_id: str) -> Finding:
        """One finding."""
        with self._readers.connect() as connection:
            body = connection.execute(select(findings.c.body).where(findings.c.id == finding_id)).scalar()
        if body is None:
            raise NotFoundError(f"no finding {finding_id}")
        return _FINDING.decode(body)

    def add_token(self, token: Token) -> None:
        """Keep a token."""
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(tokens).values(msgspec.structs.asdict(token) | {"role": token.role.value}))
        except IntegrityError as error:
            raise ConflictError(f"there is a token {token.id} already") from error

    def token(self, token_id: str) -> Token | None:
        """One token."""
        with self._readers.connect() as connection:
            row = connection.execute(select(tokens).where(tokens.c.id == token_id)).mappings().first()
        return Token(**{**row, "role": Role(row["role"])}) if row else None

    def tokens(self) -> list[Token]:
        """Oldest first."""
        with self._readers.connect() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id)).mappings().all()
        return [Token(**{**row, "role": Role(row["role"])}) for row in rows]

    def touch_token(self, token_id: str, at: float) -> None:
        """Remember the last use."""
        with self._engine.begin() as connection:
            connection.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=at))

    def revoke_token(self, token_id: str, at: float) -> None:
        """End a token."""
        with self._engine.begin() as connection:
            result = connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))
        if not result.rowcount:
            raise NotFoundError(f"no token {token_id}")

    def detector_settings(self) -> dict[str, dict[str, SettingValue]]:
        """Changed settings per detector."""
        with self._readers.connect() as connection:
            rows = connection.execute(select(detector_settings)).all()
        return {row.detector: msgspec.json.decode(row.settings, type=dict[str, SettingValue]) for row in rows}

    def put_detector_settings(self, detector: str, values: Mapping[str, SettingValue], *, at: float) -> None:
        """Replace a detector's changed settings."""
        text = msgspec.json.encode(dict(values)).decode()
        with self._engine.begin() as connection:
            connection.execute(delete(detector_settings).where(detector_settings.c.detector == detector))
            connection.execute(insert(detector_settings).values(detector=detector, settings=text, changed_at=at))

    def state(self, name: str) -> bytes | None:
        """A named value."""
        with self._readers.connect() as connection:
            value = connection.execute(select(states.c.value).where(states.c.name == name)).scalar()
        return bytes(value) if value is not None else None

    def put_state(self, name: str, value: bytes) -> None:
        """Replace a named value."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(states).where(states.c.name == name).values(value=value, version=states.c.version + 1)
            )
            if not changed.rowcount:
                connection.execute(insert(states).values(name=name, value=value, version=1))

    def close(self) -> None:
        """Release connections."""
        self._engine.dispose()


def _level(where: FindingFilter, rank: int, after: tuple[object, ...] | None) -> Select[Any]:
    query = select(findings).where(findings.c.severity == rank)
    if where.status:
        query = query.where(findings.c.status.in_([status.value for status in where.status]))
    if where.recommendation:
        query = query.where(findings.c.recommendation.in_(where.recommendation))
    if where.endpoint_id:
        query = query.where(findings.c.endpoint_id == where.endpoint_id)
    if after is not None and rank == after[0]:
        query = query.where(tuple_(findings.c.endpoint, findings.c.id) > after[1:])
    return query.order_by(findings.c.endpoint, findings.c.id)


def _same(old: Finding, new: Finding) -> bool:
    return msgspec.structs.replace(new, evaluated_at=old.evaluated_at) == old


def _finding_row(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "recommendation": finding.recommendation,
        "endpoint_id": finding.endpoint_id,
        "exception": finding.exception,
        "severity": finding.severity.rank,
        "status": finding.status.value,
        "endpoint": finding.endpoint,
        "body": msgspec.msgpack.encode(finding),
    }
