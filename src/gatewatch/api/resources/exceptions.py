"""Exceptions from recommendations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Cursor, Limit, Part, Responder, Services, answer, page, requires, seconds, whole
from gatewatch.formats.remediation_records import exception_record, exposure_record
from gatewatch.model.remediation import ExceptionScope, Justification
from gatewatch.ports.control import Role
from gatewatch.ports.remediation import ExceptionFilter

__all__ = ["router"]

router = APIRouter(tags=["remediation"])
Id = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]


class Wanted(BaseModel):
    """An exception; everywhere when neither a collection nor an endpoint is named."""

    model_config = ConfigDict(extra="forbid")

    recommendation: str = Field(min_length=1, max_length=128)
    collection_id: str = Field(default="", pattern=r"^([0-9a-f]{16})?$")
    endpoint_id: str = Field(default="", pattern=r"^([0-9a-f]{16})?$")
    justification: Justification
    context: str = Field(min_length=1, max_length=2000)
    expires_at: datetime


class Cancelling(BaseModel):
    """Why it ends."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000)


@router.get("/v1/exceptions", dependencies=[Depends(requires(Role.VIEWER))])
def exceptions(
    request: Request,
    services: Services,
    recommendation: str = "",
    ended: Annotated[bool | None, Query(description="Only those that have ended, or only the others.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Recommendations that are not followed, newest first."""
    where = ExceptionFilter(recommendation=recommendation, ended=ended)
    found, following = services.remediation.store.exceptions(where, cursor=cursor, limit=limit)
    now = services.clock.now()
    return page(request, [exception_record(one, now) for one in found], following)


@router.get("/v1/exceptions/exposure", dependencies=[Depends(requires(Role.VIEWER))])
def exposure(request: Request, services: Services, part: Part) -> Response:
    """Every recommendation before and after its exceptions; a few tens at most."""
    return whole(request, [exposure_record(one) for one in services.remediation.excepting.exposures()], part)


@router.post("/v1/exceptions", status_code=201)
def add(request: Request, services: Services, token: Responder, wanted: Wanted) -> Response:
    """Leave a recommendation unfollowed, somewhere and for some time."""
    made = services.remediation.excepting.add(
        wanted.recommendation,
        ExceptionScope(collection_id=wanted.collection_id, endpoint_id=wanted.endpoint_id),
        justification=wanted.justification,
        context=wanted.context,
        expires_at=seconds(wanted.expires_at) or 0.0,
        by=token.name,
    )
    return answer(request, exception_record(made, services.clock.now()), status=201)


@router.get("/v1/exceptions/{exception_id}", dependencies=[Depends(requires(Role.VIEWER))])
def exception(request: Request, services: Services, exception_id: Id) -> Response:
    """One of them."""
    found = services.remediation.store.exception(exception_id)
    return answer(request, exception_record(found, services.clock.now()))


@router.post("/v1/exceptions/{exception_id}/cancel")
def cancel(request: Request, services: Services, token: Responder, exception_id: Id, wanted: Cancelling) -> Response:
    """End it at once."""
    ended = services.remediation.excepting.cancel(exception_id, by=token.name, reason=wanted.reason)
    return answer(request, exception_record(ended, services.clock.now()))
