"""Interprets a playbook: the same code for runs that act, that begin again after a crash, and that only simulate.

Everything that is not a pure function of what came before goes through the engine's journal under a name of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from gatewatch.errors import GatewatchError, InputError
from gatewatch.model.run import RunState, StepState
from gatewatch.respond.conditions import evaluate
from gatewatch.respond.playbooks.acting import Acting
from gatewatch.respond.playbooks.asking import Asking
from gatewatch.respond.playbooks.document import (
    Action,
    Approval,
    Ask,
    Change,
    Contain,
    Each,
    If,
    Parallel,
    Playbook,
    Set,
    Step,
    SubPlaybook,
    Switch,
    Wait,
)
from gatewatch.respond.playbooks.planning import digest_of_effects, filled, plan_of
from gatewatch.respond.playbooks.reading import Place
from gatewatch.respond.playbooks.stopping import RunStoppedError, StepFailedError
from gatewatch.respond.playbooks.walking import body_of, path_of, steps_at, steps_of
from gatewatch.respond.playbooks.world import Branch, BranchEnd, Engine, Moment, Wish, World

__all__ = ["Interpreter"]

_CHECK_S = 60.0
"""How often a sub-playbook is looked at; it tells by itself when it has ended."""


class Interpreter:
    """One run, or one branch of it."""

    def __init__(self, document: Playbook, engine: Engine, world: World, *, run: str, incident: int) -> None:
        """`incident`: whose log shows the run; 0 for none."""
        self._document, self._engine, self._world = document, engine, world
        self._run, self._incident = run, incident
        self._asking = Asking(engine, world, run)
        self._acting = Acting(engine, world, self._asking, run=run, incident=incident)

    async def run(self, facts: Mapping[str, Any], inputs: Mapping[str, Any]) -> BranchEnd:
        """From the first step to the end; `facts` are what `run.…` has."""
        context = await self._engine.once("context", self._world.context, dict)
        given = {"inputs": dict(inputs), "run": dict(facts), "now": facts["started_at"]}
        scope = {**context, **given, "steps": {}, "vars": {}}
        return await self._guarded(self._document.steps, ("steps",), "", scope, {})

    async def branch(self, branch: Branch) -> BranchEnd:
        """One branch, in a run of its own."""
        steps = steps_at(self._document.steps, branch.place)
        return await self._guarded(steps, branch.place, branch.path, dict(branch.scope), branch.approved)

    async def _guarded(
        self, steps: Sequence[Step], place: Place, prefix: str, scope: dict[str, Any], approved: Mapping[str, Any]
    ) -> BranchEnd:
        try:
            await self._steps(steps, place, prefix, scope, approved)
        except RunStoppedError as stopped:
            return BranchEnd(
                steps=scope["steps"], variables=scope["vars"], stopped=stopped.state, error=stopped.message
            )
        return BranchEnd(steps=scope["steps"], variables=scope["vars"])

    async def _steps(
        self, steps: Sequence[Step], place: Place, prefix: str, scope: dict[str, Any], approved: Mapping[str, Any]
    ) -> None:
        for at, step in enumerate(steps):
            await self._step(step, (*place, at), prefix, scope, approved)

    async def _step(
        self, step: Step, place: Place, prefix: str, scope: dict[str, Any], approved: Mapping[str, Any]
    ) -> None:
        path, body = path_of(prefix, step.id), body_of(step)
        kind = type(body).__name__.lower()
        moment = await self._engine.once(f"{path}/begin", partial(self._world.begin, path), Moment)
        self._still_wanted(moment, scope)
        scope["now"] = moment.now
        try:
            if step.when is not None and not self._holds(step.when, scope):
                await self._note(path, kind, StepState.SKIPPED, f"`{step.when}` does not hold", {})
                scope["steps"][step.id] = {"outcome": "skipped"}
                return
            found = await self._body(step, body, path, place, prefix, scope, approved)
            scope["steps"][step.id] = {"outcome": "succeeded", **found}
        except (StepFailedError, InputError) as error:
            await self._failed(step, kind, path, place, prefix, scope, approved, error)

    async def _failed(
        self,
        step: Step,
        kind: str,
        path: str,
        place: Place,
        prefix: str,
        scope: dict[str, Any],
        approved: Mapping[str, Any],
        error: GatewatchError,
    ) -> None:
        outcome = "unknown" if isinstance(error, StepFailedError) and error.unknown else "failed"
        scope["steps"][step.id] = {"outcome": outcome, "error": error.message}
        await self._note(path, kind, StepState.FAILED, error.message, {})
        if step.on_failure == "stop":
            raise RunStoppedError(RunState.FAILED, f"{path}: {error.message}")
        if isinstance(step.on_failure, tuple):
            await self._steps(step.on_failure, (*place, "on_failure"), prefix, scope, approved)

    async def _body(
        self,
        step: Step,
        body: object,
        path: str,
        place: Place,
        prefix: str,
        scope: dict[str, Any],
        approved: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What `steps.ID` has afterwards."""
        if isinstance(body, Action):
            return await self._acting.action(step, body, path, scope, approved)
        if isinstance(body, Contain):
            return await self._acting.contain(step, body, path, scope, approved)
        if isinstance(body, Change):
            found = await self._acting.change(body, path, scope, approved)
            await self._refresh(path, scope)
            return found
        if isinstance(body, SubPlaybook):
            return await self._sub_playbook(body, path, scope, approved)
        if isinstance(body, Wait):
            return await self._wait(body, path, scope)
        if isinstance(body, Ask):
            return await self._ask(body, path, scope)
        if isinstance(body, Set):
            scope["vars"] |= filled(body.values, scope)
            return await self._note(path, "set", StepState.SUCCEEDED, "", {})
        inside = partial(self._steps, prefix=prefix, scope=scope, approved=approved)
        if isinstance(body, If):
            holds = self._holds(body.condition, scope)
            await self._note(path, "if", StepState.SUCCEEDED, f"`{body.condition}` is {str(holds).lower()}", {})
            steps, name = (body.then, "then") if holds else (body.else_, "else")
            await inside(steps, (*place, "if", name))
            return {"holds": holds}
        if isinstance(body, Switch):
            value = evaluate(body.on, scope)
            known = str(value) in body.cases
            await self._note(path, "switch", StepState.SUCCEEDED, f"`{body.on}` is {value}", {})
            steps = body.cases[str(value)] if known else body.default
            await inside(steps, (*place, "switch", *(("cases", str(value)) if known else ("default",))))
            return {"value": value}
        if isinstance(body, Approval):
            return await self._approval(body, path, place, prefix, scope, approved)
        return await self._branching(body, path, place, scope, approved)

    async def _branching(
        self, body: object, path: str, place: Place, scope: dict[str, Any], approved: Mapping[str, Any]
    ) -> dict[str, Any]:
        if isinstance(body, Parallel):
            branches = [
                Branch(
                    place=(*place, "parallel", "branches", name),
                    path=f"{path}.{name}",
                    scope=scope,
                    approved=_within(approved, f"{path}.{name}."),
                )
                for name in body.branches
            ]
            await self._beside(branches, len(branches), scope)
            return await self._note(path, "parallel", StepState.SUCCEEDED, f"{len(branches)} branches", {})
        assert isinstance(body, Each)
        # What was agreed to are these items, whatever the list would be now.
        items = approved[path] if path in approved else evaluate(body.in_, scope)
        if not isinstance(items, list):
            raise StepFailedError(f"`{body.in_}` is no list")
        chosen = items[: body.most]
        branches = [
            Branch(
                place=(*place, "each", "do"),
                path=f"{path}[{at}]",
                scope={**scope, body.as_: item, "index": at},
                approved=_within(approved, f"{path}[{at}]."),
            )
            for at, item in enumerate(chosen)
        ]
        await self._beside(branches, body.at_once, scope)
        left = len(items) - len(chosen)
        told = f"{len(chosen)} items" + (f", {left} left out: more than `most`" if left else "")
        return await self._note(path, "each", StepState.SUCCEEDED, told, {"count": len(chosen), "left_out": left})

    async def _beside(self, branches: Sequence[Branch], at_once: int, scope: dict[str, Any]) -> None:
        """So many at a time; all of them end before one that failed ends the run."""
        stopped: BranchEnd | None = None
        left: dict[str, Any] = {}
        for first in range(0, len(branches), at_once):
            steps, variables = dict(scope["steps"]), dict(scope["vars"])
            for end in await self._engine.branches(branches[first : first + at_once]):
                # Only what the branch changed: the rest it had from before, and another one may have changed that.
                left |= _new(end.steps, steps)
                scope["vars"] |= _new(end.variables, variables)
                if end.stopped is not None and stopped is None:
                    stopped = end
            if stopped is not None and stopped.stopped is not None:
                raise RunStoppedError(stopped.stopped, stopped.error)
        # Not before: what a step brought for one item must not pass for what it has yet to bring for the next.
        scope["steps"] |= left

    async def _approval(
        self,
        body: Approval,
        path: str,
        place: Place,
        prefix: str,
        scope: dict[str, Any],
        approved: Mapping[str, Any],
    ) -> dict[str, Any]:
        text = str(filled(body.text, scope))
        effects = plan_of(body.then, prefix, _before(body.then, scope), self._incident)
        needed, plan = await self._acting.judged(effects, path)
        digest = digest_of_effects(text, effects)
        wish = Wish(
            path=path,
            kind="approval",
            text=text,
            options=("approve", "reject"),
            default="reject",
            plan=plan,
            digest=digest,
            approvers=max(body.approvers, needed),
            four_eyes=body.four_eyes,
            role=body.role,
            expires_s=body.expires,
        )
        told = await self._asking.ask(wish, body.tell, scope, self._acting)
        found = {"choice": told.choice, "by": told.by}
        if told.choice == "approve":
            # What is done is what was shown, also when the incident has changed meanwhile.
            agreed = {**approved, **{one.path: one.values for one in effects if not one.open}}
            await self._steps(body.then, (*place, "approval", "then"), prefix, scope, agreed)
        elif body.else_ is None:
            raise RunStoppedError(RunState.REFUSED, f"{path}: {told.by or 'nobody'} said {told.choice}")
        else:
            await self._steps(body.else_, (*place, "approval", "else"), prefix, scope, approved)
        return found

    async def _ask(self, body: Ask, path: str, scope: dict[str, Any]) -> dict[str, Any]:
        text = str(filled(body.text, scope))
        wish = Wish(
            path=path,
            kind="choice",
            text=text,
            options=body.options,
            default=body.default,
            digest=digest_of_effects(text, ()),
            role=body.role,
            expires_s=body.expires,
        )
        told = await self._asking.ask(wish, body.tell, scope, self._acting)
        await self._refresh(path, scope)
        return {"choice": told.choice, "by": told.by}

    async def _wait(self, body: Wait, path: str, scope: dict[str, Any]) -> dict[str, Any]:
        seconds = body.for_
        if seconds is None:
            until = evaluate(str(body.until), scope)
            if isinstance(until, bool) or not isinstance(until, int | float):
                raise StepFailedError(f"`{body.until}` is no moment in Unix seconds")
            seconds = max(0.0, until - scope["now"])
        left = scope["run"]["deadline"] - scope["now"]
        await self._engine.once(
            f"{path}/waits", partial(self._world.note, path, "wait", StepState.WAITING, f"{seconds:g} s", {}), Moment
        )
        await self._engine.sleep(max(0.0, min(seconds, left)))
        found = await self._note(path, "wait", StepState.SUCCEEDED, f"waited {seconds:g} s", {})
        await self._refresh(path, scope)
        return found

    async def _sub_playbook(
        self, body: SubPlaybook, path: str, scope: dict[str, Any], approved: Mapping[str, Any]
    ) -> dict[str, Any]:
        inputs = approved[path] if path in approved else filled(body.with_, scope)
        started = await self._acting.start(body.name, inputs, path)
        while True:
            state, error = await self._acting.ended(started)
            if state:
                break
            await self._engine.hear(f"ended:{started}", _CHECK_S)
        if state != RunState.SUCCEEDED:
            raise StepFailedError(f"run {started} of {body.name} {state}: {error}")
        await self._refresh(path, scope)
        return await self._note(path, "playbook", StepState.SUCCEEDED, f"run {started}", {"run": started})

    async def _refresh(self, path: str, scope: dict[str, Any]) -> None:
        """After people or time had a say, the subject may be another."""
        scope |= await self._engine.once(f"{path}/context", self._world.context, dict)

    async def _note(self, path: str, kind: str, state: StepState, text: str, values: dict[str, Any]) -> dict[str, Any]:
        work = partial(self._world.note, path, kind, state, text, values)
        await self._engine.once(f"{path}/{state.value}", work, Moment)
        return values

    def _holds(self, source: str, scope: Mapping[str, Any]) -> bool:
        found = evaluate(source, scope)
        if not isinstance(found, bool):
            raise StepFailedError(f"`{source}` is neither true nor false")
        return found

    def _still_wanted(self, moment: Moment, scope: Mapping[str, Any]) -> None:
        if moment.cancel:
            raise RunStoppedError(RunState.CANCELLED, moment.cancel)
        if moment.now > scope["run"]["deadline"]:
            raise RunStoppedError(RunState.FAILED, "the time of the run is over")


def _before(steps: Sequence[Step], scope: Mapping[str, Any]) -> dict[str, Any]:
    """A scope without the variables that the steps set: what depends on them is not known before."""
    names = {name for found in steps_of(steps) if isinstance(found.body, Set) for name in found.body.values}
    return {**scope, "vars": {name: value for name, value in scope["vars"].items() if name not in names}}


def _within(approved: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    return {path: values for path, values in approved.items() if path.startswith(prefix)}


def _new(after: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if name not in before or before[name] != value}
