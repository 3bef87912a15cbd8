"""Secure scores as the services see them kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gatewatch.model.score import Judgement, SecureScore

__all__ = ["ScoreStore"]


class ScoreStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def judgements(self) -> list[Judgement]:
        """Every stored finding, for its score."""
        ...

    def newest(self) -> SecureScore | None:
        """The newest snapshot."""
        ...

    def put(self, score: SecureScore, told: Sequence[str]) -> SecureScore:
        """Keep a snapshot under the next number and tell followers what of it changed (OVERALL, names of controls).

        The newest 1000 snapshots are kept, of those before them the last of each day (UTC) for a year.
        """
        ...

    def history(
        self, *, since: float | None = None, until: float | None = None, cursor: str = "", limit: int = 50
    ) -> tuple[list[SecureScore], str]:
        """Snapshots at or after `since` and before `until` (Unix seconds), newest first; (items, next cursor)."""
        ...
