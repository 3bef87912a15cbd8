"""Steps with an effect: one key however often they are tried, and never again while nobody knows what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from gatewatch.errors import InputError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.containment import ContainmentPlan, digest_of
from gatewatch.model.run import StepState
from gatewatch.respond.playbooks.asking import Asking
from gatewatch.respond.playbooks.document import Action, Change, Contain, Retry, Sending, Step
from gatewatch.respond.playbooks.planning import (
    Planned,
    containment_of,
    digest_of_effects,
    experience,
    filled,
    foretold,
    key_of,
    sentence_of,
)
from gatewatch.respond.playbooks.stopping import StepFailedError
from gatewatch.respond.playbooks.world import Engine, Moment, Wish, World

__all__ = ["Acting"]

_LOOK_S = (2.0, 15.0, 60.0)
"""Pauses before looking what became of an effect."""
_PERSON_S = 86_400.0
"""How long a person has to say what nothing else can."""
_LOCK_FIRST_S, _LOCK_MOST_S = 0.5, 30.0
_TELL_S = 60.0
_CUT_OFF = 3
"""So many attempts that surely had no effect, because nothing arrived, do not count."""
Work = Callable[[int], ActionResult]
"""One attempt, or one look at it, by its number."""


class Acting:
    """Of one run or branch."""

    def __init__(self, engine: Engine, world: World, asking: Asking, *, run: str, incident: int) -> None:
        self._engine, self._world, self._asking = engine, world, asking
        self._run, self._incident = run, incident

    async def action(
        self, step: Step, body: Action, path: str, scope: Mapping[str, Any], approved: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Call another system."""
        inputs = approved[path] if path in approved else filled(body.with_, scope)
        call = ActionCall(connection=body.connection, action=body.do, inputs=inputs, key=key_of(self._run, path))
        retry: Retry = getattr(step, "retry", Retry())
        lock, timeout_s = getattr(step, "lock", None), getattr(step, "timeout", None)
        target = str(filled(lock, scope)) if lock else ""
        if target:
            await self._take(target, path, scope)
        try:
            found = await self._attempts(
                path,
                retry,
                timeout_s,
                lambda attempt: self._world.perform(call, path, attempt),
                lambda attempt: self._world.read_back(call, path, attempt),
            )
        except StepFailedError:
            await self._give_back(target, path)
            raise
        # Not in a `finally`: a run that is cut off here has not ended the step, and begins again holding the lock.
        await self._give_back(target, path)
        return found

    async def contain(
        self, step: Step, body: Contain, path: str, scope: Mapping[str, Any], approved: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Apply a containment: under the approval around it if that covers it, else under one of its own."""
        covered = path in approved
        plan = (
            msgspec.convert(approved[path], ContainmentPlan) if covered else containment_of(body, scope, self._incident)
        )
        digest, key = digest_of(plan), key_of(self._run, path)
        if not covered:
            effect = Planned(path=path, text=f"{sentence_of(plan)}: {plan.reason}", digest=digest, containment=plan)
            needed, told = await self.judged([effect], path)
            if needed:
                await self._approve(effect, told, needed, scope)
        return await self._attempts(
            path,
            getattr(step, "retry", Retry()),
            getattr(step, "timeout", None),
            lambda attempt: self._world.contain(plan, key, digest, path, attempt),
            lambda attempt: self._world.contained(key, path, attempt),
        )

    async def judged(self, effects: Sequence[Planned], path: str) -> tuple[int, tuple[str, ...]]:
        """How many people have to approve, and the effects in words, each containment with whom it would have hit.

        Raises StepFailedError where a guardrail forbids an effect.
        """
        needed, told = 0, []
        for at, effect in enumerate(effects):
            if effect.containment is None:
                told.append(effect.text)
                continue
            work = partial(self._world.judge, effect.containment)
            judgement = await self._engine.once(f"{path}/judge[{at}]", work, dict)
            if judgement["obstacles"]:
                raise StepFailedError(f"{effect.text}: {'; '.join(judgement['obstacles'])}")
            needed = max(needed, judgement["approvals"])
            radius = foretold(judgement.get("radius", {}), effect.containment.incident)
            before = experience(judgement.get("evidence"))
            told.append("; ".join(filter(None, (effect.text, radius, before))))
        return needed, tuple(told)

    async def change(
        self, body: Change, path: str, scope: Mapping[str, Any], approved: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Change the incident or alert."""
        given = body.model_dump(exclude_unset=True)
        wanted = approved[path] if path in approved else filled(given, scope)
        result = await self._engine.once(f"{path}#1", partial(self._world.change, wanted, path), ActionResult)
        return _values(result)

    async def start(self, playbook: str, inputs: dict[str, Any], path: str) -> str:
        """Start another playbook; id of its run."""
        work = partial(self._world.start, playbook, inputs, key_of(self._run, path))
        return await self._engine.once(f"{path}#1", work, str)

    async def ended(self, run: str) -> tuple[str, str]:
        """(state, error) of another run; state '' while it is not over."""
        state, error = await self._engine.once(f"ended:{run}", lambda: list(self._world.ended(run)), list)
        return str(state), str(error)

    async def tell(self, sending: Sending, path: str, scope: Mapping[str, Any]) -> None:
        """Send a message that carries a question; what can't be sent is noted."""
        try:
            call = ActionCall(
                connection=sending.connection,
                action=sending.do,
                inputs=filled(sending.with_, scope),
                key=key_of(self._run, path),
            )
        except InputError as error:
            await self._note(path, StepState.FAILED, error.message)
            return
        await self._try_once(f"{path}#1", lambda: self._world.perform(call, path, 1), _TELL_S)

    async def _approve(self, effect: Planned, plan: tuple[str, ...], needed: int, scope: Mapping[str, Any]) -> None:
        text = f"May this be done? {effect.text}"
        wish = Wish(
            path=effect.path,
            kind="approval",
            text=text,
            options=("approve", "reject"),
            default="reject",
            plan=plan,
            digest=digest_of_effects(text, [effect]),
            approvers=needed,
            expires_s=3600.0,
        )
        told = await self._asking.ask(wish, (), scope, self)
        if told.choice != "approve":
            raise StepFailedError(f"{told.by or 'nobody'} said {told.choice}")

    async def _attempts(
        self, path: str, retry: Retry, timeout_s: float | None, attempt_: Work, look: Work
    ) -> dict[str, Any]:
        pause, most, attempt = retry.first, retry.attempts, 0
        while True:
            attempt += 1
            result = await self._try_once(f"{path}#{attempt}", partial(attempt_, attempt), timeout_s)
            if result.outcome is Outcome.UNKNOWN and not result.again:
                result = await self._find_out(path, attempt, look, result)
                if result.outcome is Outcome.FAILED and most < retry.attempts + _CUT_OFF:
                    most += 1  # it was cut off before it had its effect: that was no attempt
            if result.outcome is Outcome.SUCCEEDED or not result.again or attempt >= most:
                return _values(result)
            wait = max(pause, min(result.retry_after_s or 0.0, 3600.0))
            await self._note(path, StepState.WAITING, f"attempt {attempt} failed ({result.error}); again in {wait:g} s")
            await self._engine.sleep(wait)
            pause = min(pause * 2, retry.most)

    async def _try_once(self, name: str, work: Callable[[], ActionResult], timeout_s: float | None) -> ActionResult:
        try:
            return await self._engine.once(name, work, ActionResult, timeout_s=timeout_s)
        except TimeoutError:
            return ActionResult(outcome=Outcome.UNKNOWN, error=f"no answer within {timeout_s:g} s")

    async def _find_out(self, path: str, attempt: int, look: Work, result: ActionResult) -> ActionResult:
        """By reading back, then by asking a person; an unknown outcome is never followed by another attempt."""
        for pause in _LOOK_S:
            await self._engine.sleep(pause)
            seen = await self._try_once(f"{path}?{attempt}", partial(look, attempt), _TELL_S)
            if seen.outcome is not Outcome.UNKNOWN:
                return seen
        wish = Wish(
            path=path,
            kind="outcome",
            text=f"What became of {path}, attempt {attempt}? {result.error}",
            options=("succeeded", "failed", "unknown"),
            default="unknown",
            expires_s=_PERSON_S,
        )
        told = await self._asking.ask(wish, (), {}, self)
        work = partial(self._world.decide, path, attempt, told.choice, told.by)
        return await self._engine.once(f"{path}!{attempt}", work, ActionResult)

    async def _take(self, target: str, path: str, scope: Mapping[str, Any]) -> None:
        pause, waited = _LOCK_FIRST_S, 0.0
        while not await self._engine.once(f"{path}/lock", partial(self._world.lock, target, path), bool):
            if waited == 0.0:
                await self._note(f"{path}/lock", StepState.WAITING, f"another run holds the lock of {target}")
            if waited > scope["run"]["deadline"] - scope["now"]:
                raise StepFailedError(f"the lock of {target} did not become free")
            await self._engine.sleep(pause)
            waited += pause
            pause = min(pause * 2, _LOCK_MOST_S)

    async def _give_back(self, target: str, path: str) -> None:
        if target:
            await self._engine.once(f"{path}/unlock", partial(self._world.unlock, target, path), type(None))

    async def _note(self, path: str, state: StepState, text: str) -> None:
        work = partial(self._world.note, path, "action", state, text, {})
        await self._engine.once(f"{path}/{state.value}", work, Moment)


def _values(result: ActionResult) -> dict[str, Any]:
    """What `steps.ID` has. Raises StepFailedError."""
    if result.outcome is Outcome.SUCCEEDED:
        return {**result.values, "link": result.link}
    raise StepFailedError(result.error or "failed", unknown=result.outcome is Outcome.UNKNOWN)
