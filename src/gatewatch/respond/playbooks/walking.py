"""All steps of a playbook with their places and what is known where they stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from pydantic import BaseModel

from gatewatch.respond.playbooks.document import (
    Approval,
    Ask,
    Each,
    If,
    Parallel,
    Sending,
    Step,
    Switch,
    kind_of,
)
from gatewatch.respond.playbooks.reading import Place

__all__ = ["Found", "Group", "body_of", "groups_of", "path_of", "sendings_of", "steps_at", "steps_of", "tellings_of"]


class Group(msgspec.Struct, frozen=True):
    """Steps inside a step."""

    name: str
    """How paths call it; '' when the step has only one."""
    place: Place
    steps: tuple[Step, ...]
    binds: tuple[str, ...] = ()
    """Names that are known only inside."""


class Found(msgspec.Struct, frozen=True):
    """A step where it stands."""

    step: Step
    kind: str
    body: BaseModel
    place: Place
    binds: tuple[str, ...]
    """Names of the loops around it."""
    approved: bool
    """An approval stands around it."""
    path: str
    """Its longest path in a run."""


def path_of(prefix: str, step: str) -> str:
    """Where a step stands in a run; ids are unique in a playbook, so only loops and branches stand before them."""
    return f"{prefix}.{step}" if prefix else step


def body_of(step: Step) -> BaseModel:
    """What stands under the step's own key."""
    kind = kind_of(step)
    body: BaseModel = getattr(step, "if_" if kind == "if" else kind)
    return body


def groups_of(step: Step) -> list[Group]:
    """The steps inside a step, in the order in which they are written."""
    body, kind = body_of(step), kind_of(step)
    found: list[Group] = []
    if isinstance(body, If):
        found = [Group("then", (kind, "then"), body.then), Group("else", (kind, "else"), body.else_)]
    elif isinstance(body, Switch):
        found = [Group(name, (kind, "cases", name), steps) for name, steps in body.cases.items()]
        found.append(Group("default", (kind, "default"), body.default))
    elif isinstance(body, Each):
        found = [Group("do", (kind, "do"), body.do, (body.as_, "index"))]
    elif isinstance(body, Parallel):
        found = [Group(name, (kind, "branches", name), steps) for name, steps in body.branches.items()]
    elif isinstance(body, Approval):
        found = [Group("then", (kind, "then"), body.then), Group("else", (kind, "else"), body.else_ or ())]
    if isinstance(step.on_failure, tuple):
        found.append(Group("failed", ("on_failure",), step.on_failure))
    return found


def steps_of(
    steps: Sequence[Step],
    place: Place = ("steps",),
    binds: tuple[str, ...] = (),
    *,
    approved: bool = False,
    prefix: str = "",
) -> Iterator[Found]:
    """Depth first, in the order in which they are written."""
    for at, step in enumerate(steps):
        here, kind, body, path = (*place, at), kind_of(step), body_of(step), path_of(prefix, step.id)
        yield Found(step, kind, body, here, binds, approved, path)
        for group in groups_of(step):
            inside = approved or (kind == "approval" and group.name == "then")
            before = prefix
            if isinstance(body, Each) and group.name == "do":
                before = f"{path}[{body.most - 1}]"
            elif isinstance(body, Parallel) and group.name != "failed":
                before = f"{path}.{group.name}"
            yield from steps_of(group.steps, here + group.place, binds + group.binds, approved=inside, prefix=before)


def tellings_of(body: BaseModel) -> Sequence[BaseModel]:
    """Messages that carry a question."""
    return body.tell if isinstance(body, Approval | Ask) else ()


def sendings_of(body: BaseModel) -> list[Sending]:
    """What a step sends by itself: its action, or the messages that carry its question."""
    return [one for one in (body, *tellings_of(body)) if isinstance(one, Sending)]


def steps_at(steps: Sequence[Step], place: Place) -> tuple[Step, ...]:
    """The steps of a group by its place. Raises KeyError for a place that is none."""
    for found in steps_of(steps):
        for group in groups_of(found.step):
            if found.place + group.place == place:
                return group.steps
    raise KeyError(place)
