"""What a playbook's shape can't tell: names that lead nowhere, wrong expressions, inputs that do not fit."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel

from gatewatch.model.action import ActionMeta, ConnectorMeta
from gatewatch.model.alert import Severity
from gatewatch.model.containment import Effect
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.verdict import Classification, Determination
from gatewatch.respond.conditions import expressions_of, problem_of
from gatewatch.respond.context import ROOTS, AlertFacts
from gatewatch.respond.fields import field_problem
from gatewatch.respond.playbooks.document import (
    Ask,
    Change,
    Contain,
    Each,
    If,
    Playbook,
    Sending,
    Set,
    SubPlaybook,
    Switch,
    Wait,
)
from gatewatch.respond.playbooks.reading import Place, PlaybookError, Problem, Source, read_source
from gatewatch.respond.playbooks.walking import Found, steps_of, tellings_of

__all__ = ["Surroundings", "fits", "read_playbook", "roots_of"]

_ROOTS: dict[str, tuple[str, ...]] = {
    "incident": ("incident", "alerts", "entities"),
    "alert": ("alert", "incident", "entities"),
    "finding": ("finding",),
    "none": (),
}
_TYPED: dict[str, Any] = {**ROOTS, "alerts": list[AlertFacts]}
_LONGEST_PATH = 250
"""Of what the control store keeps (300), the rest is for what belongs to a step: `/tell[19]`."""
_ALWAYS = ("inputs", "steps", "vars", "run", "now")
_STEP_NAME = re.compile(r"\bsteps\.(\w+)")
_INPUT_NAME = re.compile(r"\binputs\.(\w+)")
_VARIABLE_NAME = re.compile(r"\bvars\.(\w+)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list, tuple),
    "object": (dict,),
}
_CHANGES: dict[str, Collection[str]] = {
    "status": tuple(IncidentStatus),
    "severity": tuple(Severity),
    "classification": tuple(Classification),
    "determination": tuple(Determination),
}


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the installation has; None where that is not known, and then not checked."""

    connections: Mapping[str, ConnectorMeta] | None = None
    gateways: Collection[str] | None = None
    playbooks: Mapping[str, str] | None = None
    """Name -> subject."""
    kept: bool = False
    """It was checked when it was saved: a field that is refused now may stand on a way that no run goes."""


def roots_of(subject: str) -> tuple[str, ...]:
    """Names that expressions of a playbook about such a subject know."""
    return _ROOTS[subject] + _ALWAYS


def fits(value: object, kind: str) -> bool:
    """Whether a value is of a JSON Schema type."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])


def read_playbook(text: str, around: Surroundings) -> Playbook:
    """The checked document. Raises PlaybookError with all mistakes at once."""
    found = read_source(text)
    problems = list(found.problems)
    if found.document is not None:
        problems += _Check(found.document, found.source, around, found.lost).problems()
    if found.document is None or problems:
        raise PlaybookError(problems)
    return found.document


class _Check:
    def __init__(self, document: Playbook, source: Source, around: Surroundings, lost: frozenset[str]) -> None:
        self._document, self._source, self._around, self._lost = document, source, around, lost
        self._roots = roots_of(document.subject)
        self._types = {} if around.kept else {name: _TYPED[name] for name in _ROOTS[document.subject]}
        self._ids: dict[str, int] = {}
        self._variables: set[str] = set()

    def problems(self) -> Iterator[Problem]:
        yield from self._inputs()
        if self._document.coalesce:
            yield from self._texts(self._document.coalesce, ("coalesce",), ())
        for found in steps_of(self._document.steps):
            yield from self._step(found)
            self._ids[found.step.id] = len(self._ids)
            if isinstance(found.body, Set):
                self._variables |= found.body.values.keys()

    def _at(self, place: Place, message: str) -> Problem:
        return self._source.problem(place, message)

    def _inputs(self) -> Iterator[Problem]:
        for name, given in self._document.inputs.items():
            place = ("inputs", name)
            if given.default is not None and not fits(given.default, given.type):
                yield self._at((*place, "default"), f"is not of type {given.type}")
            if given.choices and given.default is not None and given.default not in given.choices:
                yield self._at((*place, "default"), "is none of the choices")
            if given.required and given.default is not None:
                yield self._at((*place, "required"), "an input with a default is not required")

    def _step(self, found: Found) -> Iterator[Problem]:
        step, place = found.step, found.place
        if step.id in self._ids:
            yield self._at((*place, "id"), f"`{step.id}` is the id of an earlier step")
        if len(found.path) > _LONGEST_PATH:
            yield self._at((*place, "id"), "stands in too many loops and branches; shorter ids help")
        if step.when:
            yield from self._expression(step.when, (*place, "when"), found.binds)
        lock = getattr(step, "lock", None)
        if lock:
            yield from self._texts(lock, (*place, "lock"), found.binds)
        yield from self._body(found)
        for at, telling in enumerate(tellings_of(found.body)):
            if isinstance(telling, Sending):
                yield from self._sending(telling, (*place, found.kind, "tell", at), (*found.binds, "ask"))

    def _body(self, found: Found) -> Iterator[Problem]:
        body, place, binds = found.body, (*found.place, found.kind), found.binds
        if isinstance(body, Sending):
            yield from self._sending(body, place, binds)
        elif isinstance(body, If):
            yield from self._expression(body.condition, (*place, "condition"), binds)
        elif isinstance(body, Switch):
            yield from self._expression(body.on, (*place, "on"), binds)
        elif isinstance(body, Each):
            yield from self._expression(body.in_, (*place, "in"), binds)
            if body.as_ in self._roots:
                yield self._at((*place, "as"), f"`{body.as_}` means something else already")
        elif isinstance(body, Wait):
            yield from self._wait(body, place, binds)
        elif isinstance(body, Ask) and body.default not in body.options:
            yield self._at((*place, "default"), f"is none of {', '.join(body.options)}")
        elif isinstance(body, Contain):
            yield from self._contain(body, place, binds)
        elif isinstance(body, Change):
            yield from self._change(body, place, binds)
        elif isinstance(body, SubPlaybook):
            yield from self._sub_playbook(body, place, binds)
        elif isinstance(body, Set):
            yield from self._texts(body.values, (*place, "values"), binds)
        text = getattr(body, "text", "")
        if text:
            yield from self._texts(text, (*place, "text"), binds)

    def _wait(self, body: Wait, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        if (body.for_ is None) == (body.until is None):
            yield self._at(place, "needs either `for` or `until`")
        if body.until:
            yield from self._expression(body.until, (*place, "until"), binds)

    def _contain(self, body: Contain, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        for name in ("gateway", "value", "endpoint", "reason"):
            yield from self._texts(getattr(body, name), (*place, name), binds)
        known = self._around.gateways
        if known is not None and "${" not in body.gateway and body.gateway not in known:
            yield self._at((*place, "gateway"), f"there is no gateway `{body.gateway}`{_known(known)}")
        if body.effect is Effect.THROTTLE and body.calls is None:
            yield self._at((*place, "effect"), "throttling needs `calls`")

    def _change(self, body: Change, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        if self._document.subject not in ("incident", "alert"):
            yield self._at(place, f"there is nothing to change about a subject `{self._document.subject}`")
        for name in body.model_fields_set:
            value = getattr(body, name)
            yield from self._texts(value, (*place, name), binds)
            choices = _CHANGES.get(name)
            if choices and isinstance(value, str) and "${" not in value and value not in choices:
                yield self._at((*place, name), f"is none of {', '.join(choices)}")

    def _sub_playbook(self, body: SubPlaybook, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        yield from self._texts(body.with_, (*place, "with"), binds)
        known = self._around.playbooks
        if body.name == self._document.name:
            yield self._at((*place, "name"), "a playbook can't run itself")
        elif known is not None and body.name not in known:
            yield self._at((*place, "name"), f"there is no playbook `{body.name}`{_known(known)}")
        elif known is not None and known[body.name] not in (self._document.subject, "none"):
            yield self._at((*place, "name"), f"`{body.name}` is about a subject `{known[body.name]}`")

    def _sending(self, body: Sending, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        yield from self._texts(body.with_, (*place, "with"), binds)
        known = self._around.connections
        if known is None:
            return
        if body.connection not in known:
            told = f"there is no connection `{body.connection}`{_known(known)}"
            yield self._at((*place, "connection"), told)
            return
        actions = {action.id: action for action in known[body.connection].actions}
        if body.do not in actions:
            yield self._at((*place, "do"), f"`{body.connection}` can't do `{body.do}`{_known(actions)}")
            return
        yield from self._given(body.with_, actions[body.do], place)

    def _given(self, given: Mapping[str, Any], action: ActionMeta, place: Place) -> Iterator[Problem]:
        inputs = {one.name: one for one in action.inputs}
        for name, one in inputs.items():
            if one.required and name not in given:
                yield self._at((*place, "with"), f"`{action.id}` needs `{name}`: {one.description}")
        for name, value in given.items():
            here = (*place, "with", name)
            if name not in inputs:
                yield self._at(here, f"`{action.id}` knows no `{name}`{_known(inputs)}")
            elif not (isinstance(value, str) and "${" in value):
                one = inputs[name]
                if not fits(value, one.type):
                    yield self._at(here, f"is not of type {one.type}")
                elif one.choices and value not in one.choices:
                    yield self._at(here, f"is none of {', '.join(one.choices)}")

    def _texts(self, value: object, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        """Every expression inside a value."""
        if isinstance(value, str):
            for source in expressions_of(value):
                yield from self._expression(source, place, binds)
            if value.count("${") != len(expressions_of(value)):
                yield self._at(place, "has a `${` that no `}` ends")
        elif isinstance(value, Mapping):
            for key, inside in value.items():
                yield from self._texts(inside, (*place, key), binds)
        elif isinstance(value, list | tuple):
            for at, inside in enumerate(value):
                yield from self._texts(inside, (*place, at), binds)
        elif isinstance(value, BaseModel):
            yield from self._texts(value.model_dump(), place, binds)

    def _expression(self, source: str, place: Place, binds: tuple[str, ...]) -> Iterator[Problem]:
        types = {name: kind for name, kind in self._types.items() if name not in binds}
        why = problem_of(source, (*self._roots, *binds, *self._lost)) or field_problem(source, types)
        if why:
            yield self._at(place, why)
            return
        bare = _QUOTED.sub("''", source)
        for pattern, known, what in (
            (_STEP_NAME, self._ids, "no earlier step"),
            (_INPUT_NAME, self._document.inputs, "no input"),
            (_VARIABLE_NAME, self._variables, "no variable set before"),
        ):
            for name in dict.fromkeys(pattern.findall(bare)):
                if name not in known and name not in self._lost:
                    yield self._at(place, f"`{name}` is {what}{_known(known)}")


def _known(names: Collection[str]) -> str:
    return f" (there are {', '.join(sorted(names)[:20])})" if names else ""
