"""Graph: `/v1.0/security/alerts_v2`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from gatewatch.api.context import Services
from gatewatch.api.resources.defender.changes import AlertChange, Comment, Move
from gatewatch.api.resources.defender.envelopes import GraphRoute
from gatewatch.api.resources.defender.incidents import ALERT_SORTING
from gatewatch.api.resources.defender.permitting import GRAPH, GraphWriter, permits
from gatewatch.api.resources.defender.queries import CONTEXT, Options, collection, projected, sent
from gatewatch.api.resources.defender.showing import comments_of, incident_number, shown_alerts
from gatewatch.formats.defender.alerts import our_alert_id
from gatewatch.formats.defender.filters import ALERT_FIELDS
from gatewatch.formats.records import Record
from gatewatch.model.activity import Subject
from gatewatch.ports.control import Role

__all__ = ["router"]

router = APIRouter(tags=["defender"], route_class=GraphRoute)
_PATH = "/v1.0/security/alerts_v2"
_viewer = [Depends(permits(Role.VIEWER, GRAPH))]


@router.get(_PATH, dependencies=_viewer)
def alerts(request: Request, services: Services, options: Options) -> Response:
    """Alerts, newest first."""
    options.expands("")
    where = options.where(ALERT_FIELDS)
    found, following = services.cases.select_alerts(options.selection(where, ALERT_SORTING))
    count = services.cases.count_alerts(where) if options.count else None
    records = shown_alerts(request, found)
    return sent(collection(request, options, records, context="alerts_v2", following=following, count=count))


@router.get(f"{_PATH}/$count", dependencies=_viewer)
def count(services: Services, options: Options) -> Response:
    """How many fulfil the filter; counting stops at 100,000."""
    return Response(str(services.cases.count_alerts(options.where(ALERT_FIELDS))), media_type="text/plain")


@router.post(f"{_PATH}/microsoft.graph.security.moveAlerts")
def move(services: Services, token: GraphWriter, wanted: Move) -> Response:
    """Into another incident, or into a new one when none is named."""
    target = incident_number(wanted.incident_id) if wanted.incident_id else None
    ids = [our_alert_id(one) for one in wanted.alert_ids]
    incident = services.casework.move(ids, target, by=token.name, reason=wanted.reason())
    if wanted.alert_comment:
        services.casework.comment(Subject.INCIDENT, str(incident.id), wanted.alert_comment, by=token.name)
    return sent({"@odata.type": "#microsoft.graph.security.mergeResponse", "targetIncidentId": str(incident.id)})


@router.get(f"{_PATH}/{{alert_id}}", dependencies=_viewer)
def alert(request: Request, services: Services, alert_id: str, options: Options) -> Response:
    """One alert."""
    (record,) = shown_alerts(request, [services.control.alert(our_alert_id(alert_id))])
    return sent({"@odata.context": f"{CONTEXT}alerts_v2/$entity"} | projected(record, options.select))


@router.patch(f"{_PATH}/{{alert_id}}")
def change(request: Request, services: Services, token: GraphWriter, alert_id: str, wanted: AlertChange) -> Response:
    """Change status, conclusion or owner."""
    new = services.casework.change_alert(our_alert_id(alert_id), wanted.patch(), by=token.name)
    return sent({"@odata.context": f"{CONTEXT}alerts_v2/$entity"} | shown_alerts(request, [new])[0])


@router.post(f"{_PATH}/{{alert_id}}/comments")
def comment(
    request: Request,
    services: Services,
    token: GraphWriter,
    alert_id: str,
    wanted: Annotated[Comment | list[Comment], Body()],
) -> Response:
    """Add a comment; answers all. msgraph-sdk sends a bare list and reads one."""
    ours = our_alert_id(alert_id)
    for one in wanted if isinstance(wanted, list) else [wanted]:
        services.casework.comment(Subject.ALERT, ours, one.comment, by=token.name)
    answered = comments_of(request, Subject.ALERT, ours, f"alerts_v2('{alert_id}')")
    found: list[Record] = answered["value"]
    return sent(found if isinstance(wanted, list) else answered)
