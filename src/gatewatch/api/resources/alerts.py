"""Alerts."""

from __future__ import annotations

from datetime import datetime
from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import (
    Analyst,
    Cursor,
    IfMatch,
    Limit,
    Services,
    answer,
    page,
    requires,
    revision_of,
    seconds,
)
from gatewatch.errors import InputError
from gatewatch.formats.incident_records import activity_record
from gatewatch.formats.records import alert_record
from gatewatch.model.activity import Subject
from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.observation import ActorKind
from gatewatch.model.verdict import Classification, Determination
from gatewatch.ports.control import AlertFilter, Role
from gatewatch.services.incidents.patches import MOST_COMMENT, AlertPatch

__all__ = ["router"]

router = APIRouter(tags=["alerts"])
_KINDS = frozenset(kind.value for kind in ActorKind)


class AlertChange(BaseModel):
    """What a person may change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    status: AlertStatus | None = None
    classification: Classification | None = None
    determination: Determination | None = None
    assigned_to: str | None = Field(default=None, max_length=256)


class Comment(BaseModel):
    """A comment."""

    text: str = Field(min_length=1, max_length=MOST_COMMENT)


@router.get("/v1/alerts", dependencies=[Depends(requires(Role.VIEWER))])
def alerts(
    request: Request,
    services: Services,
    status: Annotated[list[AlertStatus] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    alert_type: Annotated[list[str] | None, Query()] = None,
    detector: Annotated[list[str] | None, Query()] = None,
    actor: Annotated[str, Query(description="Id of an actor, or `kind:id` as incidents show it.")] = "",
    client_ip: Annotated[str, Query(description="One address.")] = "",
    endpoint: Annotated[str, Query(description="`METHOD host template`.")] = "",
    incident: Annotated[int | None, Query(ge=1, description="Of this incident.")] = None,
    since: Annotated[datetime | None, Query(description="Seen at or after.")] = None,
    until: Annotated[datetime | None, Query(description="First seen before.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Alerts, newest activity first."""
    where = AlertFilter(
        status=tuple(status or ()),
        severity=tuple(severity or ()),
        alert_type=tuple(alert_type or ()),
        detector=tuple(detector or ()),
        actor=_actor_id(actor),
        client_ip=_address(client_ip),
        endpoint=endpoint,
        incident=incident,
        since=seconds(since),
        until=seconds(until),
    )
    items, following = services.control.alerts(where, cursor=cursor, limit=limit)
    return page(request, [alert_record(item) for item in items], following)


def _actor_id(text: str) -> str:
    """Without the kind that tables, stories and entities write before it."""
    kind, colon, name = text.partition(":")
    return name if colon and kind in _KINDS else text


def _address(text: str) -> str:
    """As alerts hold it. Raises InputError, because what is no address would look like an address without alerts."""
    try:
        return str(ip_address(text)) if text else ""
    except ValueError as error:
        raise InputError(f"client_ip: `{text}` is no address", cure="Give one address, no range.") from error


@router.get("/v1/alerts/{alert_id}", dependencies=[Depends(requires(Role.VIEWER))])
def alert(request: Request, services: Services, alert_id: str) -> Response:
    """One alert with the recommended steps of its detector; its ETag is its revision."""
    found = services.control.alert(alert_id)
    return answer(request, alert_record(found, services.rules().get(found.detector)), tag=str(found.revision))


@router.patch("/v1/alerts/{alert_id}")
def change(
    request: Request, services: Services, token: Analyst, alert_id: str, wanted: AlertChange, if_match: IfMatch = None
) -> Response:
    """Change status, conclusion or owner; with If-Match only when nobody changed the alert meanwhile."""
    patch = AlertPatch(**wanted.model_dump())
    new = services.casework.change_alert(alert_id, patch, by=token.name, revision=revision_of(if_match))
    return answer(request, alert_record(new), tag=str(new.revision))


@router.post("/v1/alerts/{alert_id}/comments", status_code=201)
def comment(request: Request, services: Services, token: Analyst, alert_id: str, wanted: Comment) -> Response:
    """Add a comment."""
    entry = services.casework.comment(Subject.ALERT, alert_id, wanted.text, by=token.name)
    return answer(request, activity_record(entry), status=201)


@router.get("/v1/alerts/{alert_id}/activities", dependencies=[Depends(requires(Role.VIEWER))])
def activities(request: Request, services: Services, alert_id: str, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """What was done with one alert, newest first."""
    services.control.alert(alert_id)
    items, following = services.cases.activities(
        subject=Subject.ALERT.value, subject_id=alert_id, cursor=cursor, limit=limit
    )
    return page(request, [activity_record(item) for item in items], following)
