"""What a run needs of the world around it: a journal that remembers what was done, and things that can be done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from gatewatch.model.action import ActionCall, ActionResult
from gatewatch.model.containment import ContainmentPlan
from gatewatch.model.run import RunState, StepState
from gatewatch.respond.playbooks.reading import Place

__all__ = ["Branch", "BranchEnd", "Engine", "Moment", "Told", "Wish", "World"]

T = TypeVar("T")


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """Steps that run beside others, as a value that survives a restart."""

    place: Place
    """Of the steps in the document."""
    path: str
    """What the paths of its steps begin with."""
    scope: dict[str, Any]
    approved: dict[str, Any]
    """Path -> exactly what was shown and agreed to."""


class BranchEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What a branch leaves."""

    steps: dict[str, Any]
    variables: dict[str, Any]
    stopped: RunState | None = None
    error: str = ""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """When something was journalled, and whether somebody wants the run to end."""

    now: float
    cancel: str = ""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A question before it is put."""

    path: str
    kind: str
    text: str
    options: tuple[str, ...]
    default: str
    plan: tuple[str, ...] = ()
    digest: str = ""
    approvers: int = 1
    four_eyes: bool = False
    role: str = "responder"
    expires_s: float


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a question: `choice` is '' while it is open."""

    id: str
    left_s: float
    choice: str = ""
    by: str = ""
    digest: str = ""


class Engine(Protocol):
    """Remembers what was done: a run that begins again gets the remembered answers and goes on behind them."""

    async def once(self, name: str, work: Callable[[], T], kind: type[T], *, timeout_s: float | None = None) -> T:
        """Do it unless it is remembered. Raises TimeoutError when it takes too long; it may go on nevertheless."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Also over restarts."""
        ...

    async def hear(self, topic: str, seconds: float) -> bool:
        """Wait for news about a topic; whether there was any."""
        ...

    async def branches(self, branches: Sequence[Branch]) -> list[BranchEnd]:
        """Run them at the same time; their ends in the same order."""
        ...


class World(Protocol):
    """What a run does. Every method may be called again after a crash and then has no second effect."""

    def context(self) -> dict[str, Any]:
        """What expressions know about the subject, as it is now."""
        ...

    def begin(self, path: str) -> Moment:
        """A step begins."""
        ...

    def note(self, path: str, kind: str, state: StepState, text: str, values: dict[str, Any]) -> Moment:
        """A step without an effect of its own ended like this."""
        ...

    def perform(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """Call another system; when an earlier attempt with the same number was cut off, find out what became of it."""
        ...

    def read_back(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """What became of a call."""
        ...

    def decide(self, path: str, attempt: int, outcome: str, by: str) -> ActionResult:
        """A person said what became of a call."""
        ...

    def change(self, wanted: dict[str, Any], path: str) -> ActionResult:
        """Change the incident or alert."""
        ...

    def judge(self, plan: ContainmentPlan) -> dict[str, Any]:
        """A Judgement as plain values."""
        ...

    def contain(self, plan: ContainmentPlan, key: str, digest: str, path: str, attempt: int) -> ActionResult:
        """Apply a plan that was approved under this digest."""
        ...

    def contained(self, key: str, path: str, attempt: int) -> ActionResult:
        """What became of applying a plan."""
        ...

    def ask(self, wish: Wish) -> Told:
        """Put a question."""
        ...

    def told(self, question: str) -> Told:
        """The answers so far: signed, verified and bound to the question's digest."""
        ...

    def expire(self, question: str) -> Told:
        """When its time is over the default is the answer, unless one came after all; before that it stays open."""
        ...

    def lock(self, target: str, path: str) -> bool:
        """Take a lock, or say that somebody else has it."""
        ...

    def unlock(self, target: str, path: str) -> None:
        """Give it back."""
        ...

    def start(self, playbook: str, inputs: dict[str, Any], key: str) -> str:
        """Start another playbook on the same subject; id of the run."""
        ...

    def ended(self, run: str) -> tuple[str, str]:
        """(state, error) of another run; state '' while it is not over."""
        ...
