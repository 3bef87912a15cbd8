"""Containments on gateways."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Cursor, Limit, Part, Responder, Services, answer, page, requires, whole
from gatewatch.errors import ConflictError, InputError
from gatewatch.formats.containment_records import containment_record, plan_record, radius_record
from gatewatch.formats.records import rfc3339
from gatewatch.model.action import Outcome
from gatewatch.model.containment import ContainmentPlan, ContainmentState, Effect, Expectation, Scope, ScopeKind
from gatewatch.ports.containing import Judgement
from gatewatch.ports.containments import ContainmentFilter
from gatewatch.ports.control import Role
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.services.containing import GatewayHealth

__all__ = ["router"]

router = APIRouter(tags=["containments"])
Id = Annotated[str, Path(pattern=r"^gw-[0-9a-f]{1,40}$")]


class ScopeChange(BaseModel):
    """Whom or what."""

    model_config = ConfigDict(extra="forbid")

    kind: ScopeKind
    value: str = Field(min_length=1, max_length=500)
    endpoint: str = Field(default="", max_length=500, description="`METHOD host template` to narrow it to.")


class ExpectationChange(BaseModel):
    """What traffic has to show."""

    model_config = ConfigDict(extra="forbid")

    attack_falls_by: float = Field(default=0.95, ge=0, le=1)
    collateral_at_most: float = Field(default=0.01, ge=0, le=1)
    bystanders_at_most: int = Field(default=5, ge=0)
    within_s: float = Field(default=600.0, gt=0, le=86_400)


class PlanChange(BaseModel):
    """A plan."""

    model_config = ConfigDict(extra="forbid")

    gateway: str = Field(min_length=1, max_length=64)
    scope: ScopeChange
    effect: Effect
    duration_s: float = Field(gt=0, le=30 * 86_400)
    calls: int | None = Field(default=None, ge=1)
    per_s: int = Field(default=60, ge=1, le=3600)
    reason: str = Field(min_length=1, max_length=1000)
    incident: int = Field(default=0, ge=0)
    expects: ExpectationChange = ExpectationChange()
    forced: bool = Field(default=False, description="Override shares and counts; needs one person more.")

    def plan(self) -> ContainmentPlan:
        """As a value. Raises InputError."""
        given = self.model_dump(exclude={"scope", "expects"})
        scope, expects = Scope(**self.scope.model_dump()), Expectation(**self.expects.model_dump())
        if self.effect is Effect.THROTTLE and self.calls is None:
            raise InputError("a throttle needs `calls`")
        return ContainmentPlan(**given, scope=scope, expects=expects)


class Order(BaseModel):
    """A plan to carry out."""

    model_config = ConfigDict(extra="forbid")

    plan: PlanChange
    digest: str = Field(description="Of the plan as it was judged.")
    key: str = Field(min_length=8, max_length=64, description="The same order sent twice is one containment.")


class Undoing(BaseModel):
    """Why it is taken back."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=1, max_length=1000)


@router.get("/v1/gateways", dependencies=[Depends(requires(Role.VIEWER))])
def gateways(request: Request, services: Services, part: Part) -> Response:
    """Configured gateways and whether they agree with what is wanted."""
    return whole(request, [_health(one) for one in services.reconciling.health()], part)


@router.get("/v1/containments", dependencies=[Depends(requires(Role.VIEWER))])
def containments(
    request: Request,
    services: Services,
    gateway: str = "",
    state: Annotated[list[ContainmentState] | None, Query()] = None,
    incident: Annotated[int, Query(ge=0)] = 0,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """What gateways were told, newest first."""
    where = ContainmentFilter(gateway=gateway, state=tuple(state or ()), incident=incident)
    found, following = services.containment.containments(where, cursor=cursor, limit=limit)
    return page(request, [containment_record(one) for one in found], following)


@router.get("/v1/containments/evidence", dependencies=[Depends(requires(Role.VIEWER))])
def evidence(request: Request, services: Services, part: Part) -> Response:
    """How each kind of action has fared here."""
    return whole(request, [msgspec.to_builtins(one) for one in services.measuring.evidence()], part)


@router.post("/v1/containments/judgement", dependencies=[Depends(requires(Role.ANALYST))])
def judgement(request: Request, services: Services, wanted: PlanChange) -> Response:
    """Dry run: whom a plan would have hit, what forbids it, how many have to agree. Nothing is done."""
    plan = wanted.plan()
    return answer(request, _judged(services.containment.judge(plan), plan))


@router.post("/v1/containments", status_code=201)
def contain(request: Request, services: Services, token: Responder, order: Order) -> Response:
    """Carry out a plan that needs nobody else's approval; others go through a playbook that asks."""
    plan = order.plan.plan()
    judged = services.containment.judge(plan)
    if judged.approvals > 1:
        raise ConflictError(
            f"this needs {judged.approvals} people to agree", cure="Run a playbook that asks for the approvals."
        )
    found = services.containment.apply(
        plan, key=key_of(token.id, order.key), by=token.name, approved_digest=order.digest
    )
    if found.outcome is not Outcome.SUCCEEDED:
        raise ConflictError(found.error)
    return answer(request, containment_record(services.containment.containment(found.values["action"])), status=201)


@router.get("/v1/containments/{containment_id}", dependencies=[Depends(requires(Role.VIEWER))])
def containment(request: Request, services: Services, containment_id: Id) -> Response:
    """One, with what was measured."""
    return answer(request, containment_record(services.containment.containment(containment_id)))


@router.post("/v1/containments/{containment_id}/rollback")
def roll_back(request: Request, services: Services, token: Responder, containment_id: Id, wanted: Undoing) -> Response:
    """Take it back."""
    services.containment.roll_back(containment_id, by=token.name, reason=wanted.reason)
    return answer(request, containment_record(services.containment.containment(containment_id)))


def _health(one: GatewayHealth) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "in_force": one.in_force,
        "queued": one.queued,
        "repaired": one.repaired,
        "failures": one.failures,
        "last_error": one.last_error or None,
        "last_error_at": _moment(one.last_error_at),
        "agreed_at": _moment(one.agreed_at),
        "next_attempt_at": _moment(one.next_attempt_at),
    }


def _moment(ts: float) -> str | None:
    return rfc3339(ts) if ts else None


def _judged(found: Judgement, plan: ContainmentPlan) -> dict[str, object]:
    return {
        "plan": plan_record(plan),
        "digest": found.digest,
        "radius": radius_record(found.radius),
        "obstacles": list(found.obstacles),
        "approvals": found.approvals,
        "evidence": msgspec.to_builtins(found.evidence),
    }
