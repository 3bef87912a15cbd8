"""The world of a run that only simulates: it has nothing through which anything could leave Gatewatch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.containment import ContainmentPlan
from gatewatch.model.run import Run, RunState, StepRecord, StepState
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.containing import Containing
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.respond.playbooks.stopping import StepFailedError
from gatewatch.respond.playbooks.world import Branch, BranchEnd, Moment, Told, Wish
from gatewatch.services.playbooks.recording import bounded, ended

__all__ = ["SimulatedEngine", "SimulatedWorld", "at_once"]

T = TypeVar("T")
Context = Callable[[Run], dict[str, Any]]


def at_once(coroutine: Any) -> Any:
    """The value of a coroutine that never waits; no event loop, which would want a socket."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a simulation waited")


class SimulatedEngine:
    """Implements `respond.playbooks.world.Engine`: everything at once, time only counted."""

    def __init__(self, branch: Callable[[Branch], BranchEnd], world: SimulatedWorld) -> None:
        """`branch` runs one."""
        self._branch, self._world = branch, world

    async def once(self, name: str, work: Callable[[], T], kind: type[T], *, timeout_s: float | None = None) -> T:
        """Now; what can't be done fails the step, as in a real run."""
        del name, kind, timeout_s  # nothing is remembered and nothing takes time
        try:
            return work()
        except GatewatchError as error:
            raise StepFailedError(error.message) from error

    async def sleep(self, seconds: float) -> None:
        """Counted."""
        self._world.now += seconds

    async def hear(self, topic: str, seconds: float) -> bool:
        """Everything that there is to hear is known."""
        del topic, seconds
        return True

    async def branches(self, branches: Sequence[Branch]) -> list[BranchEnd]:
        """One after the other; none sees what another one does, as in a real run."""
        copies = [msgspec.json.decode(msgspec.json.encode(branch), type=Branch) for branch in branches]
        return [self._branch(branch) for branch in copies]


class SimulatedWorld:
    """Implements `respond.playbooks.world.World`; keeps what would have been done."""

    def __init__(
        self,
        run: Run,
        *,
        context: Context,
        connectors: Connectors,
        containing: Containing | None,
        now: float,
        keep: Callable[[StepRecord], None],
        choices: dict[str, str] | None = None,
    ) -> None:
        """`connectors` are simulated; `choices`: step path -> what people would say, else approve or the default."""
        self._run, self._context, self._connectors = run, context, connectors
        self._containing, self._keep, self._choices = containing, keep, choices or {}
        self.now = now
        """Unix seconds; waiting moves it."""
        self.plans: list[tuple[ContainmentPlan, dict[str, Any]]] = []
        """Containments with what was judged of them."""
        self.asked: list[tuple[float, Wish]] = []
        """When people would have been asked what."""

    def context(self) -> dict[str, Any]:
        """The subject as it is."""
        return self._context(self._run)

    def begin(self, path: str) -> Moment:
        """When."""
        del path  # nobody cancels a simulation
        return Moment(now=self.now)

    def note(self, path: str, kind: str, state: StepState, text: str, values: dict[str, Any]) -> Moment:
        """Kept."""
        self._keep(self._record(path, kind, 1, {}, state, text, values))
        return Moment(now=self.now)

    def perform(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """Checked as a real call would be, answered with examples."""
        try:
            result = self._connectors.perform(call)
        except GatewatchError as error:
            result = ActionResult(outcome=Outcome.FAILED, error=error.message)
        return self._done(path, f"{call.connection}.{call.action}", attempt, call.inputs, result)

    def read_back(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """Never needed: nothing is cut off."""
        return self.perform(call, path, attempt)

    def decide(self, path: str, attempt: int, outcome: str, by: str) -> ActionResult:
        """Never needed."""
        return self._done(path, "outcome", attempt, {"by": by}, ActionResult(outcome=Outcome(outcome)))

    def change(self, wanted: dict[str, Any], path: str) -> ActionResult:
        """Kept, not done."""
        return self._done(path, "change", 1, wanted, ActionResult(outcome=Outcome.SUCCEEDED, values={"changed": []}))

    def judge(self, plan: ContainmentPlan) -> dict[str, Any]:
        """For real: it only reads what is stored."""
        if self._containing is None:
            judged: dict[str, Any] = {"digest": "", "radius": {}, "obstacles": [], "approvals": 1}
        else:
            judged = msgspec.to_builtins(self._containing.judge(plan))
        self.plans.append((plan, judged))
        return judged

    def contain(self, plan: ContainmentPlan, key: str, digest: str, path: str, attempt: int) -> ActionResult:
        """Kept, not done."""
        del key, digest
        result = ActionResult(outcome=Outcome.SUCCEEDED, values={"action": "simulated"})
        return self._done(path, "contain", attempt, msgspec.to_builtins(plan), result)

    def contained(self, key: str, path: str, attempt: int) -> ActionResult:
        """Never needed."""
        del key, path, attempt
        return ActionResult(outcome=Outcome.SUCCEEDED, values={"action": "simulated"})

    def ask(self, wish: Wish) -> Told:
        """What people would have been asked; answered as the simulation was told to, never for real."""
        self.asked.append((self.now, wish))
        choice = self._choices.get(wish.path) or ("approve" if wish.kind == "approval" else wish.default)
        values = {"plan": list(wish.plan), "digest": wish.digest, "choice": choice}
        self._keep(self._record(wish.path, wish.kind, 1, {}, StepState.SUCCEEDED, f"assumed: {choice}", values))
        question = key_of(self._run.id, f"{wish.path}?{wish.kind}")
        return Told(id=question, left_s=wish.expires_s, choice=choice, by="simulation", digest=wish.digest)

    def told(self, question: str) -> Told:
        """Never needed: asking answers."""
        return Told(id=question, left_s=0.0)

    def expire(self, question: str) -> Told:
        """Never needed."""
        return Told(id=question, left_s=0.0)

    def lock(self, target: str, path: str) -> bool:
        """Nobody else is there."""
        del target, path
        return True

    def unlock(self, target: str, path: str) -> None:
        """Nothing was taken."""

    def start(self, playbook: str, inputs: dict[str, Any], key: str) -> str:
        """Kept, not started: simulate that playbook by itself."""
        self._done(f"playbook {playbook}", "playbook", 1, inputs, ActionResult(outcome=Outcome.SUCCEEDED))
        return key

    def ended(self, run: str) -> tuple[str, str]:
        """As if it went well."""
        del run
        return RunState.SUCCEEDED.value, ""

    def _done(self, path: str, kind: str, attempt: int, inputs: dict[str, Any], result: ActionResult) -> ActionResult:
        record = self._record(path, kind, attempt, inputs, StepState.STARTED, "simulated", {})
        self._keep(ended(record, result, self.now))
        return result

    def _record(
        self,
        path: str,
        kind: str,
        attempt: int,
        inputs: dict[str, Any],
        state: StepState,
        note: str,
        values: dict[str, Any],
    ) -> StepRecord:
        return StepRecord(
            run=self._run.id,
            path=path,
            attempt=attempt,
            kind=kind,
            state=state,
            inputs=bounded(inputs),
            values=bounded(values),
            note=note,
            started_at=self.now,
            ended_at=self.now,
        )
