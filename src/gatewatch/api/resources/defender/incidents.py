"""Graph: `/v1.0/security/incidents`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request, Response

from gatewatch.api.context import Services
from gatewatch.api.resources.defender.changes import Comment, IncidentChange, Merge
from gatewatch.api.resources.defender.envelopes import GraphRoute
from gatewatch.api.resources.defender.permitting import GRAPH, GraphWriter, permits
from gatewatch.api.resources.defender.queries import CONTEXT, Options, Sorting, collection, projected, sent
from gatewatch.api.resources.defender.showing import (
    comments_of,
    incident_number,
    of_incident,
    shown_alerts,
    shown_incidents,
)
from gatewatch.errors import NotFoundError
from gatewatch.formats.defender.alerts import our_alert_id
from gatewatch.formats.defender.filters import ALERT_FIELDS, ALERT_ORDERS, INCIDENT_FIELDS, INCIDENT_ORDERS
from gatewatch.formats.records import Record
from gatewatch.model.activity import Subject
from gatewatch.model.predicate import Conjunction
from gatewatch.ports.control import Role

__all__ = ["ALERT_SORTING", "router"]

router = APIRouter(tags=["defender"], route_class=GraphRoute)
_PATH = "/v1.0/security/incidents"
_viewer = [Depends(permits(Role.VIEWER, GRAPH))]
_SORTING = Sorting(orders=INCIDENT_ORDERS, default="created_at", page=50, most=100)
ALERT_SORTING = Sorting(orders=ALERT_ORDERS, default="created_at", page=100, most=1000)
"""1,000 is Graph's limit for alerts (learn.microsoft.com, Graph Security API error responses, Constraints)."""


@router.get(_PATH, dependencies=_viewer)
def incidents(request: Request, services: Services, options: Options) -> Response:
    """Incidents, newest first; those that were merged away are among them."""
    where = options.where(INCIDENT_FIELDS)
    found, following = services.cases.select_incidents(options.selection(where, _SORTING))
    count = services.cases.count_incidents(where) if options.count else None
    expand = options.expands("alerts")
    records = shown_incidents(request, found, expand=expand)
    context = "incidents(alerts())" if expand else "incidents"
    return sent(collection(request, options, records, context=context, following=following, count=count))


@router.get(f"{_PATH}/$count", dependencies=_viewer)
def count(services: Services, options: Options) -> Response:
    """How many fulfil the filter; counting stops at 100,000."""
    return Response(str(services.cases.count_incidents(options.where(INCIDENT_FIELDS))), media_type="text/plain")


@router.post(f"{_PATH}/microsoft.graph.security.mergeIncidents")
def merge(services: Services, token: GraphWriter, wanted: Merge) -> Response:
    """Up to five into the oldest; the others are redirected to it."""
    numbers = [incident_number(one) for one in wanted.incident_ids]
    target = services.casework.merge(numbers, by=token.name, reason=wanted.reason())
    if wanted.incident_comment:
        services.casework.comment(Subject.INCIDENT, str(target.id), wanted.incident_comment, by=token.name)
    return sent({"@odata.type": "#microsoft.graph.security.mergeResponse", "targetIncidentId": str(target.id)})


@router.get(f"{_PATH}/{{incident_id}}", dependencies=_viewer)
def incident(request: Request, services: Services, incident_id: str, options: Options) -> Response:
    """One incident; `redirectIncidentId` says where a merged one went."""
    found = services.cases.incident(incident_number(incident_id))
    return sent(_one(shown_incidents(request, [found], expand=options.expands("alerts")), options.select))


def _one(records: list[Record], select: str | None = None) -> Record:
    return {"@odata.context": f"{CONTEXT}incidents/$entity"} | projected(records[0], select)


@router.patch(f"{_PATH}/{{incident_id}}")
def change(
    request: Request, services: Services, token: GraphWriter, incident_id: str, wanted: IncidentChange
) -> Response:
    """Change it; resolving closes its alerts, an owner is inherited by them."""
    new = services.casework.change_incident(incident_number(incident_id), wanted.patch(), by=token.name)
    return sent(_one(shown_incidents(request, [new], expand=False)))


@router.post(f"{_PATH}/{{incident_id}}/comments")
def comment(
    request: Request,
    services: Services,
    token: GraphWriter,
    incident_id: str,
    wanted: Annotated[Comment | list[Comment], Body()],
) -> Response:
    """Add a comment; answers all. msgraph-sdk sends a bare list and reads one."""
    number = str(incident_number(incident_id))
    for one in wanted if isinstance(wanted, list) else [wanted]:
        services.casework.comment(Subject.INCIDENT, number, one.comment, by=token.name)
    answered = comments_of(request, Subject.INCIDENT, number, f"incidents('{number}')")
    found: list[Record] = answered["value"]
    return sent(found if isinstance(wanted, list) else answered)


@router.get(f"{_PATH}/{{incident_id}}/alerts", dependencies=_viewer)
def alerts(request: Request, services: Services, incident_id: str, options: Options) -> Response:
    """Its alerts, newest first."""
    number = services.cases.incident(incident_number(incident_id)).id
    asked = options.where(ALERT_FIELDS)
    where = of_incident(number) if asked is None else Conjunction((of_incident(number), asked))
    sorting = Sorting(orders=ALERT_ORDERS, default="first_seen", page=ALERT_SORTING.page, most=ALERT_SORTING.most)
    found, following = services.cases.select_alerts(options.selection(where, sorting))
    count = services.cases.count_alerts(where) if options.count else None
    context = f"incidents('{number}')/alerts"
    records = shown_alerts(request, found)
    return sent(collection(request, options, records, context=context, following=following, count=count))


@router.get(f"{_PATH}/{{incident_id}}/alerts/$count", dependencies=_viewer)
def count_alerts(services: Services, incident_id: str) -> Response:
    """How many it has."""
    number = services.cases.incident(incident_number(incident_id)).id
    return Response(str(services.cases.count_alerts(of_incident(number))), media_type="text/plain")


@router.get(f"{_PATH}/{{incident_id}}/alerts/{{alert_id}}", dependencies=_viewer)
def alert(request: Request, services: Services, incident_id: str, alert_id: str, options: Options) -> Response:
    """One of its alerts."""
    found = services.control.alert(our_alert_id(alert_id))
    if found.incident != incident_number(incident_id):
        raise NotFoundError("this incident has no such alert")
    (record,) = shown_alerts(request, [found])
    context = f"{CONTEXT}incidents('{found.incident}')/alerts/$entity"
    return sent({"@odata.context": context} | projected(record, options.select))
