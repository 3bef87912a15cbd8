"""Alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel

from gatewatch.api.context import Cursor, Limit, Services, answer, page, requires
from gatewatch.api.problems import PreconditionError
from gatewatch.errors import ConflictError, InputError
from gatewatch.formats.records import alert_record
from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.ports.control import AlertFilter, Role

__all__ = ["router"]

router = APIRouter(tags=["alerts"])


class AlertChange(BaseModel):
    """What a person may change."""

    status: AlertStatus


def _seconds(moment: datetime | None) -> float | None:
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@router.get("/v1/alerts", dependencies=[Depends(requires(Role.VIEWER))])
def alerts(
    request: Request,
    services: Services,
    status: Annotated[list[AlertStatus] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    alert_type: Annotated[list[str] | None, Query()] = None,
    detector: Annotated[list[str] | None, Query()] = None,
    actor: str = "",
    client_ip: str = "",
    endpoint: str = "",
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
        actor=actor,
        client_ip=client_ip,
        endpoint=endpoint,
        since=_seconds(since),
        until=_seconds(until),
    )
    items, following = services.control.alerts(where, cursor=cursor, limit=limit)
    return page(request, [alert_record(item) for item in items], following)


@router.get("/v1/alerts/{alert_id}", dependencies=[Depends(requires(Role.VIEWER))])
def alert(request: Request, services: Services, alert_id: str) -> Response:
    """One alert; its ETag is its revision."""
    found = services.control.alert(alert_id)
    return answer(request, alert_record(found), tag=str(found.revision))


@router.patch("/v1/alerts/{alert_id}", dependencies=[Depends(requires(Role.ANALYST))])
def change(
    request: Request,
    services: Services,
    alert_id: str,
    wanted: AlertChange,
    if_match: Annotated[str | None, Header(description="Revision that was read.")] = None,
) -> Response:
    """Change the status; with If-Match only when nobody changed the alert meanwhile."""
    revision = None
    if if_match and if_match != "*":
        text = if_match.strip().strip('"')
        if not text.isdecimal():
            raise InputError("If-Match is not a revision of this alert", cure="Send the ETag as it came.")
        revision = int(text)
    try:
        new = services.control.set_alert_status(alert_id, wanted.status, revision=revision, at=services.clock.now())
    except ConflictError as error:
        raise PreconditionError(error.message, cure=error.cure) from error
    return answer(request, alert_record(new), tag=str(new.revision))
