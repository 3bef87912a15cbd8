"""What an approval shows and binds to: the effects of the steps behind it, as far as they are known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec
from pydantic import BaseModel

from gatewatch.errors import InputError
from gatewatch.model.containment import ContainmentPlan, Scope, digest_of
from gatewatch.respond.conditions import fill
from gatewatch.respond.playbooks.document import Action, Change, Contain, Each, Parallel, Step, SubPlaybook
from gatewatch.respond.playbooks.walking import body_of, groups_of, path_of
from gatewatch.respond.playbooks.words import duration_text

__all__ = [
    "Planned",
    "containment_of",
    "digest_of_effects",
    "experience",
    "filled",
    "foretold",
    "key_of",
    "plan_of",
    "sentence_of",
]

Scopes = Mapping[str, Any]
_MOST_EFFECTS, _MOST_TEXT = 2000, 200
"""Nobody can agree to more than they can look at."""
_NAMED = 3


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One effect."""

    path: str
    text: str
    """For people."""
    digest: str
    containment: ContainmentPlan | None = None
    values: Any = None
    """Exactly what will be done."""
    open: bool = False
    """Some of it depends on what the steps before it bring."""


def key_of(run: str, path: str) -> str:
    """Idempotency key of a step of a run: the same for every attempt."""
    return blake2b(f"{run}\n{path}".encode(), digest_size=16).hexdigest()


def filled(value: Any, scope: Scopes) -> Any:
    """A value with every expression inside it replaced. Raises InputError."""
    if isinstance(value, str):
        return fill(value, scope)
    if isinstance(value, Mapping):
        return {key: filled(inside, scope) for key, inside in value.items()}
    if isinstance(value, list | tuple):
        return [filled(inside, scope) for inside in value]
    return value


def containment_of(body: Contain, scope: Scopes, incident: int) -> ContainmentPlan:
    """The plan of a step. Raises InputError for values that make none."""
    told = {name: str(filled(getattr(body, name), scope)) for name in ("gateway", "value", "endpoint", "reason")}
    try:
        return msgspec.convert(
            {
                "gateway": told["gateway"],
                "scope": Scope(kind=body.scope, value=told["value"], endpoint=told["endpoint"]),
                "effect": body.effect,
                "duration_s": body.duration,
                "calls": body.calls,
                "per_s": int(body.per),
                "reason": told["reason"] or f"playbook {scope['run']['playbook']}",
                "incident": incident,
                "expects": {
                    "attack_falls_by": body.expects.attack_falls_by,
                    "collateral_at_most": body.expects.collateral_at_most,
                    "bystanders_at_most": body.expects.bystanders_at_most,
                    "within_s": body.expects.within,
                },
            },
            ContainmentPlan,
        )
    except msgspec.ValidationError as error:
        raise InputError(f"no containment can be planned: {error}") from error


def digest_of_effects(text: str, effects: Sequence[Planned]) -> str:
    """What an approval binds to: the question and every effect, in order."""
    return _digest([text, [[one.path, one.digest] for one in effects]])


def plan_of(steps: Sequence[Step], prefix: str, scope: Scopes, incident: int) -> list[Planned]:
    """Every effect that the steps may have, in order; of ways that exclude each other, both.

    Raises InputError for more than can be approved.
    """
    found: list[Planned] = []
    for step in steps:
        path, body = path_of(prefix, step.id), body_of(step)
        own = _own(body, path, scope, incident)
        if own is not None:
            found.append(own)
        for group in groups_of(step):
            if isinstance(body, Each) and group.name == "do":
                found += _items(body, path, scope, incident)
                continue
            inside = f"{path}.{group.name}" if isinstance(body, Parallel) and group.name != "failed" else prefix
            found += plan_of(group.steps, inside, scope, incident)
        if len(found) > _MOST_EFFECTS:
            raise InputError(f"more than {_MOST_EFFECTS} effects can't be approved at once")
    return found


def _items(body: Each, path: str, scope: Scopes, incident: int) -> list[Planned]:
    """The loop with the items that it will have, then what is done to each."""
    told = f"for each of `{body.in_}`"
    try:
        items = filled("${" + body.in_ + "}", scope)
    except InputError:
        items = None
    if not isinstance(items, list):
        effects = plan_of(body.do, f"{path}[]", {**scope}, incident)
        return [msgspec.structs.replace(one, text=f"{told}: {one.text}", open=True) for one in effects]
    chosen = items[: body.most]
    left = f", {len(items) - len(chosen)} left out" if len(items) > len(chosen) else ""
    found = [Planned(path=path, text=f"{told} ({len(chosen)}{left})", digest=_digest(["each", chosen]), values=chosen)]
    for at, item in enumerate(chosen):
        inner = {**scope, body.as_: item, "index": at}
        found += plan_of(body.do, f"{path}[{at}]", inner, incident)
        if len(found) > _MOST_EFFECTS:
            raise InputError(f"more than {_MOST_EFFECTS} effects can't be approved at once")
    return found


def _own(body: BaseModel, path: str, scope: Scopes, incident: int) -> Planned | None:
    if isinstance(body, Contain):
        return _containment(body, path, scope, incident)
    if isinstance(body, Action):
        what, given = f"{body.connection}: {body.do}", body.with_
        head = ["action", body.connection, body.do]
    elif isinstance(body, SubPlaybook):
        what, given, head = f"playbook {body.name}", body.with_, ["playbook", body.name]
    elif isinstance(body, Change):
        what, given, head = "change the incident", body.model_dump(exclude_unset=True), ["change"]
    else:
        return None
    try:
        inputs = filled(given, scope)
    except InputError:
        return Planned(path=path, text=f"{what} {_short(given)}", digest=_digest([*head, given]), open=True)
    return Planned(path=path, text=f"{what} {_short(inputs)}", digest=_digest([*head, inputs]), values=inputs)


def _containment(body: Contain, path: str, scope: Scopes, incident: int) -> Planned:
    try:
        plan = containment_of(body, scope, incident)
    except InputError:
        text = f"{body.effect.value} {body.scope.value} {body.value} on {body.gateway}"
        return Planned(path=path, text=text, digest=_digest(["contain", body.model_dump(mode="json")]), open=True)
    values = msgspec.to_builtins(plan)
    return Planned(path=path, text=sentence_of(plan), digest=digest_of(plan), containment=plan, values=values)


def sentence_of(plan: ContainmentPlan) -> str:
    """Everything that decides whom it hits, and how hard."""
    rate = f" to {plan.calls} calls in {duration_text(plan.per_s)}" if plan.calls is not None else ""
    where = f" at {plan.scope.endpoint}" if plan.scope.endpoint else ""
    what = f"{plan.effect.value} {plan.scope.kind.value} {plan.scope.value}{where}{rate}"
    return f"{what} on {plan.gateway} for {duration_text(plan.duration_s)}"


def foretold(radius: Mapping[str, Any], incident: int) -> str:
    """Whom a containment would have hit, as the person sees it who has to agree; '' when nothing was judged."""
    if not radius:
        return ""
    told = f"in the last {radius['hours']:g} hours it would have hit {radius['calls_hit']} of {radius['calls']} calls"
    if not radius["calls_hit"]:
        return told
    if not radius["bystanders_count"]:
        return f"{told}, all by callers that incident {incident} names" if incident else told
    named = list(radius["bystanders"][:_NAMED])
    more = radius["bystanders_count"] - len(named)
    who = ", ".join(named) + (f" and {more} more" if more else "")
    whose = f"callers that incident {incident} does not name" if incident else "bystanders"
    return f"{told}, {radius['bystander_calls']} of them by {whose}: {who}"


def experience(evidence: Mapping[str, Any] | None) -> str:
    """How such containments have fared before; '' when none was measured."""
    if not evidence:
        return ""
    ended = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(evidence["verdicts"].items()))
    return f"of {evidence['actions']} such before: {ended}"


def _digest(value: Any) -> str:
    return blake2b(msgspec.json.encode(value, order="deterministic"), digest_size=16).hexdigest()


def _short(value: Any) -> str:
    text = ", ".join(f"{key}={inside}" for key, inside in value.items()) if isinstance(value, Mapping) else str(value)
    return text if len(text) <= _MOST_TEXT else text[: _MOST_TEXT - 1] + "…"
