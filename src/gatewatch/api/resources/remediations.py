"""Remediation activities."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
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
from gatewatch.formats.remediation_records import activity_record, target_record
from gatewatch.model.remediation import (
    CompletionMethod,
    Priority,
    ProductivityImpact,
    RemediationActivity,
    RemediationStatus,
    RemediationType,
)
from gatewatch.ports.control import Role
from gatewatch.ports.remediation import RemediationFilter
from gatewatch.services.remediating import RemediationPatch, RemediationRequest

__all__ = ["router"]

router = APIRouter(tags=["remediation"])
Id = Annotated[str, Path(pattern=r"^[0-9a-f-]{36}$")]
EndpointId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Wanted(BaseModel):
    """What is asked. What is left out follows from the recommendation or the incident."""

    model_config = ConfigDict(extra="forbid")

    recommendation: str = Field(default="", max_length=128)
    incident: int = Field(default=0, ge=0)
    endpoint_ids: list[EndpointId] | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="Left out: all that are unhealthy; with an incident, of those that it names.",
    )
    type: RemediationType | None = None
    title: str = Field(default="", max_length=300)
    description: str = Field(default="", max_length=4000)
    notes: str = Field(default="", max_length=4000)
    assigned_to: str = Field(default="", max_length=256)
    priority: Priority | None = None
    due_at: datetime | None = None
    impact: ProductivityImpact = ProductivityImpact.ALL_EXPOSED
    completion: CompletionMethod = CompletionMethod.AUTOMATIC

    def request(self) -> RemediationRequest:
        """As a value."""
        given = self.model_dump(exclude={"due_at", "endpoint_ids"})
        ids = None if self.endpoint_ids is None else tuple(self.endpoint_ids)
        return RemediationRequest(**given, endpoint_ids=ids, due_at=seconds(self.due_at))


class Change(BaseModel):
    """What shall be different."""

    model_config = ConfigDict(extra="forbid")

    due_at: datetime | None = None
    assigned_to: str | None = Field(default=None, max_length=256)
    notes: str | None = Field(default=None, max_length=4000)
    priority: Priority | None = None

    def patch(self) -> RemediationPatch:
        """As a value."""
        return RemediationPatch(
            due_at=seconds(self.due_at), assigned_to=self.assigned_to, notes=self.notes, priority=self.priority
        )


class Completion(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=1000)


def _shown(request: Request, services: Services, one: RemediationActivity, *, status: int = 200) -> Response:
    return answer(request, activity_record(one, services.clock.now()), tag=str(one.revision), status=status)


@router.get("/v1/remediations", dependencies=[Depends(requires(Role.VIEWER))])
def remediations(
    request: Request,
    services: Services,
    status: Annotated[list[RemediationStatus] | None, Query()] = None,
    kind: Annotated[list[RemediationType] | None, Query(alias="type")] = None,
    recommendation: str = "",
    incident: Annotated[int, Query(ge=0)] = 0,
    assigned_to: str | None = None,
    overdue: Annotated[bool, Query(description="Only active ones whose due date is over.")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """What owners are asked to fix, newest first."""
    now = services.clock.now()
    where = RemediationFilter(
        status=(RemediationStatus.ACTIVE,) if overdue else tuple(status or ()),
        type=tuple(kind or ()),
        recommendation=recommendation,
        incident=incident,
        assigned_to=assigned_to,
        due_before=now if overdue else None,
    )
    found, following = services.remediation.store.activities(where, cursor=cursor, limit=limit)
    return page(request, [activity_record(one, now) for one in found], following)


@router.post("/v1/remediations", status_code=201)
def ask(request: Request, services: Services, token: Analyst, wanted: Wanted) -> Response:
    """Ask for a remediation."""
    made = services.remediation.requesting.request(wanted.request(), by=token.name)
    return _shown(request, services, made, status=201)


@router.get("/v1/remediations/{remediation_id}", dependencies=[Depends(requires(Role.VIEWER))])
def remediation(request: Request, services: Services, remediation_id: Id) -> Response:
    """One, with its progress."""
    return _shown(request, services, services.remediation.store.activity(remediation_id))


@router.patch("/v1/remediations/{remediation_id}")
def change(
    request: Request,
    services: Services,
    token: Analyst,
    remediation_id: Id,
    wanted: Change,
    if_match: IfMatch = None,
) -> Response:
    """Change due date, owner, notes or priority."""
    made = services.remediation.requesting.change(
        remediation_id, wanted.patch(), by=token.name, revision=revision_of(if_match)
    )
    return _shown(request, services, made)


@router.get("/v1/remediations/{remediation_id}/targets", dependencies=[Depends(requires(Role.VIEWER))])
def targets(
    request: Request,
    services: Services,
    remediation_id: Id,
    fixed: bool | None = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Its endpoints, and by what evidence they are fixed or not."""
    services.remediation.store.activity(remediation_id)
    found, following = services.remediation.store.targets(remediation_id, fixed=fixed, cursor=cursor, limit=limit)
    return page(request, [target_record(one) for one in found], following)


@router.post("/v1/remediations/{remediation_id}/complete")
def complete(
    request: Request,
    services: Services,
    token: Analyst,
    remediation_id: Id,
    wanted: Completion,
    if_match: IfMatch = None,
) -> Response:
    """Mark it as completed by hand, whatever the evidence says."""
    made = services.remediation.requesting.complete(
        remediation_id, by=token.name, reason=wanted.reason, revision=revision_of(if_match)
    )
    return _shown(request, services, made)
