"""Tickets of other systems that stand for incidents of ours."""

from __future__ import annotations

import msgspec

from gatewatch.model.incident import IncidentStatus
from gatewatch.model.verdict import Classification

__all__ = ["IncidentState", "TicketLink", "TicketState"]


class IncidentState(msgspec.Struct, frozen=True, kw_only=True):
    """What of an incident a ticket follows."""

    status: IncidentStatus
    classification: Classification = Classification.UNKNOWN


class TicketState(msgspec.Struct, frozen=True, kw_only=True):
    """What of a ticket an incident follows, in the other system's words."""

    status: str
    resolution: str = ""


class TicketLink(msgspec.Struct, frozen=True, kw_only=True):
    """An incident and its ticket, with the states that both had when they were last in step."""

    connection: str
    ticket: str
    """Id in the other system."""
    number: str = ""
    """What people call it."""
    url: str = ""
    incident: int
    ours: IncidentState
    theirs: TicketState
    synced_at: float
    """Unix seconds."""
    trouble: str = ""
    """Why the last attempt to bring them in step failed; no secret."""
