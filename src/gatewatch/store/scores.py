"""Snapshots of the secure score in SQL."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Engine, delete, exists, insert, or_, select

from gatewatch.model.finding import FindingStatus
from gatewatch.model.score import Judgement, ScoreEntry, SecureScore, entries
from gatewatch.ports.changes import ChangeKind
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.store.engine import readers
from gatewatch.store.order import append_changes, take_numbers, take_turn
from gatewatch.store.tables import findings, scores

__all__ = ["ScoreTable", "score_entries"]

_SCORE = msgspec.msgpack.Decoder(SecureScore)
_DAY_S = 86_400
_WHOLE, _DAYS = 1000, 366
"""Snapshots that are all kept; days of which the last one is."""


class ScoreTable:
    """Implements `ports.scores.ScoreStore`."""

    def __init__(self, engine: Engine) -> None:
        """Uses the engine's transactions."""
        self._engine, self._readers = engine, readers(engine)

    def judgements(self) -> list[Judgement]:
        """From one index, in its order."""
        side = findings.c
        query = select(side.endpoint_id, side.recommendation, side.status).order_by(side.recommendation)
        with self._readers.connect() as connection:
            statuses = {status.value: status for status in FindingStatus}
            return [
                Judgement(endpoint, recommendation, statuses[status])
                for endpoint, recommendation, status in connection.execute(query)
            ]

    def newest(self) -> SecureScore | None:
        """By number."""
        with self._readers.connect() as connection:
            return _newest(connection)

    def put(self, score: SecureScore, told: Sequence[str]) -> SecureScore:
        """In one transaction."""
        with self._engine.begin() as connection:
            take_turn(connection)
            kept = msgspec.structs.replace(score, number=take_numbers(connection, "score", 1))
            connection.execute(insert(scores).values(_row(kept)))
            append_changes(connection, ChangeKind.SCORE, told, kept.at)
            _thin(connection, kept)
        return kept

    def history(
        self, *, since: float | None = None, until: float | None = None, cursor: str = "", limit: int = 50
    ) -> tuple[list[SecureScore], str]:
        """By number, which goes with time."""
        query = select(scores.c.body).order_by(scores.c.number.desc()).limit(limit + 1)
        if since is not None:
            query = query.where(scores.c.at >= since)
        if until is not None:
            query = query.where(scores.c.at < until)
        if cursor:
            (before,) = read_cursor(cursor, (int,))
            query = query.where(scores.c.number < before)
        with self._readers.connect() as connection:
            found = [_SCORE.decode(body) for body in connection.execute(query).scalars()]
        return found[:limit], write_cursor(found[limit - 1].number) if len(found) > limit else ""


def score_entries(connection: Connection) -> dict[str, ScoreEntry]:
    """What exporters follow: the newest snapshot's whole and controls."""
    newest = _newest(connection)
    return entries(newest) if newest is not None else {}


def _newest(connection: Connection) -> SecureScore | None:
    body = connection.execute(select(scores.c.body).order_by(scores.c.number.desc()).limit(1)).scalar()
    return _SCORE.decode(body) if body is not None else None


def _row(score: SecureScore) -> dict[str, object]:
    return {
        "number": score.number,
        "at": score.at,
        "day": int(score.at // _DAY_S),
        "body": msgspec.msgpack.encode(score),
    }


def _thin(connection: Connection, newest: SecureScore) -> None:
    later = scores.alias("later")
    superseded = exists().where(later.c.day == scores.c.day, later.c.number > scores.c.number)
    old = or_(scores.c.day < newest.at // _DAY_S - _DAYS, superseded)
    connection.execute(delete(scores).where(scores.c.number <= newest.number - _WHOLE, old))
