"""What keeps two incidents apart although they look like one (reference/microsoft.md 7.5)."""

from __future__ import annotations

from gatewatch.model.incident import Incident
from gatewatch.model.verdict import Classification, Determination

__all__ = ["MOST_ENTITIES", "obstacle"]

MOST_ENTITIES = 5000
"""Things that one incident may name; beyond it stops to be one story."""


def obstacle(one: Incident, other: Incident, entities: int) -> str:
    """Why they must not be merged, as the end of a sentence; '' when nothing speaks against it."""
    for incident in (one, other):
        if not incident.status.open:
            return f"incident {incident.id} is {incident.status.value}"
    if one.assigned_to and other.assigned_to and one.assigned_to != other.assigned_to:
        return "they are assigned to different people"
    if _differ(one.classification, other.classification, Classification.UNKNOWN):
        return "they are classified differently"
    if _differ(one.determination, other.determination, Determination.UNKNOWN):
        return "their determinations differ"
    if entities > MOST_ENTITIES:
        return f"together they name more than {MOST_ENTITIES} things"
    return ""


def _differ(one: object, other: object, unknown: object) -> bool:
    return one is not other and unknown not in (one, other)
