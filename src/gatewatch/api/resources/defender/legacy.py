"""The Defender XDR incidents API: `/api/incidents`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from gatewatch.api.context import Services
from gatewatch.api.resources.defender.changes import LegacyChange
from gatewatch.api.resources.defender.envelopes import LegacyRoute
from gatewatch.api.resources.defender.permitting import LEGACY_GET, LEGACY_LIST, LEGACY_PATCH, permits
from gatewatch.api.resources.defender.queries import MOST_SKIPPED, sent
from gatewatch.api.resources.defender.showing import alerts_of, incident_number
from gatewatch.formats.defender.filters import LEGACY_FIELDS, condition
from gatewatch.formats.defender.legacy import legacy_incident
from gatewatch.formats.records import Record
from gatewatch.model.activity import Subject
from gatewatch.model.incident import Incident
from gatewatch.ports.cases import Selection
from gatewatch.ports.control import Role, Token

__all__ = ["router"]

router = APIRouter(tags=["defender"], route_class=LegacyRoute)
_CONTEXT = "https://api.security.microsoft.com/api/$metadata#Incidents"
_MOST_TOP = 100
_MOST_ALERTS = 250
"""Newest alerts shown of one incident: this API has no way to page through them."""


def _shown(services: Services, found: Sequence[Incident]) -> list[Record]:
    rules = services.rules()
    comments = services.cases.comments(Subject.INCIDENT, [str(incident.id) for incident in found])
    return [
        legacy_incident(
            incident,
            alerts_of(services.cases, incident.id, _MOST_ALERTS)[0],
            rules,
            comments.get(str(incident.id), ()),
        )
        for incident in found
    ]


@router.get("/api/incidents", dependencies=[Depends(permits(Role.VIEWER, LEGACY_LIST))])
def incidents(
    services: Services,
    where: Annotated[str, Query(alias="$filter")] = "",
    top: Annotated[int, Query(alias="$top", ge=1, le=_MOST_TOP)] = _MOST_TOP,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=MOST_SKIPPED)] = 0,
) -> Response:
    """Incidents with their alerts, newest first."""
    asked = condition(where, LEGACY_FIELDS) if where.strip() else None
    found, _ = services.cases.select_incidents(Selection(where=asked, order="created_at", skip=skip, limit=top))
    return sent({"@odata.context": _CONTEXT, "value": _shown(services, found)})


@router.get("/api/incidents/{incident_id}", dependencies=[Depends(permits(Role.VIEWER, LEGACY_GET))])
def incident(services: Services, incident_id: str) -> Response:
    """One incident with its alerts."""
    return sent(_one(services, services.cases.incident(incident_number(incident_id))))


def _one(services: Services, found: Incident) -> Record:
    return {"@odata.context": f"{_CONTEXT}/$entity"} | _shown(services, [found])[0]


@router.patch("/api/incidents/{incident_id}")
def change(
    services: Services,
    token: Annotated[Token, Depends(permits(Role.ANALYST, LEGACY_PATCH))],
    incident_id: str,
    wanted: LegacyChange,
) -> Response:
    """Change it, add a comment, or both."""
    number = incident_number(incident_id)
    services.casework.change_incident(number, wanted.patch(), by=token.name)
    if wanted.comment:
        services.casework.comment(Subject.INCIDENT, str(number), wanted.comment, by=token.name)
    return sent(_one(services, services.cases.incident(number)))
