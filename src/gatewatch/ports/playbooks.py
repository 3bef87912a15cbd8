"""Playbooks as whatever starts them sees them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

import msgspec

__all__ = ["PlaybookStarter", "RunRequest", "RunSubject", "SubjectKind"]


class SubjectKind(StrEnum):
    """What a run is about."""

    INCIDENT = "incident"
    ALERT = "alert"
    FINDING = "finding"
    NONE = "none"
    """A schedule."""


class RunSubject(msgspec.Struct, frozen=True, kw_only=True):
    """One incident, alert or finding."""

    kind: SubjectKind
    id: str = ""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody or some rule wants a playbook to run."""

    playbook: str
    subject: RunSubject
    by: str
    """Token name, or `rule NAME`."""
    reason: str
    key: str
    """The same request asked twice (a crash between asking and noting) starts one run; at most 64 safe characters."""
    inputs: dict[str, Any] = {}
    chain: tuple[str, ...] = ()
    """Automation rules that led to it; what the run changes is said to be their doing (`CaseUnit.because_of`)."""


class PlaybookStarter(Protocol):
    """Starts runs."""

    def start(self, request: RunRequest) -> str:
        """Id of the run, also when it was started before.

        Raises NotFoundError for an unknown playbook, ConflictError for one that is off, InputError for wrong inputs.
        """
        ...
