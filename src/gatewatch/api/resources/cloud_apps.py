"""What flows made for Defender for Cloud Apps call: lists of alerts, and alerts closed with a conclusion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Services, answer, tokened
from gatewatch.errors import InputError, NotFoundError
from gatewatch.formats.cloud_apps import cloud_apps_alert, cloud_apps_condition
from gatewatch.model.activity import Subject
from gatewatch.model.alert import AlertStatus
from gatewatch.model.verdict import Classification
from gatewatch.ports.cases import Selection
from gatewatch.ports.control import Role, Token
from gatewatch.services.incidents.patches import MOST_COMMENT, AlertPatch

__all__ = ["router"]

router = APIRouter(tags=["cloud apps"])
_PATH = "/api/v1/alerts/"
_MOST = 100
_MOST_SKIPPED = 10_000
_reader = [Depends(tokened(Role.VIEWER))]
Closer = Annotated[Token, Depends(tokened(Role.ANALYST))]
Direction = Literal["asc", "desc"]


class Asked(BaseModel):
    """A list."""

    model_config = ConfigDict(populate_by_name=True)

    filters: dict[str, Any] = {}
    skip: int = Field(default=0, ge=0, le=_MOST_SKIPPED)
    limit: int = Field(default=_MOST, ge=1, le=_MOST)
    sort_field: Literal["date"] = Field(default="date", alias="sortField")
    sort_direction: Direction = Field(default="desc", alias="sortDirection")


class Ids(BaseModel):
    """Which alerts."""

    model_config = ConfigDict(extra="forbid")

    eq: list[str] = Field(min_length=1, max_length=_MOST)


class Chosen(BaseModel):
    """Alerts by id; nothing else closes alerts here, so that no filter closes more than was meant."""

    model_config = ConfigDict(extra="forbid")

    id: Ids


class Closing(BaseModel):
    """Feedback for the vendor (`sendFeedback` …) is taken and sent nowhere."""

    model_config = ConfigDict(populate_by_name=True)

    filters: Chosen
    comment: str = Field(default="", max_length=MOST_COMMENT)
    reason_id: int | None = Field(default=None, alias="reasonId")


def _listed(request: Request, services: Services, asked: Asked) -> Response:
    where = cloud_apps_condition(asked.filters, services.clock.now())
    wanted = Selection(
        where=where,
        order="created_at",
        descending=asked.sort_direction == "desc",
        skip=asked.skip,
        limit=asked.limit,
    )
    found, following = services.cases.select_alerts(wanted)
    total = services.cases.count_alerts(where)
    data = [cloud_apps_alert(one) for one in found]
    return answer(request, {"data": data, "hasNext": bool(following), "total": total})


@router.get(_PATH, dependencies=_reader)
def alerts(
    request: Request,
    services: Services,
    filters: Annotated[str, Query(max_length=20_000, description="An object as JSON.")] = "{}",
    skip: Annotated[int, Query(ge=0, le=_MOST_SKIPPED)] = 0,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = _MOST,
    direction: Annotated[Direction, Query(alias="sortDirection")] = "desc",
) -> Response:
    """Alerts, newest first. Counting stops at 100,000."""
    try:
        given = msgspec.json.decode(filters.encode(), type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InputError("filters is no object in JSON") from error
    asked = Asked(filters=given, skip=skip, limit=limit, sortDirection=direction)
    return _listed(request, services, asked)


@router.post(_PATH, dependencies=_reader)
def asked_alerts(request: Request, services: Services, asked: Asked) -> Response:
    """The same with everything in the body."""
    return _listed(request, services, asked)


@router.get(f"{_PATH}{{alert_id}}/", dependencies=_reader)
def alert(request: Request, services: Services, alert_id: str) -> Response:
    """One alert."""
    return answer(request, cloud_apps_alert(services.control.alert(alert_id)))


def _closed(services: Services, token: Token, wanted: Closing, classification: Classification) -> dict[str, Any]:
    """How many were closed, and which ids are unknown."""
    count, missing = 0, []
    patch = AlertPatch(status=AlertStatus.RESOLVED, classification=classification)
    for alert_id in dict.fromkeys(wanted.filters.id.eq):
        try:
            services.casework.change_alert(alert_id, patch, by=token.name)
        except NotFoundError:
            missing.append(alert_id)
            continue
        count += 1
        if wanted.comment.strip():
            services.casework.comment(Subject.ALERT, alert_id, wanted.comment, by=token.name)
    return {"closed": count, "alertsNotFound": missing}


@router.post(f"{_PATH}close_benign/")
def close_benign(request: Request, services: Services, token: Closer, wanted: Closing) -> Response:
    """Real, but allowed."""
    return _told(request, "closed_benign", _closed(services, token, wanted, Classification.EXPECTED))


@router.post(f"{_PATH}close_false_positive/")
def close_false_positive(request: Request, services: Services, token: Closer, wanted: Closing) -> Response:
    """Not what it looked like."""
    return _told(request, "closed_false_positive", _closed(services, token, wanted, Classification.FALSE_POSITIVE))


@router.post(f"{_PATH}close_true_positive/")
def close_true_positive(request: Request, services: Services, token: Closer, wanted: Closing) -> Response:
    """Real, and dealt with."""
    return _told(request, "closed_true_positive", _closed(services, token, wanted, Classification.TRUE_POSITIVE))


def _told(request: Request, name: str, found: dict[str, Any]) -> Response:
    return answer(request, {name: found["closed"], "alertsNotFound": found["alertsNotFound"]})
