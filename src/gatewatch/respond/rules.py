"""Which rules an event concerns, whether their conditions hold, and why; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.errors import InputError
from gatewatch.model.automation import (
    About,
    Action,
    ActionOutcome,
    ActionReport,
    AddComment,
    AddTags,
    AddTask,
    AutomationRule,
    ChangeProperties,
    ConditionReport,
    RemoveTags,
    RunOutcome,
    RunPlaybook,
    trigger_name,
)
from gatewatch.model.difference import Difference
from gatewatch.respond.conditions import Facts, fill, roots_of
from gatewatch.respond.context import ROOTS
from gatewatch.respond.fields import paths_of

__all__ = [
    "MOST_CHAIN",
    "Event",
    "Judgement",
    "concerned",
    "event_of",
    "filled",
    "judge",
    "named_roots",
    "run_id",
    "told",
    "would",
]

MOST_CHAIN = 5
"""Rules that may lead to each other, one after the other, before the chain is cut."""
_MOST_SHOWN = 200
_UNHEALTHY = "unhealthy"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that rules may react to."""

    key: str
    """What makes it one event."""
    seq: int = 0
    triggers: frozenset[str]
    about: About
    subject: str = ""
    difference: Difference = Difference()

    @property
    def chain(self) -> tuple[str, ...]:
        """Rules that led to it."""
        return self.difference.chain


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the conditions said."""

    outcome: RunOutcome
    why: str
    conditions: tuple[ConditionReport, ...]


def event_of(about: About, subject: str, seq: int, difference: Difference, status: str = "") -> Event | None:
    """The event of one change; None for one that concerns nobody. `status` is what a finding is now."""
    if difference.empty:
        return None
    triggers: set[str] = set()
    if about is About.INCIDENT:
        triggers.add("incident_created" if difference.created else "incident_updated")
    elif about is About.ALERT and difference.created:
        triggers.add("alert_created")
    elif about is About.FINDING:
        after = difference.fields.get("status", ("", status if difference.created else ""))[1]
        triggers |= {"finding_opened"} if after == _UNHEALTHY else set()
        triggers |= set() if difference.created else {"finding_changed"}
    if not triggers:
        return None
    return Event(
        key=f"seq {seq}",
        seq=seq,
        triggers=frozenset(triggers),
        about=about,
        subject=subject,
        difference=difference,
    )


def concerned(rules: Iterable[AutomationRule], event: Event, at: float) -> list[AutomationRule]:
    """Rules to be run on an event, in order. A rule does not hear of what it changed itself."""
    found = [
        rule
        for rule in rules
        if rule.enabled
        and trigger_name(rule.trigger) in event.triggers
        and not rule.expired(at)
        and event.chain[-1:] != (rule.name,)
    ]
    return sorted(found, key=lambda rule: (rule.order, rule.name))


def run_id(rule: str, event: str) -> str:
    """The same for the same rule and event, always: 32 hexadecimal digits."""
    return blake2b(f"{rule}\0{event}".encode(), digest_size=16).hexdigest()


def named_roots(rules: Iterable[AutomationRule]) -> frozenset[str]:
    """Variables that conditions and texts of these rules may name; what nobody names needs not be looked up."""
    found: set[str] = set()
    for rule in rules:
        for condition in rule.conditions:
            found |= roots_of(condition)
        if any(isinstance(action, AddTask | AddComment | RunPlaybook) for action in rule.actions):
            return frozenset(ROOTS)
    return frozenset(found)


def judge(rule: AutomationRule, facts: Facts, plain: Mapping[str, Any]) -> Judgement:
    """All conditions are looked at, also after one that does not hold. `plain` is what `facts` was made from."""
    reports = tuple(_condition(condition, facts, plain) for condition in rule.conditions)
    wrong = next((one for one in reports if one.holds is False), None)
    unknown = next((one for one in reports if one.holds is None), None)
    if wrong is not None:
        return Judgement(outcome=RunOutcome.NOT_MATCHED, why=f"`{wrong.text}` does not hold.", conditions=reports)
    if unknown is not None:
        return Judgement(outcome=RunOutcome.FAILED, why=f"Not run, because {unknown.why}", conditions=reports)
    why = f"All {len(reports)} conditions hold." if reports else "The rule has no conditions."
    return Judgement(outcome=RunOutcome.MATCHED, why=why, conditions=reports)


def _condition(text: str, facts: Facts, plain: Mapping[str, Any]) -> ConditionReport:
    values = {path: _shown(_at(path, plain)) for path in _named(text)}
    try:
        found = facts.value(text)
    except InputError as error:
        return ConditionReport(text=text, holds=None, why=error.message, values=values)
    if not isinstance(found, bool):
        why = f"`{text}` is {type(found).__name__}, not true or false"
        return ConditionReport(text=text, holds=None, why=why, values=values)
    return ConditionReport(text=text, holds=found, values=values)


@lru_cache(maxsize=4000)
def _named(text: str) -> tuple[str, ...]:
    return tuple(paths_of(text, ROOTS))


def _at(path: str, plain: Mapping[str, Any]) -> Any:
    found: Any = plain
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def filled(action: Action, facts: Facts) -> Action:
    """The action with `${…}` in its texts replaced. Raises InputError."""
    if isinstance(action, AddTask):
        return msgspec.structs.replace(action, title=str(fill(action.title, facts)))
    if isinstance(action, AddComment):
        return msgspec.structs.replace(action, text=str(fill(action.text, facts)))
    if isinstance(action, RunPlaybook):
        return msgspec.structs.replace(action, inputs=_filled(action.inputs, facts))
    return action


def _filled(value: Any, facts: Facts) -> Any:
    if isinstance(value, str):
        return fill(value, facts)
    if isinstance(value, Mapping):
        return {name: _filled(one, facts) for name, one in value.items()}
    if isinstance(value, Sequence):
        return [_filled(one, facts) for one in value]
    return value


def told(action: Action) -> str:
    """The action in words."""
    if isinstance(action, ChangeProperties):
        given = {name: getattr(action, name) for name in action.__struct_fields__}
        return ", ".join(f"{name} = {value or 'none'}" for name, value in given.items() if value is not None)
    if isinstance(action, AddTags | RemoveTags):
        return ", ".join(action.tags)
    if isinstance(action, AddTask):
        return action.title
    return action.text if isinstance(action, AddComment) else action.playbook


def would(rule: AutomationRule, facts: Facts) -> tuple[ActionReport, ...]:
    """What the actions would be; nothing is done."""
    found = []
    for action in rule.actions:
        name = str(action.__struct_config__.tag)
        try:
            ready = filled(action, facts)
        except InputError as error:
            found.append(ActionReport(action=name, outcome=ActionOutcome.FAILED, detail=error.message))
            continue
        inputs = ready.inputs if isinstance(ready, RunPlaybook) else {}
        playbook = ready.playbook if isinstance(ready, RunPlaybook) else ""
        found.append(
            ActionReport(action=name, outcome=ActionOutcome.WOULD, detail=told(ready), playbook=playbook, inputs=inputs)
        )
    return tuple(found)
