"""Routes that clients of Microsoft's security APIs know.

Tokens, `/api/incidents`, `/api/remediationTasks`, Graph incidents and alerts.
"""

from __future__ import annotations

from gatewatch.api.resources.defender import alerts, incidents, legacy, oauth, remediations

__all__ = ["ROUTERS"]

ROUTERS = tuple(part.router for part in (oauth, legacy, incidents, alerts, remediations))
