"""Rules that other systems wrote, as ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from gatewatch.respond.defender_rules import defender_rules
from gatewatch.respond.problems import Problem, ProblemsError
from gatewatch.respond.sentinel_rules import sentinel_rules

__all__ = ["RuleFormat", "imported"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,63}")


class RuleFormat(StrEnum):
    """What can be read."""

    GATEWATCH = "gatewatch"
    SENTINEL = "sentinel"
    """Automation rules of Microsoft Sentinel: one, a list, `{"value": []}` or an ARM template."""
    DEFENDER = "defender"
    """Workflow automations of Microsoft Defender for Cloud, the same shapes."""


def imported(kind: RuleFormat, document: object) -> dict[str, dict[str, Any]]:
    """Name -> rule as people write it. Raises ProblemsError with everything that has no counterpart."""
    problems: list[Problem] = []
    found = _READERS[kind](document, problems)
    if problems:
        raise ProblemsError(problems, cure="What has no counterpart has to be taken out, or written anew.")
    return found


def _own(document: object, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    given = document if isinstance(document, list) else [document]
    found: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(given):
        name = one.get("name") if isinstance(one, Mapping) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            problems.append(Problem(f"[{place}].name", "is needed: 2 to 64 letters, digits, - and _"))
        elif name in found:
            problems.append(Problem(f"[{place}].name", f"{name} is there twice"))
        else:
            found[name] = dict(one)
    return found


_READERS: dict[RuleFormat, Callable[[object, list[Problem]], dict[str, dict[str, Any]]]] = {
    RuleFormat.GATEWATCH: _own,
    RuleFormat.SENTINEL: sentinel_rules,
    RuleFormat.DEFENDER: defender_rules,
}
