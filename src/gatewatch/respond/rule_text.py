"""Rules as people write them (YAML, JSON): read, checked as a whole, and written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

import msgspec
from croniter import croniter

from gatewatch.errors import InputError
from gatewatch.model.alert import AlertStatus
from gatewatch.model.automation import (
    About,
    Action,
    AddComment,
    AddTags,
    AddTask,
    AutomationRule,
    ChangeProperties,
    RemoveTags,
    RunPlaybook,
    Schedule,
    Trigger,
)
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.verdict import DETERMINATIONS, Classification, Determination
from gatewatch.respond.conditions import Facts, expressions_of, problem_of
from gatewatch.respond.context import about_of, roots_for
from gatewatch.respond.fields import example_of, field_problem
from gatewatch.respond.problems import Problem, ProblemsError, built

__all__ = ["MOST_ACTIONS", "MOST_CONDITIONS", "RuleText", "read_rule", "rule_problems", "text_of"]

MOST_ACTIONS, MOST_CONDITIONS, MOST_ORDER = 20, 50, 1000
"""As in reference/microsoft.md 8.1."""
_MOST_TITLE, _MOST_TEXT = 500, 30_000
_ALERT_FIELDS = ("status", "classification", "determination", "assigned_to")
_SETTABLE = tuple(one.value for one in IncidentStatus if one is not IncidentStatus.REDIRECTED)


class RuleText(msgspec.Struct, frozen=True, kw_only=True):
    """What people write; the rest of a rule is the server's."""

    title: str
    """For lists; at most 500 characters."""
    description: str = ""
    order: int = 100
    """1 to 1000; lower ones run first, equal ones by name."""
    enabled: bool = True
    trigger: Trigger
    """`{on: ...}`, or the word alone where the trigger has no members."""
    timezone: str = "UTC"
    """IANA name; for schedules and for `now`."""
    conditions: tuple[str, ...] = ()
    """At most 50; all have to hold."""
    expires_at: datetime | None = None
    """RFC 3339; from then on it does not run. Without a zone it is UTC."""
    actions: tuple[Action, ...] = ()
    """1 to 20, in order."""


def read_rule(name: str, data: object, *, by: str, at: float) -> AutomationRule:
    """A rule from plain data. Raises ProblemsError with all that is wrong."""
    problems: list[Problem] = []
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key != "name"}
    text = built(data, RuleText, problems)
    if text is None:
        raise ProblemsError(problems, what=f"rule {name}")
    moment = text.expires_at
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    values = {field: getattr(text, field) for field in RuleText.__struct_fields__ if field != "expires_at"}
    rule = AutomationRule(
        name=name,
        **values,
        expires_at=moment.timestamp() if moment is not None else None,
        created_at=at,
        created_by=by,
        updated_at=at,
        updated_by=by,
    )
    found = rule_problems(rule)
    if found:
        raise ProblemsError(found, what=f"rule {name}")
    return rule


def text_of(rule: AutomationRule) -> dict[str, Any]:
    """What `read_rule` takes, without what is as usual."""
    moment = datetime.fromtimestamp(rule.expires_at, UTC) if rule.expires_at is not None else None
    given = {field: getattr(rule, field) for field in RuleText.__struct_fields__ if field != "expires_at"}
    plain: dict[str, Any] = msgspec.to_builtins(RuleText(**given, expires_at=moment))
    usual = {"description": "", "enabled": True, "timezone": "UTC", "conditions": [], "expires_at": None}
    shown = {name: value for name, value in plain.items() if name not in usual or value != usual[name]}
    shown["actions"] = [
        {key: value for key, value in one.items() if value not in (None, {})} for one in shown["actions"]
    ]
    return {"name": rule.name, **shown}


def rule_problems(rule: AutomationRule) -> list[Problem]:
    """What types can not say."""
    found = []
    if not 1 <= rule.order <= MOST_ORDER:
        found.append(Problem("order", f"{rule.order} is not within 1 to {MOST_ORDER}"))
    if not 0 < len(rule.title.strip()) <= _MOST_TITLE:
        found.append(Problem("title", f"has 1 to {_MOST_TITLE} characters"))
    if rule.timezone not in available_timezones():
        found.append(Problem("timezone", f"{rule.timezone!r} is no IANA time zone, for example Europe/Berlin"))
    if isinstance(rule.trigger, Schedule) and not _is_cron(rule.trigger.cron):
        found.append(Problem("trigger.cron", f"{rule.trigger.cron!r} is no cron expression of five fields"))
    if not rule.actions or len(rule.actions) > MOST_ACTIONS:
        found.append(Problem("actions", f"are {len(rule.actions)}; there have to be 1 to {MOST_ACTIONS}"))
    if len(rule.conditions) > MOST_CONDITIONS:
        found.append(Problem("conditions", f"are {len(rule.conditions)}; there may be {MOST_CONDITIONS}"))
    roots = roots_for(rule.trigger)
    for number, condition in enumerate(rule.conditions):
        why = _condition_problem(condition, roots)
        if why:
            found.append(Problem(f"conditions[{number}]", why))
    for number, action in enumerate(rule.actions):
        found += _action_problems(action, about_of(rule.trigger), roots, f"actions[{number}]")
    return found


def _is_cron(text: str) -> bool:
    return len(text.split()) == 5 and bool(croniter.is_valid(text))


def _expression_problem(source: str, roots: dict[str, Any]) -> str:
    return problem_of(source, roots) or field_problem(source, roots)


def _condition_problem(source: str, roots: dict[str, Any]) -> str:
    why = _expression_problem(source, roots)
    if why:
        return why
    try:
        found = Facts({name: example_of(kind) for name, kind in roots.items()}).value(source)
    except InputError as error:
        # What is missing in the example (an index, a key) may be there when the rule runs; a wrong type never fits.
        return error.message if isinstance(error.__cause__, TypeError) else ""
    return "" if isinstance(found, bool) else f"`{source}` is {type(found).__name__}, not true or false"


def _action_problems(action: Action, about: About, roots: dict[str, Any], at: str) -> list[Problem]:
    if about in (About.FINDING, About.NONE) and not isinstance(action, RunPlaybook):
        told = "a schedule" if about is About.NONE else "a finding"
        return [Problem(f"{at}.do", f"{told} has nothing to change; only run_playbook can be done")]
    if isinstance(action, ChangeProperties):
        return _property_problems(action, about, at)
    if isinstance(action, AddTags | RemoveTags):
        wrong = not action.tags or any(not tag.strip() or len(tag) > 128 for tag in action.tags)
        return [Problem(f"{at}.tags", "have to be texts of 1 to 128 characters")] if wrong else []
    found = []
    for field, text in _texts(action):
        if not text.strip() or len(text) > _MOST_TEXT:
            found.append(Problem(f"{at}.{field}", f"has 1 to {_MOST_TEXT} characters"))
        if text.count("${") != len(expressions_of(text)):
            found.append(Problem(f"{at}.{field}", "has a `${` that no `}` ends"))
        for expression in expressions_of(text):
            why = _expression_problem(expression, roots)
            if why:
                found.append(Problem(f"{at}.{field}", why))
    return found


def _texts(action: Action) -> list[tuple[str, str]]:
    if isinstance(action, AddTask):
        return [("title", action.title)]
    if isinstance(action, AddComment):
        return [("text", action.text)]
    if isinstance(action, RunPlaybook):
        return [("playbook", action.playbook), *_inside(action.inputs, "inputs")]
    return []


def _inside(value: object, at: str) -> Iterator[tuple[str, str]]:
    """Every text in it that is not empty, with its place."""
    if isinstance(value, str) and value:
        yield at, value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _inside(one, f"{at}.{name}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _inside(one, f"{at}[{number}]")


def _property_problems(action: ChangeProperties, about: About, at: str) -> list[Problem]:
    given = [name for name in action.__struct_fields__ if getattr(action, name) is not None]
    if not given:
        return [Problem(at, f"changes nothing; there may be {', '.join(action.__struct_fields__)}")]
    found = []
    if about is About.ALERT:
        known = ", ".join(_ALERT_FIELDS)
        found = [
            Problem(f"{at}.{name}", f"can't be changed of an alert; {known} can")
            for name in given
            if name not in _ALERT_FIELDS
        ]
    statuses = [one.value for one in AlertStatus] if about is About.ALERT else list(_SETTABLE)
    if action.status is not None and action.status not in statuses:
        found.append(Problem(f"{at}.status", f"{action.status!r} is unknown; known are {', '.join(statuses)}"))
    said, what = action.classification, action.determination
    if said is not None and what is not None and what not in DETERMINATIONS[said]:
        allowed = ", ".join(sorted(one.value for one in DETERMINATIONS[said]))
        found.append(Problem(f"{at}.determination", f"{what.value} does not go with {said.value}; {allowed} do"))
    if said is Classification.UNKNOWN and what not in (None, Determination.UNKNOWN):
        found.append(Problem(f"{at}.classification", "is needed for a determination"))
    return found
