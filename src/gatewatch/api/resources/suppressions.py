"""Suppression rules."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Analyst, Part, Services, answer, requires, seconds, whole
from gatewatch.formats.incident_records import suppression_record
from gatewatch.formats.records import alert_record
from gatewatch.model.suppression import Condition, Suppression
from gatewatch.ports.control import Role

__all__ = ["router"]

router = APIRouter(tags=["suppressions"])
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{1,49}$")]
Days = Annotated[int, Query(ge=1, le=365, description="How far back to look.")]


class ConditionChange(BaseModel):
    """One test; one of the values has to fit."""

    field: str
    values: list[str] = Field(min_length=1, max_length=1000)


class SuppressionChange(BaseModel):
    """A rule."""

    model_config = ConfigDict(extra="forbid")

    alert_type: str = Field(min_length=1, max_length=128, description="One type, or `*`.")
    conditions: list[ConditionChange] = Field(default_factory=list, max_length=50)
    reason: str = Field(min_length=1, max_length=500)
    comment: str = Field(default="", max_length=2000)
    enabled: bool = True
    expires_at: datetime | None = None


def _rule(name: str, wanted: SuppressionChange, by: str, now: float) -> Suppression:
    return Suppression(
        name=name,
        alert_type=wanted.alert_type,
        conditions=tuple(Condition(field=one.field, values=tuple(one.values)) for one in wanted.conditions),
        reason=wanted.reason,
        comment=wanted.comment,
        enabled=wanted.enabled,
        expires_at=seconds(wanted.expires_at),
        created_at=now,
        created_by=by,
    )


@router.get("/v1/suppressions", dependencies=[Depends(requires(Role.VIEWER))])
def suppressions(request: Request, services: Services, part: Part) -> Response:
    """All rules by name, with how many alerts each dismissed."""
    return whole(request, [suppression_record(rule) for rule in services.suppressing.rules()], part)


@router.put("/v1/suppressions/{name}")
def put(request: Request, services: Services, token: Analyst, name: Name, wanted: SuppressionChange) -> Response:
    """Make or change a rule; it works on what comes from now on."""
    rule = _rule(name, wanted, token.name, services.clock.now())
    return answer(request, suppression_record(services.suppressing.put(rule, by=token.name)))


@router.delete("/v1/suppressions/{name}", status_code=204)
def delete(services: Services, token: Analyst, name: Name) -> Response:
    """Remove a rule; what it dismissed stays dismissed."""
    services.suppressing.delete(name, by=token.name)
    return Response(status_code=204)


@router.post("/v1/suppressions/{name}/trial")
def trial(
    request: Request, services: Services, token: Analyst, name: Name, wanted: SuppressionChange, days: Days = 30
) -> Response:
    """What the rule would have dismissed; nothing is changed."""
    now = services.clock.now()
    found = services.suppressing.try_out(
        _rule(name, wanted, token.name, now), since=now - timedelta(days=days).total_seconds()
    )
    return answer(
        request,
        {
            "looked_at": found.looked_at,
            "dismissed": found.dismissed,
            "high": found.high,
            "bounded": found.bounded,
            "alerts": [alert_record(alert) for alert in found.first],
        },
    )


@router.get("/v1/alerts/{alert_id}/suppression", dependencies=[Depends(requires(Role.VIEWER))])
def proposal(request: Request, services: Services, alert_id: str) -> Response:
    """A rule for alerts like this one, to look at, change and put."""
    alert = services.control.alert(alert_id)
    rule = services.suppressing.like(alert, name=f"like-{alert_id[:12]}", reason="", by="")
    return answer(request, suppression_record(rule))
