"""Runs of playbooks: started by people here, shown step by step, ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Cursor, Limit, Responder, Services, answer, page, requires, seconds
from gatewatch.api.resources.playbooks import Name
from gatewatch.api.resources.simulations import SubjectOf, subject_of
from gatewatch.errors import InputError
from gatewatch.formats.run_records import run_record, step_record
from gatewatch.model.run import RunState
from gatewatch.ports.control import Role
from gatewatch.ports.playbooks import RunRequest, SubjectKind
from gatewatch.ports.runs import RunFilter
from gatewatch.respond.playbooks.planning import key_of

__all__ = ["router"]

router = APIRouter(tags=["runs"])
_viewer = [Depends(requires(Role.VIEWER))]
Key = Annotated[
    str, Header(alias="idempotency-key", max_length=128, description="The same again: the same run, not another.")
]


class RunStart(BaseModel):
    """What to run a playbook on."""

    model_config = ConfigDict(extra="forbid")

    subject: SubjectOf = Field(default_factory=lambda: SubjectOf(kind=SubjectKind.NONE))
    inputs: dict[str, Any] = Field(default_factory=dict)
    reason: str = Field(default="", max_length=1000)


class RunEnd(BaseModel):
    """Why a run is to end."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=1000)


def _subject(text: str) -> tuple[str, str]:
    kind, _, known = text.partition(" ")
    if text and kind not in {one.value for one in SubjectKind}:
        raise InputError(f"{text!r} names no subject", cure="Write `incident 7`, `alert ID` or `finding ID`.")
    return kind, known


@router.post("/v1/playbooks/{name}/runs", status_code=202)
def start(
    request: Request, services: Services, token: Responder, name: Name, wanted: RunStart, key: Key = ""
) -> Response:
    """Ask for a run; it begins as soon as the playbook's concurrency lets it."""
    made = services.playbooks.runs.request(
        RunRequest(
            playbook=name,
            subject=subject_of(wanted.subject),
            by=token.name,
            reason=wanted.reason or "started by hand",
            key=key_of(f"{token.id} {name}", key or services.playbooks.new_id()),
            inputs=wanted.inputs,
        )
    )
    response = answer(request, run_record(made), status=202)
    response.headers["location"] = f"/v1/runs/{made.id}"
    return response


@router.get("/v1/runs", dependencies=_viewer)
def runs(
    request: Request,
    services: Services,
    playbook: str = "",
    state: Annotated[list[RunState] | None, Query()] = None,
    incident: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    subject: Annotated[str, Query(description="`incident 7`, `alert ID` or `finding ID`.")] = "",
    since: datetime | None = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Newest first."""
    kind, known = _subject(subject)
    where = RunFilter(
        playbook=playbook,
        state=tuple(state or ()),
        incident=incident,
        subject_kind=kind,
        subject_id=known,
        since=seconds(since),
    )
    items, following = services.playbooks.runs.runs(where, cursor=cursor, limit=limit)
    return page(request, [run_record(one) for one in items], following)


@router.get("/v1/incidents/{incident_id}/runs", dependencies=_viewer)
def runs_of_incident(
    request: Request, services: Services, incident_id: int, cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """Runs about an incident or its alerts, newest first."""
    services.dossiers.incident(incident_id)
    items, following = services.playbooks.runs.runs(RunFilter(incident=incident_id), cursor=cursor, limit=limit)
    return page(request, [run_record(one) for one in items], following)


@router.get("/v1/runs/{run_id}", dependencies=_viewer)
def run(request: Request, services: Services, run_id: str) -> Response:
    """One run with every attempt at every step, in order."""
    found = services.playbooks.runs.run(run_id)
    steps = services.playbooks.runs.steps(run_id)
    return answer(request, {**run_record(found), "steps": [step_record(one) for one in steps]})


@router.post("/v1/runs/{run_id}/cancel")
def cancel(
    request: Request, services: Services, token: Responder, run_id: str, wanted: RunEnd | None = None
) -> Response:
    """End a run: an effect under way ends, no further step begins."""
    reason = wanted.reason if wanted else ""
    return answer(request, run_record(services.playbooks.runs.cancel(run_id, by=token.name, reason=reason)))
