"""Which side of an incident and its ticket has to follow the other.

Only what changed since both were last in step counts, so a change that came from the other side is not sent back. When
both changed, the later change wins.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from gatewatch.model.incident import IncidentStatus
from gatewatch.model.ticket import IncidentState, TicketLink, TicketState
from gatewatch.model.verdict import Classification

__all__ = ["JIRA", "SERVICENOW", "Decision", "Move", "TicketMapping", "decide", "moment", "translated"]


class TicketMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of one other system. What is not named is left as it is."""

    incoming: dict[str, IncidentStatus]
    """Their status -> ours."""
    conclusions: dict[str, Classification] = {}
    """Their resolution -> our classification."""
    outgoing: dict[IncidentStatus, str]
    """Our status -> theirs."""
    resolutions: dict[Classification, str] = {}
    """Our classification -> their resolution, given with a resolved status."""


SERVICENOW = TicketMapping(
    incoming={
        "1": IncidentStatus.ACTIVE,
        "2": IncidentStatus.IN_PROGRESS,
        "3": IncidentStatus.AWAITING_ACTION,
        "6": IncidentStatus.RESOLVED,
        "7": IncidentStatus.RESOLVED,
        "8": IncidentStatus.RESOLVED,
    },
    conclusions={
        "Solved (Permanently)": Classification.TRUE_POSITIVE,
        "Solved (Work Around)": Classification.TRUE_POSITIVE,
        "Solution provided": Classification.TRUE_POSITIVE,
        "Not Solved (Not Reproducible)": Classification.FALSE_POSITIVE,
        "No resolution provided": Classification.UNKNOWN,
    },
    outgoing={
        IncidentStatus.ACTIVE: "1",
        IncidentStatus.IN_PROGRESS: "2",
        IncidentStatus.AWAITING_ACTION: "3",
        IncidentStatus.RESOLVED: "6",
    },
    resolutions={
        Classification.TRUE_POSITIVE: "Solved (Permanently)",
        Classification.EXPECTED: "Solved (Work Around)",
        Classification.FALSE_POSITIVE: "Not Solved (Not Reproducible)",
        Classification.UNKNOWN: "Solved (Permanently)",
    },
)
"""The base system's states 1 New, 2 In Progress, 3 On Hold, 6 Resolved, 7 Closed, 8 Cancelled, and its close codes."""
JIRA = TicketMapping(
    incoming={
        "To Do": IncidentStatus.ACTIVE,
        "Open": IncidentStatus.ACTIVE,
        "In Progress": IncidentStatus.IN_PROGRESS,
        "Done": IncidentStatus.RESOLVED,
        "Resolved": IncidentStatus.RESOLVED,
        "Closed": IncidentStatus.RESOLVED,
    },
    conclusions={
        "Done": Classification.TRUE_POSITIVE,
        "Fixed": Classification.TRUE_POSITIVE,
        "Won't Do": Classification.EXPECTED,
        "Cannot Reproduce": Classification.FALSE_POSITIVE,
    },
    outgoing={
        IncidentStatus.ACTIVE: "To Do",
        IncidentStatus.IN_PROGRESS: "In Progress",
        IncidentStatus.AWAITING_ACTION: "In Progress",
        IncidentStatus.RESOLVED: "Done",
    },
)
"""Default workflow of a Jira project; resolutions depend on the screens of a project and are not sent."""


class Move(StrEnum):
    """Who follows."""

    NOTHING = "nothing"
    NOTE = "note"
    """Both say the same by now, or what changed means nothing to the other side."""
    PUSH = "push"
    """The ticket follows."""
    PULL = "pull"
    """The incident follows."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be done."""

    move: Move
    wanted: IncidentState | None = None
    """Of the incident, for PULL."""
    conflict: bool = False
    """Both sides changed and one loses its change."""


def translated(theirs: TicketState, ours: IncidentState, mapping: TicketMapping) -> IncidentState:
    """What a ticket says about its incident; what it leaves open stays as it is."""
    status = mapping.incoming.get(theirs.status, ours.status)
    said = mapping.conclusions.get(theirs.resolution, ours.classification)
    return IncidentState(status=status, classification=said)


def decide(
    link: TicketLink,
    *,
    ours: IncidentState,
    ours_at: float,
    theirs: TicketState,
    theirs_at: float,
    mapping: TicketMapping,
) -> Decision:
    """By what changed on either side since both were in step, and when (Unix seconds)."""
    we, they = ours != link.ours, theirs != link.theirs
    if not we and not they:
        return Decision(move=Move.NOTHING)
    wanted = translated(theirs, ours, mapping)
    if they and wanted == ours:
        return Decision(move=Move.NOTE)
    if they and we:
        move = Move.PULL if theirs_at > ours_at else Move.PUSH
        return Decision(move=move, wanted=wanted if move is Move.PULL else None, conflict=True)
    if they:
        return Decision(move=Move.PULL, wanted=wanted)
    return Decision(move=Move.PUSH if ours.status in mapping.outgoing else Move.NOTE)


def moment(text: str) -> float:
    """Unix seconds of the other system's time, UTC when it names no zone; 0 for what is no time."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
