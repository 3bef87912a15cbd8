"""An engine for tests that remembers in memory and can be cut off at any point; and a world that does as it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.containment import ContainmentPlan
from gatewatch.model.run import StepState
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.respond.playbooks.interpreting import Interpreter
from gatewatch.respond.playbooks.stopping import StepFailedError
from gatewatch.respond.playbooks.world import Branch, BranchEnd, Moment, Told, Wish, World
from gatewatch.services.playbooks.simulated import at_once

__all__ = ["CutOffError", "Journal", "JournalingEngine", "ScriptedWorld", "run_through"]

T = TypeVar("T")


class CutOffError(Exception):
    """The process ended here."""


class Journal:
    """What all engines of one run remember."""

    def __init__(self, cut_at: int = 0) -> None:
        """`cut_at`: the n-th point at which a process could end ends it, once; 0 for never."""
        self.entries: dict[str, list[tuple[str, str, bytes]]] = {}
        """Address -> (name, error, value as JSON)."""
        self.ended: dict[str, BranchEnd] = {}
        self.points, self._cut_at = 0, cut_at

    def point(self) -> None:
        """Here a process may end."""
        self.points += 1
        if self.points == self._cut_at:
            raise CutOffError


class JournalingEngine:
    """Implements `respond.playbooks.world.Engine`."""

    def __init__(
        self,
        journal: Journal,
        address: str,
        branch: Callable[[Branch, JournalingEngine], BranchEnd],
        *,
        slept: Callable[[float], None],
        news: Callable[[str], bool],
    ) -> None:
        """`slept` is told of pauses, `news` asked whether a topic has any."""
        self.journal, self.address, self._branch, self._slept, self._news = journal, address, branch, slept, news
        self._known, self._at = journal.entries.setdefault(address, []), 0

    async def once(self, name: str, work: Callable[[], T], kind: type[T], *, timeout_s: float | None = None) -> T:
        """In the same order each time, or the run has become another one."""
        del timeout_s  # nothing takes time
        if self._at == len(self._known):
            error, value = "", b"null"
            try:
                value = msgspec.json.encode(work())
            except GatewatchError as failed:
                error = failed.message
            self.journal.point()  # done, not remembered
            self._known.append((name, error, value))
            self.journal.point()  # remembered, nothing further done
        known, error, value = self._known[self._at]
        assert known == name, f"{name} where {known} was"
        self._at += 1
        if error:
            raise StepFailedError(error)
        return msgspec.json.decode(value, type=kind)

    async def sleep(self, seconds: float) -> None:
        """Counted once."""
        await self.once("sleep", lambda: self._slept(seconds), type(None))

    async def hear(self, topic: str, seconds: float) -> bool:
        """Without news the time is over."""

        def wait() -> bool:
            heard = self._news(topic)
            if not heard:
                self._slept(seconds)
            return heard

        return await self.once(f"hear {topic}", wait, bool)

    async def branches(self, branches: Sequence[Branch]) -> list[BranchEnd]:
        """One after the other, each with what was known when they began."""
        copies = [msgspec.json.decode(msgspec.json.encode(branch), type=Branch) for branch in branches]
        found = []
        for copy in copies:
            address = f"{self.address}/{copy.path}"
            if address not in self.journal.ended:
                inner = JournalingEngine(self.journal, address, self._branch, slept=self._slept, news=self._news)
                self.journal.ended[address] = self._branch(copy, inner)
            found.append(self.journal.ended[address])
        return found


def run_through(
    playbook: Playbook,
    world: Callable[[str], World],
    journal: Journal,
    *,
    inputs: dict[str, Any] | None = None,
    slept: Callable[[float], None] = lambda _: None,
    news: Callable[[str], bool] = lambda _: False,
    started_at: float = 0.0,
    run: str = "r1",
) -> BranchEnd:
    """A run from its beginning, or from what the journal remembers; `world` makes that of an address."""

    def branch(one: Branch, engine: JournalingEngine) -> BranchEnd:
        found: BranchEnd = at_once(
            Interpreter(playbook, engine, world(engine.address), run=run, incident=7).branch(one)
        )
        return found

    engine = JournalingEngine(journal, run, branch, slept=slept, news=news)
    facts = {
        "id": run,
        "playbook": playbook.name,
        "by": "ann",
        "started_at": started_at,
        "deadline": started_at + playbook.timeout,
    }
    interpreter = Interpreter(playbook, engine, world(run), run=run, incident=7)
    end: BranchEnd = at_once(interpreter.run(facts, inputs or {}))
    return end


class ScriptedWorld:
    """Implements `respond.playbooks.world.World`."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.facts: dict[str, Any] = {"incident": {"name": "Scan", "severity": "high", "tags": []}, "entities": []}
        self.did: list[tuple[str, Any]] = []
        """(path, inputs) of every attempt at an effect."""
        self.looked: list[str] = []
        self.notes: list[tuple[str, str, str]] = []
        """(path, state, text)."""
        self.asked: list[Wish] = []
        self.results: dict[str, list[ActionResult]] = {}
        """Path -> what the attempts bring, in order; then success."""
        self.seen: dict[str, list[ActionResult]] = {}
        """Path -> what reading back brings; then unknown."""
        self.says: dict[str, str] = {}
        """Path of a question -> the choice; without one nobody answers."""
        self.digest: str | None = None
        """What answers bind to, if it is another one."""
        self.cancel_at = ""
        self.judgements: dict[str, dict[str, Any]] = {}
        """Value of a scope -> what is judged of it."""
        self.inner: list[tuple[str, str]] = []
        """(state, error) that sub-playbooks tell, in order."""
        self.locks: list[bool] = []
        self._left: dict[str, Wish] = {}

    def slept(self, seconds: float) -> None:
        """Time goes on."""
        self.now += seconds

    def context(self) -> dict[str, Any]:
        """As it is now."""
        return self.facts

    def begin(self, path: str) -> Moment:
        """Cancelled where it is said."""
        return Moment(now=self.now, cancel="ann: enough" if path == self.cancel_at else "")

    def note(self, path: str, kind: str, state: StepState, text: str, values: dict[str, Any]) -> Moment:
        """Kept."""
        del kind, values
        self.notes.append((path, state.value, text))
        return Moment(now=self.now)

    def perform(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """As told."""
        del attempt
        return self._do(path, call.inputs)

    def read_back(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """As told."""
        del call, attempt
        return self._look(path)

    def decide(self, path: str, attempt: int, outcome: str, by: str) -> ActionResult:
        """What the person said."""
        del attempt
        self.notes.append((path, "decided", f"{by} {outcome}"))
        return ActionResult(outcome=Outcome(outcome), error="" if outcome == "succeeded" else outcome)

    def change(self, wanted: dict[str, Any], path: str) -> ActionResult:
        """As told."""
        return self._do(path, wanted)

    def judge(self, plan: ContainmentPlan) -> dict[str, Any]:
        """Allowed unless told otherwise."""
        free = {"obstacles": [], "approvals": 0}
        return self.judgements.get(plan.scope.value, free)

    def contain(self, plan: ContainmentPlan, key: str, digest: str, path: str, attempt: int) -> ActionResult:
        """As told."""
        del key, digest, attempt
        return self._do(path, f"{plan.effect.value} {plan.scope.value}")

    def contained(self, key: str, path: str, attempt: int) -> ActionResult:
        """As told."""
        del key, attempt
        return self._look(path)

    def ask(self, wish: Wish) -> Told:
        """Open."""
        self.asked.append(wish)
        self._left[wish.path] = wish
        return Told(id=wish.path, left_s=wish.expires_s)

    def told(self, question: str) -> Told:
        """What people say."""
        wish = self._left[question]
        digest = wish.digest if self.digest is None else self.digest
        return Told(id=question, left_s=1.0, choice=self.says[question], by="bob", digest=digest)

    def expire(self, question: str) -> Told:
        """The default."""
        wish = self._left[question]
        return Told(id=question, left_s=0.0, choice=wish.default, digest=wish.digest)

    def news(self, topic: str) -> bool:
        """For the engine: of answers, and of sub-playbooks always."""
        kind, _, subject = topic.partition(":")
        return kind == "ended" or subject in self.says

    def lock(self, target: str, path: str) -> bool:
        """As told; then free."""
        del target, path
        return self.locks.pop(0) if self.locks else True

    def unlock(self, target: str, path: str) -> None:
        """Noted."""
        self.notes.append((path, "unlocked", target))

    def start(self, playbook: str, inputs: dict[str, Any], key: str) -> str:
        """Its key."""
        self.did.append((playbook, inputs))
        return key

    def ended(self, run: str) -> tuple[str, str]:
        """As told; then well."""
        del run
        return self.inner.pop(0) if self.inner else ("succeeded", "")

    def _do(self, path: str, inputs: Any) -> ActionResult:
        self.did.append((path, inputs))
        left = self.results.get(path, [])
        return left.pop(0) if left else ActionResult(outcome=Outcome.SUCCEEDED, values={"ticket": f"T-{path}"})

    def _look(self, path: str) -> ActionResult:
        self.looked.append(path)
        left = self.seen.get(path, [])
        return left.pop(0) if left else ActionResult(outcome=Outcome.UNKNOWN)
