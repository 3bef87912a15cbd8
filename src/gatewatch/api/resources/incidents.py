"""Incidents: the queue, one incident in all its views, and what people do with it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import (
    Analyst,
    Cursor,
    IfMatch,
    Limit,
    Part,
    Services,
    answer,
    page,
    requires,
    revision_of,
    seconds,
    whole,
)
from gatewatch.api.resources.alerts import Comment
from gatewatch.errors import InputError
from gatewatch.formats.incident_records import (
    activity_record,
    dossier_record,
    entity_record,
    graph_record,
    incident_record,
    similar_record,
    story_record,
    task_record,
    timing_record,
)
from gatewatch.formats.records import alert_record
from gatewatch.model.activity import Subject
from gatewatch.model.alert import Severity
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.incident import EntityVerdict, IncidentStatus, Task
from gatewatch.model.verdict import Classification, Determination
from gatewatch.ports.cases import ActivityFilter, IncidentFilter
from gatewatch.ports.control import Role
from gatewatch.services.incidents.casework import MOST_MERGED
from gatewatch.services.incidents.patches import IncidentPatch

__all__ = ["router"]

router = APIRouter(tags=["incidents"])
_ENTITY = "`actor subject:ann`, `address 203.0.113.7` or `endpoint GET host /path`"
_viewer = [Depends(requires(Role.VIEWER))]


class Order(StrEnum):
    """How the queue is sorted; highest or newest first."""

    UPDATED = "updated_at"
    CREATED = "created_at"
    PRIORITY = "priority"


class IncidentChange(BaseModel):
    """What a person may change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    status: IncidentStatus | None = None
    classification: Classification | None = None
    determination: Determination | None = None
    assigned_to: str | None = Field(default=None, max_length=256)
    severity: Severity | None = None
    follow_alerts_severity: bool = False
    name: str | None = Field(default=None, max_length=500)
    description: str | None = Field(default=None, max_length=30_000)
    resolving_comment: str | None = Field(default=None, max_length=30_000)
    tags: list[str] | None = None


class Merge(BaseModel):
    """Incidents that are one."""

    incident_ids: list[int] = Field(min_length=2, max_length=MOST_MERGED)
    reason: str = Field(min_length=1, max_length=2000)


class Move(BaseModel):
    """Alerts that belong elsewhere."""

    alert_ids: list[str] = Field(min_length=1, max_length=1000)
    incident_id: int | None = Field(default=None, description="Left out: a new incident.")
    reason: str = Field(default="", max_length=2000)


class Verdict(BaseModel):
    """What a person thinks of an entity."""

    kind: EntityKind
    value: str = Field(min_length=1, max_length=512)
    verdict: EntityVerdict


class TaskChange(BaseModel):
    """A task."""

    title: str = Field(min_length=1, max_length=500)
    done: bool = False
    assigned_to: str = Field(default="", max_length=256)
    due_at: datetime | None = None


def _entity(text: str) -> Entity | None:
    if not text:
        return None
    kind, _, value = text.partition(" ")
    if kind not in {known.value for known in EntityKind} or not value:
        raise InputError(f"{text!r} names no entity", cure=f"Write {_ENTITY}.")
    return Entity(EntityKind(kind), value)


@router.get("/v1/incidents", dependencies=_viewer)
def incidents(
    request: Request,
    services: Services,
    status: Annotated[list[IncidentStatus] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    classification: Annotated[list[Classification] | None, Query()] = None,
    assigned_to: Annotated[str | None, Query(description="Empty: of nobody.")] = None,
    tag: str = "",
    entity: Annotated[
        str, Query(description="`actor subject:ann`, `address 203.0.113.7`, `endpoint GET host /path`.")
    ] = "",
    text: Annotated[str, Query(description="Part of the name, or the number.")] = "",
    updated_since: datetime | None = None,
    created_since: datetime | None = None,
    order: Order = Order.UPDATED,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """The queue. Incidents that were merged away are listed only when their status is asked for."""
    standing = tuple(one for one in IncidentStatus if one is not IncidentStatus.REDIRECTED)
    where = IncidentFilter(
        status=tuple(status or standing),
        severity=tuple(severity or ()),
        classification=tuple(classification or ()),
        assigned_to=assigned_to,
        tag=tag,
        entity=_entity(entity),
        text=text,
        updated_since=seconds(updated_since),
        created_since=seconds(created_since),
    )
    items, following = services.cases.incidents(where, order=order.value, cursor=cursor, limit=limit)
    return page(request, [incident_record(item) for item in items], following)


@router.post("/v1/incidents/merge")
def merge(request: Request, services: Services, token: Analyst, wanted: Merge) -> Response:
    """Up to five incidents into the oldest; the others stay as signs that point to it."""
    new = services.casework.merge(wanted.incident_ids, by=token.name, reason=wanted.reason)
    return answer(request, incident_record(new), tag=str(new.revision))


@router.post("/v1/incidents/move-alerts")
def move(request: Request, services: Services, token: Analyst, wanted: Move) -> Response:
    """Alerts into another incident, or into a new one; answers where they are now."""
    new = services.casework.move(wanted.alert_ids, wanted.incident_id, by=token.name, reason=wanted.reason)
    return answer(request, incident_record(new), tag=str(new.revision))


@router.get("/v1/incidents/{incident_id}", dependencies=_viewer)
def incident(request: Request, services: Services, incident_id: int) -> Response:
    """One incident; its ETag is its revision. `redirect_to` says where a merged one went."""
    found = services.dossiers.incident(incident_id)
    return answer(request, incident_record(found), tag=str(found.revision))


@router.patch("/v1/incidents/{incident_id}")
def change(
    request: Request,
    services: Services,
    token: Analyst,
    incident_id: int,
    wanted: IncidentChange,
    if_match: IfMatch = None,
) -> Response:
    """Change it; resolving closes its alerts, an owner is inherited by them."""
    given = wanted.model_dump()
    patch = IncidentPatch(**{**given, "tags": tuple(given["tags"]) if given["tags"] is not None else None})
    new = services.casework.change_incident(incident_id, patch, by=token.name, revision=revision_of(if_match))
    return answer(request, incident_record(new), tag=str(new.revision))


@router.get("/v1/incidents/{incident_id}/dossier", dependencies=_viewer)
def dossier(request: Request, services: Services, incident_id: int) -> Response:
    """Everything at once: story, graph, entities, alerts, steps, similar incidents, times."""
    return answer(request, dossier_record(services.dossiers.dossier(incident_id)))


@router.get("/v1/incidents/{incident_id}/story", dependencies=_viewer)
def story(request: Request, services: Services, incident_id: int) -> Response:
    """What happened, in order."""
    return answer(request, story_record(services.dossiers.dossier(incident_id).story))


@router.get("/v1/incidents/{incident_id}/graph", dependencies=_viewer)
def graph(request: Request, services: Services, incident_id: int) -> Response:
    """Nodes and edges."""
    return answer(request, graph_record(services.dossiers.dossier(incident_id).graph))


@router.get("/v1/incidents/{incident_id}/entities", dependencies=_viewer)
def entities(request: Request, services: Services, incident_id: int, part: Part) -> Response:
    """Actors, addresses and endpoints with verdicts."""
    found = services.dossiers.incident(incident_id)
    records = services.dossiers.entities(found, services.dossiers.alerts(incident_id))
    return whole(request, [entity_record(one) for one in records], part)


@router.post("/v1/incidents/{incident_id}/verdicts")
def judge(request: Request, services: Services, token: Analyst, incident_id: int, wanted: Verdict) -> Response:
    """Say what an entity is."""
    entity = f"{wanted.kind.value} {wanted.value}"
    new = services.casework.judge_entity(incident_id, entity, wanted.verdict, by=token.name)
    return answer(request, incident_record(new), tag=str(new.revision))


@router.get("/v1/incidents/{incident_id}/alerts", dependencies=_viewer)
def alerts(request: Request, services: Services, incident_id: int, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """Its alerts in event order, with the reasons why each is here."""
    services.dossiers.incident(incident_id)
    items, following = services.cases.alerts_of(incident_id, cursor=cursor, limit=limit)
    return page(request, [alert_record(item) for item in items], following)


@router.get("/v1/incidents/{incident_id}/similar", dependencies=_viewer)
def similar(request: Request, services: Services, incident_id: int, limit: Limit = 10) -> Response:
    """Other incidents with the same actors, addresses or endpoints."""
    services.dossiers.incident(incident_id)
    return page(request, [similar_record(*one) for one in services.cases.similar(incident_id, limit)], "")


@router.get("/v1/incidents/{incident_id}/metrics", dependencies=_viewer)
def metrics(request: Request, services: Services, incident_id: int) -> Response:
    """How long detection, acknowledgement, containment and resolution took."""
    return answer(request, timing_record(services.dossiers.dossier(incident_id).timing))


@router.get("/v1/incidents/{incident_id}/activities", dependencies=_viewer)
def activities(
    request: Request, services: Services, incident_id: int, cursor: Cursor = "", limit: Limit = 50
) -> Response:
    """What was done, by whom and why, newest first."""
    services.dossiers.incident(incident_id)
    items, following = services.cases.activities(incident=incident_id, cursor=cursor, limit=limit)
    return page(request, [activity_record(item) for item in items], following)


@router.post("/v1/incidents/{incident_id}/comments", status_code=201)
def comment(request: Request, services: Services, token: Analyst, incident_id: int, wanted: Comment) -> Response:
    """Add a comment."""
    entry = services.casework.comment(Subject.INCIDENT, str(incident_id), wanted.text, by=token.name)
    return answer(request, activity_record(entry), status=201)


@router.get("/v1/incidents/{incident_id}/tasks", dependencies=_viewer)
def tasks(request: Request, services: Services, incident_id: int, part: Part) -> Response:
    """What is to be done."""
    return whole(request, [task_record(task) for task in services.dossiers.incident(incident_id).tasks], part)


@router.put("/v1/incidents/{incident_id}/tasks/{task_id}")
def put_task(
    request: Request, services: Services, token: Analyst, incident_id: int, task_id: str, wanted: TaskChange
) -> Response:
    """Add a task under an id of the caller's choice, or change it."""
    now = services.clock.now()
    known = next((one for one in services.dossiers.incident(incident_id).tasks if one.id == task_id), None)
    task = Task(
        id=task_id[:64],
        title=wanted.title.strip(),
        done=wanted.done,
        assigned_to=wanted.assigned_to,
        due_at=seconds(wanted.due_at),
        created_at=known.created_at if known else now,
        created_by=known.created_by if known else token.name,
        done_at=(known.done_at if known and known.done else now) if wanted.done else None,
    )
    services.casework.put_task(incident_id, task, by=token.name)
    return answer(request, task_record(task))


@router.get("/v1/activities", dependencies=_viewer)
def audit(
    request: Request,
    services: Services,
    subject: Subject | None = None,
    subject_id: Annotated[str, Query(max_length=64)] = "",
    incident: Annotated[int, Query(ge=0, description="Whose log shows it; 0: of all, and of none.")] = 0,
    action: Annotated[str, Query(max_length=32, description="`comment`, `status`, `merged` …")] = "",
    by: Annotated[str, Query(description="Name of the token, or the part of Gatewatch that did it.")] = "",
    since: Annotated[datetime | None, Query(description="At or after.")] = None,
    until: Annotated[datetime | None, Query(description="Before.")] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """The audit log of everything, newest first; a page may be short while there is a `next` one."""
    where = ActivityFilter(
        subject=subject.value if subject else "",
        subject_id=subject_id,
        incident=incident,
        action=action,
        by=by,
        since=seconds(since),
        until=seconds(until),
    )
    items, following = services.cases.audit(where, cursor=cursor, limit=limit)
    return page(request, [activity_record(item) for item in items], following)


@router.get("/v1/activities/verification", dependencies=[Depends(requires(Role.ADMIN))])
def verification(request: Request, services: Services) -> Response:
    """Check the chain of digests over the whole audit log."""
    return answer(request, {"entries": services.cases.verify_activities(), "intact": True})
