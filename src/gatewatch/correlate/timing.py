"""How long the parts of an incident took."""

from __future__ import annotations

from gatewatch.model.dossier import Timing
from gatewatch.model.incident import Incident

__all__ = ["timing_of"]


def timing_of(incident: Incident, *, contained_at: float | None = None) -> Timing:
    """`contained_at`: Unix seconds of the first containment."""
    return Timing(
        to_detect_s=max(0.0, incident.first_detected - incident.first_activity),
        to_acknowledge_s=_since(incident, incident.acknowledged_at),
        to_contain_s=_since(incident, contained_at),
        to_resolve_s=_since(incident, incident.resolved_at),
        lasted_s=max(0.0, incident.last_activity - incident.first_activity),
    )


def _since(incident: Incident, moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - incident.created_at)
