"""Automation rules, their runs and how far the change log was worked off, as the services see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from gatewatch.model.automation import About, AutomationRule, RuleRun, RunOutcome
from gatewatch.model.finding import Finding
from gatewatch.ports.cases import CaseUnit

__all__ = ["AutomationStore", "AutomationUnit", "KnownRule", "RunFilter"]


class KnownRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule with what became of it."""

    rule: AutomationRule
    due: float = 0.0
    """Unix seconds up to which its schedule was carried out."""
    matched: int = 0
    """How often."""
    matched_at: float = 0.0
    """When last; 0 for never."""


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    rule: str = ""
    about: About | None = None
    subject: str = ""
    outcome: tuple[RunOutcome, ...] = ()


class AutomationUnit(Protocol):
    """One transaction over rules, runs, alerts and incidents."""

    @property
    def cases(self) -> CaseUnit:
        """Alerts and incidents in the same transaction."""
        ...

    def position(self) -> int:
        """Number of the last change that was worked off."""
        ...

    def move(self, position: int) -> None:
        """Changes up to this one are worked off."""
        ...

    def rules(self) -> list[KnownRule]:
        """By order, then name."""
        ...

    def put_rule(self, rule: AutomationRule, due: float) -> None:
        """Insert or replace; what became of it stays."""
        ...

    def delete_rule(self, name: str) -> None:
        """Its runs stay. Raises NotFoundError."""
        ...

    def was_due(self, name: str, due: float) -> None:
        """A schedule was carried out up to a moment."""
        ...

    def findings(self, ids: Collection[str]) -> dict[str, Finding]:
        """Those that exist."""
        ...

    def known_runs(self, ids: Collection[str]) -> set[str]:
        """Those of these runs that were kept before."""
        ...

    def keep(self, runs: Sequence[RuleRun]) -> None:
        """New runs; counts matches."""
        ...

    def replace(self, run: RuleRun) -> None:
        """A known run that went on."""
        ...


class AutomationStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def unit(self, at: float) -> AbstractContextManager[AutomationUnit]:
        """A transaction whose changes are stamped with `at`; nothing of it is kept when the block raises."""
        ...

    def begin(self, position: int) -> int:
        """Where the change log is to be followed from: here, unless that was decided before."""
        ...

    def lag(self) -> tuple[int, float]:
        """(changes not worked off, Unix seconds of the first of them; 0 for none)."""
        ...

    def rules(self) -> list[KnownRule]:
        """By order, then name."""
        ...

    def rule(self, name: str) -> KnownRule:
        """One rule. Raises NotFoundError."""
        ...

    def run(self, run: str) -> RuleRun:
        """One run. Raises NotFoundError."""
        ...

    def runs(self, where: RunFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[RuleRun], str]:
        """(newest first, next cursor)."""
        ...

    def waiting(self, limit: int) -> list[RuleRun]:
        """Runs with a playbook that is still to be started, oldest first."""
        ...

    def waiting_count(self) -> int:
        """How many there are."""
        ...

    def forget_runs(self, outcomes: Collection[RunOutcome], *, before: float, keep: int) -> int:
        """Remove runs with these outcomes older than a moment, and all but the newest `keep`; how many."""
        ...
