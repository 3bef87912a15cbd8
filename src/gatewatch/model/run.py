"""Runs of playbooks, their steps, and the questions they put to people."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

__all__ = [
    "Answer",
    "AnswerKind",
    "AnswerLink",
    "PlaybookVersion",
    "Question",
    "QuestionKind",
    "Run",
    "RunState",
    "StepRecord",
    "StepState",
]


class PlaybookVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a playbook; a version never changes."""

    name: str
    version: int
    title: str
    description: str = ""
    subject: str
    """What it is about: incident, alert, finding or none."""
    text: str
    """The YAML as it was given."""
    digest: str
    created_at: float
    created_by: str
    enabled: bool = False
    """Rules and people may start it; of all versions of a playbook only one is."""
    staging: bool = True
    """Runs are simulations until it is promoted."""
    built_in: bool = False
    promoted_at: float | None = None
    promoted_by: str = ""


class RunState(StrEnum):
    """Life cycle of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    """For a person or for time."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    """A person said no, or nobody answered in time."""
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.REFUSED, RunState.CANCELLED)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one version of a playbook."""

    id: str
    playbook: str
    version: int
    subject_kind: str
    subject_id: str = ""
    incident: int = 0
    """The incident whose log shows it; 0 for none."""
    by: str
    """Token name, `rule NAME`, or `run ID` for a sub-playbook."""
    reason: str
    inputs: dict[str, Any] = {}
    chain: tuple[str, ...] = ()
    """Automation rules that led to it."""
    state: RunState = RunState.QUEUED
    staged: bool = False
    """The playbook was in staging: nothing left Gatewatch."""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    at: str = ""
    """Path of the step it is at."""
    error: str = ""
    """Why it failed; for people."""
    coalesced: int = 0
    """Further requests for the same thing that this run serves."""
    coalesce: str = ""
    """What those requests have in common."""
    cancel: str = ""
    """Who asked for it to be ended, and why."""


class StepState(StrEnum):
    """What became of one attempt at a step."""

    STARTED = "started"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    WAITING = "waiting"


class StepRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt at one step. Inputs and values are bounded and hold no secret."""

    run: str
    path: str
    """`ticket`, `addresses[3].block`, `both.left.tell`: ids from the outside in."""
    attempt: int = 1
    kind: str
    state: StepState
    key: str = ""
    """Idempotency key of its effect."""
    inputs: dict[str, Any] = {}
    values: dict[str, Any] = {}
    link: str = ""
    error: str = ""
    again: bool = False
    """FAILED, and a later attempt may succeed."""
    note: str = ""
    """Why it went this way, for people."""
    started_at: float
    ended_at: float | None = None


class QuestionKind(StrEnum):
    """What a run wants to know."""

    APPROVAL = "approval"
    """May this plan be carried out?"""
    CHOICE = "choice"
    """Which of these?"""
    OUTCOME = "outcome"
    """What became of an effect that nothing else can tell?"""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Put to people by a run; open until it is answered, expires or its run ends."""

    id: str
    run: str
    path: str
    playbook: str
    incident: int = 0
    kind: QuestionKind
    text: str
    options: tuple[str, ...]
    default: str
    """The answer of nobody; of an approval always its refusal."""
    plan: tuple[str, ...] = ()
    """What will be done, a sentence each."""
    digest: str = ""
    """Of the plan: what the answers bind to."""
    approvers: int = 1
    """How many different people have to agree."""
    four_eyes: bool = False
    """Who started the run can't approve."""
    address: str
    """Where the run waits for the answer."""
    key_id: str = ""
    """Of the key by which the run knows answers."""
    asked_by: str = ""
    """Who started the run."""
    role: str = "responder"
    """Who answers needs at least this role."""
    created_at: float
    expires_at: float
    settled_at: float | None = None
    settled: str = ""
    """The choice that was reached."""


class AnswerKind(StrEnum):
    """How an answer came."""

    PORTAL = "portal"
    """With a token, by REST, command line or portal."""
    LINK = "link"
    """By a link with a one-time token."""
    EXPIRY = "expiry"
    """Nobody answered in time."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One person's answer, signed: the only thing that lets a run go on."""

    question: str
    run: str
    digest: str
    """Of the plan that was shown."""
    choice: str
    by: str
    """Name of the token, or whom the link was sent to."""
    by_id: str
    """Id of the token or of the link; different people have different ids."""
    kind: AnswerKind
    note: str = ""
    at: float
    key_id: str = ""
    signature: str = ""
    """Base64 of Ed25519 over the record without key_id and signature, canonical JSON."""


class AnswerLink(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time token in a message; only its digest is kept."""

    digest: str
    question: str
    option: str
    recipient: str
    created_at: float
    used_at: float | None = None
