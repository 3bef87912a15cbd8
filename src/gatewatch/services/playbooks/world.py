"""The world of a real run: an effect is noted before it is tried, so that a crash leaves a question, not a repeat."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from gatewatch.errors import GatewatchError, NotFoundError, StoreError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.containment import ContainmentPlan
from gatewatch.model.run import Question, QuestionKind, Run, RunState, StepRecord, StepState
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.containing import Containing
from gatewatch.ports.runs import RunStore
from gatewatch.respond.playbooks.asking import TELLS
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.respond.playbooks.world import Moment, Told, Wish
from gatewatch.services.playbooks.changing import Changing
from gatewatch.services.playbooks.recording import bounded, ended, result_of
from gatewatch.services.playbooks.signing import Signing

__all__ = ["Links", "RealWorld", "Surrounding"]

Starter = Callable[[Run, str, dict[str, Any], str, str], str]
"""(parent, playbook, inputs, key, address) -> run id."""


class Links(Protocol):
    """Makes the links that answer questions."""

    def filled(self, value: Any, recipient: str, about: Collection[str]) -> Any:
        """A value with every link mark of these questions replaced by a link with a one-time token of its own."""
        ...

    def hidden(self, value: Any) -> Any:
        """A value without such tokens."""
        ...


class Surrounding(msgspec.Struct, frozen=True, kw_only=True):
    """What all runs share."""

    store: RunStore
    clock: Clock
    connectors: Connectors
    containing: Containing | None
    changing: Changing
    signing: Signing
    links: Links
    start: Starter
    done: Callable[[Run, ActionCall, ActionResult], None]
    """Hears of every action that had its effect, perhaps more than once."""


class RealWorld:
    """Implements `respond.playbooks.world.World` for one run or branch."""

    def __init__(self, around: Surrounding, run: Run, address: str) -> None:
        """`address`: where the run or branch hears news."""
        self._around, self._run, self._address = around, run, address
        self._store, self._clock = around.store, around.clock
        self._under_way: set[tuple[str, int]] = set()
        """Attempts whose time is over may still be at work in their threads."""

    def context(self) -> dict[str, Any]:
        """What expressions know."""
        return self._around.changing.context(self._run)

    def begin(self, path: str) -> Moment:
        """Where the run is."""
        return Moment(now=self._clock.now(), cancel=self._is(RunState.RUNNING, path).cancel)

    def _is(self, state: RunState, path: str) -> Run:
        while True:
            run = self._store.run(self._run.id)
            if run.state.over or (run.at, run.state) == (path, state):
                return run
            # The engine may be faster than the mark of whoever admitted the run.
            begun = run.started_at if run.started_at is not None else self._clock.now()
            new = msgspec.structs.replace(run, at=path, state=state, started_at=begun)
            # Not so when somebody changed it since it was read: whoever admitted it marks it as begun meanwhile.
            if self._store.save_run(new, expected=(run.state,)):
                return run

    def note(self, path: str, kind: str, state: StepState, text: str, values: dict[str, Any]) -> Moment:
        """A step without effect."""
        now = self._clock.now()
        if state is StepState.WAITING:
            self._is(RunState.WAITING, path)
        known = [one for one in self._store.steps(self._run.id) if one.path == path]
        latest = max(known, key=lambda one: one.attempt, default=None)
        if latest is not None and latest.key:  # attempts at an effect: what happened to them stays as it is
            self._store.put_step(msgspec.structs.replace(latest, note=text))
            return Moment(now=now)
        begun = latest.started_at if latest is not None else now
        record = StepRecord(
            run=self._run.id,
            path=path,
            kind=kind,
            state=state,
            note=text,
            values=bounded(values),
            started_at=begun,
            ended_at=None if state is StepState.WAITING else now,
        )
        self._store.put_step(record)
        return Moment(now=now)

    def perform(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """Noted, done, noted."""
        to = call.inputs.get("to") or call.inputs.get("channel") or call.connection
        recipient = ", ".join(map(str, to)) if isinstance(to, list | tuple) else str(to)

        def act() -> ActionResult:
            inputs = self._around.links.filled(call.inputs, recipient, self._asked_by(path))
            result = self._around.connectors.perform(msgspec.structs.replace(call, inputs=inputs))
            hidden = self._around.links.hidden
            return msgspec.structs.replace(result, values=hidden(result.values), error=hidden(result.error))

        kind = f"{call.connection}.{call.action}"
        result = self._effect(path, attempt, kind, call.key, call.inputs, act, lambda: self._seen(call, path, attempt))
        if result.outcome is Outcome.SUCCEEDED:
            self._around.done(self._run, call, result)
        return result

    def _asked_by(self, path: str) -> Collection[str]:
        """Ids of the questions that a message carries: the text of an incident, say, can't make it carry another."""
        asking, tells, _ = path.partition(TELLS)
        kinds = (QuestionKind.APPROVAL, QuestionKind.CHOICE) if tells else ()
        return [key_of(self._run.id, f"{asking}?{kind.value}") for kind in kinds]

    def read_back(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """And noted, if it tells."""
        result = self._found(path, attempt, lambda: self._seen(call, path, attempt))
        if result.outcome is Outcome.SUCCEEDED:
            self._around.done(self._run, call, result)
        return result

    def decide(self, path: str, attempt: int, outcome: str, by: str) -> ActionResult:
        """A person's word."""
        error = "" if outcome == Outcome.SUCCEEDED else f"{by or 'nobody'}: {outcome}"
        result = ActionResult(outcome=Outcome(outcome), error=error)
        return self._found(path, attempt, lambda: result)

    def change(self, wanted: dict[str, Any], path: str) -> ActionResult:
        """Changes that are made twice end the same."""
        key = key_of(self._run.id, path)

        def act() -> ActionResult:
            return self._around.changing.change(self._run, wanted, key)

        return self._effect(path, 1, "change", key, wanted, act, act)

    def judge(self, plan: ContainmentPlan) -> dict[str, Any]:
        """Dry run."""
        found: dict[str, Any] = msgspec.to_builtins(self._gateways().judge(plan))
        return found

    def contain(self, plan: ContainmentPlan, key: str, digest: str, path: str, attempt: int) -> ActionResult:
        """Under its digest."""
        by = f"run {self._run.id}"

        def act() -> ActionResult:
            return self._gateways().apply(plan, key=key, by=by, approved_digest=digest)

        inputs = msgspec.to_builtins(plan)
        return self._effect(path, attempt, "contain", key, inputs, act, lambda: self._gateways().read_back(key))

    def contained(self, key: str, path: str, attempt: int) -> ActionResult:
        """And noted, if it tells."""
        return self._found(path, attempt, lambda: self._gateways().read_back(key))

    def ask(self, wish: Wish) -> Told:
        """Once per run, step and kind."""
        now = self._clock.now()
        self._is(RunState.WAITING, wish.path)
        question = self._store.ask(
            Question(
                id=key_of(self._run.id, f"{wish.path}?{wish.kind}"),
                run=self._run.id,
                path=wish.path,
                playbook=self._run.playbook,
                incident=self._run.incident,
                kind=QuestionKind(wish.kind),
                text=wish.text,
                options=wish.options,
                default=wish.default,
                plan=wish.plan,
                digest=wish.digest,
                approvers=wish.approvers,
                four_eyes=wish.four_eyes,
                address=self._address,
                key_id=self._around.signing.key_id,
                asked_by=self._starter(),
                role=wish.role,
                created_at=now,
                expires_at=now + wish.expires_s,
            )
        )
        return self._told(question)

    def _starter(self) -> str:
        """Who started this; of a sub-playbook who started the outermost run, and so can't approve it with four eyes."""
        kind, _, addresses = self._run.by.partition(" ")
        try:
            return self._store.run(addresses.partition(">")[0].partition("/")[0]).by if kind == "run" else self._run.by
        except NotFoundError:  # a person may be called that
            return self._run.by

    def told(self, question: str) -> Told:
        """Signed, verified."""
        return self._told(self._store.question(question))

    def expire(self, question: str) -> Told:
        """The default, unless an answer came after all, or the engine only does not wait that long at once."""
        known = self._store.question(question)
        told = self._told(known)
        if told.choice or told.left_s > 0:
            return told
        settled = self._store.settle(question, known.default, self._clock.now())
        return Told(id=question, left_s=0.0, choice=settled.settled, by="nobody", digest=settled.digest)

    def lock(self, target: str, path: str) -> bool:
        """Of a target."""
        return self._store.lock(target[:256], f"{self._run.id}/{path}"[:400], self._run.id, self._clock.now())

    def unlock(self, target: str, path: str) -> None:
        """Free for others."""
        self._store.unlock(target[:256], f"{self._run.id}/{path}"[:400])

    def start(self, playbook: str, inputs: dict[str, Any], key: str) -> str:
        """On the same subject."""
        return self._around.start(self._run, playbook, inputs, key, self._address)

    def ended(self, run: str) -> tuple[str, str]:
        """Of another run."""
        other = self._store.run(run)
        return (other.state.value, other.error) if other.state.over else ("", "")

    def _told(self, question: Question) -> Told:
        left = max(0.0, question.expires_at - self._clock.now())
        choice, by = self._around.signing.choice_of(question, self._store.answers(question.id))
        if choice:
            self._store.settle(question.id, choice, self._clock.now())
        return Told(id=question.id, left_s=left, choice=choice, by=by, digest=question.digest)

    def _gateways(self) -> Containing:
        if self._around.containing is None:
            raise GatewatchError("no gateway is configured", cure="Add one to the settings under [[gateways]].")
        return self._around.containing

    def _seen(self, call: ActionCall, path: str, attempt: int) -> ActionResult:
        """What became of a call; that nothing is found means nothing as long as it may still turn up."""
        result = self._around.connectors.read_back(call)
        record = self._attempt(path, attempt)
        meta = self._around.connectors.metas().get(call.connection)
        settles_s = max((one.settles_s for one in meta.actions if one.id == call.action), default=0.0) if meta else 0.0
        early = record is not None and self._clock.now() < record.started_at + settles_s
        if result.outcome is Outcome.FAILED and early:
            return ActionResult(outcome=Outcome.UNKNOWN, error="it is not found yet")
        return msgspec.structs.replace(result, again=True) if result.outcome is Outcome.FAILED else result

    def _found(self, path: str, attempt: int, look: Callable[[], ActionResult]) -> ActionResult:
        if (path, attempt) in self._under_way:  # that there is nothing yet does not say that there will be nothing
            return ActionResult(outcome=Outcome.UNKNOWN, error="the attempt is still under way")
        record = self._attempt(path, attempt)
        if record is not None and record.state in (StepState.SUCCEEDED, StepState.FAILED):
            return result_of(record)  # it ended after its time
        result = _result(look, Outcome.UNKNOWN)
        if result.outcome is not Outcome.UNKNOWN and record is not None:
            self._store.put_step(ended(record, result, self._clock.now()))
        return result

    def _attempt(self, path: str, attempt: int) -> StepRecord | None:
        known = self._store.steps(self._run.id)
        return next((one for one in known if one.path == path and one.attempt == attempt), None)

    def _effect(
        self,
        path: str,
        attempt: int,
        kind: str,
        key: str,
        inputs: dict[str, Any],
        act: Callable[[], ActionResult],
        look: Callable[[], ActionResult],
    ) -> ActionResult:
        record, fresh = self._store.begin_step(
            StepRecord(
                run=self._run.id,
                path=path,
                attempt=attempt,
                kind=kind,
                state=StepState.STARTED,
                key=key,
                inputs=bounded(inputs),
                started_at=self._clock.now(),
            )
        )
        if record.state is not StepState.STARTED:
            return result_of(record)  # it ended, only the journal had not heard of it
        self._under_way.add((path, attempt))
        try:
            result = _result(act, Outcome.FAILED) if fresh else _result(look, Outcome.UNKNOWN)
            if not fresh and (result.outcome is Outcome.FAILED or result.again):
                # The attempt was cut off before it had its effect, or a repeat does no harm.
                result = _result(act, Outcome.FAILED)
            self._store.put_step(ended(record, result, self._clock.now()))
        finally:
            self._under_way.discard((path, attempt))
        return result


def _result(work: Callable[[], ActionResult], otherwise: Outcome) -> ActionResult:
    """What can't be asked for is a result too: the note of the attempt has to end."""
    try:
        return work()
    except StoreError as error:  # nothing tells how far it came
        return ActionResult(outcome=Outcome.UNKNOWN, error=error.message)
    except GatewatchError as error:
        return ActionResult(outcome=otherwise, error=error.message)
