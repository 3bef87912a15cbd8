"""What happened to an incident and what was done about it, in order."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.incident import Incident
from gatewatch.model.review import ActionTaken, Milestone, Moment

__all__ = ["MOST_ACTIONS", "actions", "contained_at", "milestones"]

MOST_ACTIONS = 200
_TOGETHER_S = 300.0
_TALK = frozenset(
    {"comment", "review_drafted", "review_changed", "review_signed", "review_reopened", "evidence_exported"}
)
"""What changes nothing about the incident; the activity log shows it."""


def contained_at(containments: Sequence[ActionTaken]) -> float | None:
    """When the first containment began."""
    return min((one.at for one in containments), default=None)


def milestones(incident: Incident, containments: Sequence[ActionTaken]) -> tuple[Moment, ...]:
    """All of them, also those that have not happened; event time first, then the time of who worked on it."""
    first = contained_at(containments)
    told = (
        (Milestone.FIRST_CALL, incident.first_activity, "First call that belongs to it", ""),
        (Milestone.FIRST_DETECTION, incident.first_detected, "First alert's condition became true", ""),
        (Milestone.OPENED, incident.created_at, "Incident opened", ""),
        (Milestone.ACKNOWLEDGED, incident.acknowledged_at, "A person took it", "Nobody has taken it."),
        (Milestone.CONTAINED, first, "First containment began", "No containment is recorded."),
        (Milestone.RESOLVED, incident.resolved_at, "Resolved", "It is not resolved."),
    )
    return tuple(
        Moment(milestone=milestone, at=at, text=text if at is not None else missing)
        for milestone, at, text, missing in told
    )


def actions(activities: Sequence[Activity], containments: Sequence[ActionTaken]) -> tuple[tuple[ActionTaken, ...], int]:
    """What people did, oldest first, and how many are left out; alerts changed alike within minutes count as one."""
    found: list[ActionTaken] = list(containments)
    together: dict[tuple[str, str], tuple[float, int]] = {}
    for entry in activities:
        if entry.origin is not Origin.PERSON or entry.action in _TALK:
            continue
        if entry.subject is not Subject.ALERT:
            found.append(ActionTaken(at=entry.at, by=entry.by, kind="casework", text=_told(entry)))
            continue
        key = (entry.by, entry.text)
        at, alerts = together.get(key, (entry.at, 0))
        if entry.at - at > _TOGETHER_S:
            found.append(_group(key, at, alerts))
            at, alerts = entry.at, 0
        together[key] = (at, alerts + 1)
    found += [_group(key, at, alerts) for key, (at, alerts) in together.items()]
    found.sort(key=lambda one: (one.at, one.kind, one.text))
    return tuple(found[:MOST_ACTIONS]), max(0, len(found) - MOST_ACTIONS)


def _group(key: tuple[str, str], at: float, alerts: int) -> ActionTaken:
    counted = f"{alerts} alert{'' if alerts == 1 else 's'}"
    return ActionTaken(at=at, by=key[0], kind="casework", text=f"{counted}: {key[1]}")


def _told(entry: Activity) -> str:
    word = entry.action.replace("_", " ").capitalize()
    return f"{word}: {entry.text}" if entry.text else word
