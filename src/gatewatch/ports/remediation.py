"""Remediation activities and exceptions in the control store."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from gatewatch.model.activity import Activity
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.predicate import Predicate
from gatewatch.model.remediation import (
    ExceptionScope,
    RemediationActivity,
    RemediationException,
    RemediationStatus,
    RemediationType,
    Target,
)

__all__ = ["ExceptionFilter", "RemediationFilter", "RemediationStore", "RemediationUnit", "Suspect"]


class RemediationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    status: tuple[RemediationStatus, ...] = ()
    type: tuple[RemediationType, ...] = ()
    recommendation: str = ""
    incident: int = 0
    assigned_to: str | None = None
    """'' for activities of nobody."""
    due_before: float | None = None


class ExceptionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    recommendation: str = ""
    ended: bool | None = None
    """Whether its end is on record."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A target whose finding says something else than the target, or is not there any more."""

    activity: str
    target: Target
    finding: Finding | None


class RemediationUnit(Protocol):
    """One transaction; other writers wait for its end."""

    def activity(self, activity_id: str) -> RemediationActivity:
        """Raises NotFoundError."""
        ...

    def put(self, activity: RemediationActivity) -> None:
        """Insert or replace."""
        ...

    def put_targets(self, activity_id: str, targets: Sequence[Target]) -> None:
        """Insert or replace by endpoint."""
        ...

    def move_target(self, activity_id: str, old: str, target: Target) -> None:
        """An endpoint was merged into another; the target goes where that has one already."""
        ...

    def count_targets(self, activity_id: str) -> tuple[int, int]:
        """(targets, of these fixed)."""
        ...

    def findings(self, recommendation: str, endpoint_ids: Collection[str] | None) -> list[Finding]:
        """Of a recommendation; at these endpoints, at all when None."""
        ...

    def forget_completed(self, before: float) -> list[RemediationActivity]:
        """Remove activities that were completed before a moment, with their targets; which these were."""
        ...

    def exception(self, exception_id: str) -> RemediationException:
        """Raises NotFoundError."""
        ...

    def standing(self, recommendation: str, scope: ExceptionScope) -> RemediationException | None:
        """The exception of exactly this whose end is not on record."""
        ...

    def put_exception(self, exception: RemediationException) -> None:
        """Insert or replace."""
        ...

    def record(self, entries: Sequence[Activity]) -> None:
        """Append to the audit log."""
        ...


class RemediationStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def unit(self, at: float) -> AbstractContextManager[RemediationUnit]:
        """A transaction stamped with `at`; nothing of it is kept when the block raises."""
        ...

    def activity(self, activity_id: str) -> RemediationActivity:
        """Raises NotFoundError."""
        ...

    def activities(
        self, where: RemediationFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[RemediationActivity], str]:
        """Newest first; (a page, next cursor)."""
        ...

    def select(self, where: Predicate | None, *, skip: int, limit: int) -> list[RemediationActivity]:
        """Newest first, by a condition on `created_at` and `status`."""
        ...

    def targets(
        self, activity_id: str, *, fixed: bool | None = None, cursor: str = "", limit: int = 50
    ) -> tuple[list[Target], str]:
        """By endpoint id; (a page, next cursor)."""
        ...

    def suspects(self, limit: int, after: tuple[str, str]) -> list[Suspect]:
        """By (activity, endpoint id), after the given one."""
        ...

    def exception(self, exception_id: str) -> RemediationException:
        """Raises NotFoundError."""
        ...

    def exceptions(
        self, where: ExceptionFilter, *, cursor: str = "", limit: int = 50
    ) -> tuple[list[RemediationException], str]:
        """Newest first; (a page, next cursor)."""
        ...

    def unended(self) -> list[RemediationException]:
        """All whose end is not on record, oldest first."""
        ...

    def finding_counts(self) -> list[tuple[str, FindingStatus, str, int]]:
        """Findings counted by recommendation, status and exception; '' without one."""
        ...
