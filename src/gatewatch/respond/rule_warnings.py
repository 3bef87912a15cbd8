"""What a rule names that is not there, or not ready: no mistakes, since playbooks come and go after the rule."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.model.automation import AutomationRule, RunPlaybook
from gatewatch.model.run import PlaybookVersion
from gatewatch.respond.context import about_of
from gatewatch.respond.problems import Problem

__all__ = ["rule_warnings"]

_MOST_NAMED = 20


def rule_warnings(rule: AutomationRule, playbooks: Sequence[PlaybookVersion]) -> list[Problem]:
    """Of every playbook that the rule would start; `playbooks` are those there are, each by its version that counts."""
    known = {one.name: one for one in playbooks}
    found = []
    for number, action in enumerate(rule.actions):
        if isinstance(action, RunPlaybook):
            why = _warning(action.playbook, about_of(rule.trigger).value, known)
            found += [Problem(f"actions[{number}].playbook", why)] if why else []
    return found


def _warning(name: str, about: str, known: dict[str, PlaybookVersion]) -> str:
    playbook = known.get(name)
    if playbook is None:
        names = f" (there are {', '.join(sorted(known)[:_MOST_NAMED])})" if known else ""
        return f"there is no playbook {name!r}{names}"
    if playbook.subject not in (about, "none"):
        return f"playbook {name} is about a subject {playbook.subject}, the rule about {about}"
    if not playbook.enabled:
        return f"playbook {name} is off: the rule can't start it"
    return f"playbook {name} is in staging: what the rule starts only simulates" if playbook.staging else ""
