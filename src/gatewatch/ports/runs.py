"""Playbooks, runs, steps, questions and locks in the control store; and the engine that makes runs survive."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Protocol

import msgspec

from gatewatch.model.run import Answer, AnswerLink, PlaybookVersion, Question, Run, RunState, StepRecord
from gatewatch.respond.playbooks.world import Engine

__all__ = ["Durable", "Execute", "QuestionFilter", "RunFilter", "RunStore"]


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    playbook: str = ""
    state: tuple[RunState, ...] = ()
    incident: int = 0
    subject_kind: str = ""
    subject_id: str = ""
    since: float | None = None
    """Created at or after."""


class QuestionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    open: bool | None = None
    incident: int = 0
    run: str = ""


class RunStore(Protocol):
    """Thread-safe. Same behaviour on SQLite and PostgreSQL."""

    def put_version(self, version: PlaybookVersion) -> None:
        """Insert or replace its flags; the text of a version never changes."""
        ...

    def playbooks(self) -> list[PlaybookVersion]:
        """Of every playbook the enabled version, or the newest; by name."""
        ...

    def versions(self, name: str) -> list[PlaybookVersion]:
        """Newest first; empty for an unknown playbook."""
        ...

    def version(self, name: str, version: int) -> PlaybookVersion:
        """Raises NotFoundError."""
        ...

    def request(self, run: Run) -> Run:
        """Insert, unless the id is known or a run that is not over has the same playbook and `coalesce`: then that."""
        ...

    def run(self, run_id: str) -> Run:
        """Raises NotFoundError."""
        ...

    def runs(self, where: RunFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Run], str]:
        """Newest first; (a page, next cursor)."""
        ...

    def save_run(self, run: Run, *, expected: Collection[RunState]) -> bool:
        """Replace if it is in one of these states; whether it was."""
        ...

    def queued(self, playbook: str, limit: int) -> list[Run]:
        """Of one playbook, oldest first."""
        ...

    def counts(self) -> dict[tuple[str, RunState], int]:
        """(playbook, state) -> runs that are not over."""
        ...

    def begin_step(self, record: StepRecord) -> tuple[StepRecord, bool]:
        """Insert unless this attempt is known; (what is stored, whether it is new)."""
        ...

    def put_step(self, record: StepRecord) -> None:
        """Insert or replace."""
        ...

    def steps(self, run: str) -> list[StepRecord]:
        """In order of their begin."""
        ...

    def ask(self, question: Question) -> Question:
        """Insert unless the id is known; what is stored."""
        ...

    def question(self, question_id: str) -> Question:
        """Raises NotFoundError."""
        ...

    def questions(self, where: QuestionFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Question], str]:
        """Newest first; (a page, next cursor)."""
        ...

    def open_questions(self) -> int:
        """How many wait for people."""
        ...

    def answer(self, answer: Answer) -> bool:
        """Keep it unless this person has answered or the question is settled; whether it was kept."""
        ...

    def answers(self, question_id: str) -> list[Answer]:
        """Oldest first."""
        ...

    def settle(self, question_id: str, choice: str, at: float) -> Question:
        """Close a question unless it is closed; what is stored then."""
        ...

    def put_link(self, link: AnswerLink) -> None:
        """Keep a link."""
        ...

    def link(self, digest: str) -> AnswerLink | None:
        """By the digest of its token."""
        ...

    def use_link(self, digest: str, at: float) -> bool:
        """Mark it used; false when it was."""
        ...

    def lock(self, target: str, holder: str, run: str, at: float) -> bool:
        """Take a lock, also again; false when another holder has it and its run is not over."""
        ...

    def unlock(self, target: str, holder: str) -> None:
        """Give back, if it is this holder's."""
        ...


Execute = Callable[[str, str, str, Engine], Awaitable[str]]
"""(run id, branch as JSON or '', address, Engine) -> end as JSON."""


class Durable(Protocol):
    """Runs functions that survive a kill at any point."""

    def launch(self, execute: Execute) -> None:
        """Begin; what was under way when the process ended goes on."""
        ...

    def start(self, run_id: str) -> None:
        """Start a run; once, however often it is asked for."""
        ...

    def tell(self, address: str, topic: str, key: str) -> None:
        """News for a run or branch that may be waiting; once per key."""
        ...

    def states(self, run_ids: Collection[str]) -> Mapping[str, str]:
        """`working`, `ended`, `failed` or `cancelled` of those that were started."""
        ...

    def cancel(self, run_id: str) -> None:
        """No further step of the run and its branches begins."""
        ...

    def close(self) -> None:
        """Stop here; the next launch goes on."""
        ...
