"""Targets of continuous export: how they do, and what people may do with them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from gatewatch.api.context import Cursor, Limit, Part, Services, answer, page, requires, whole
from gatewatch.formats.records import rfc3339
from gatewatch.model.export import ExportKind
from gatewatch.ports.control import Role, Token
from gatewatch.ports.export import Letter, TargetStatus, Walk

__all__ = ["router"]

router = APIRouter(tags=["exports"])
Admin = Annotated[Token, Depends(requires(Role.ADMIN))]
_VIEWER, _ANALYST = [Depends(requires(Role.VIEWER))], [Depends(requires(Role.ANALYST))]


class ExportLetterIds(BaseModel):
    """Which dead letters."""

    model_config = ConfigDict(extra="forbid")

    ids: list[str] = Field(min_length=1, max_length=1000)


class BackFill(BaseModel):
    """What to send."""

    model_config = ConfigDict(extra="forbid")

    kinds: list[ExportKind] = Field(default_factory=list, description="All that the target exports, when empty.")


def _moment(ts: float) -> str | None:
    return rfc3339(ts) if ts else None


def _walk(walk: Walk | None) -> dict[str, Any] | None:
    if walk is None:
        return None
    return {
        "snapshot": walk.snapshot or None,
        "started_at": rfc3339(walk.started_at),
        "sent": walk.sent,
        "kinds_left": list(walk.kinds),
    }


def _target(status: TargetStatus) -> dict[str, Any]:
    return {
        "name": status.name,
        "transport": status.transport,
        "format": status.format,
        "mode": status.mode,
        "kinds": list(status.kinds),
        "state": status.state,
        "lag": {"items": status.lag_items, "seconds": round(status.lag_s, 3)},
        "delivered": status.delivered,
        "dead_letters": status.dead_letters,
        "failed_attempts": status.attempts,
        "last_error": status.last_error or None,
        "last_error_at": _moment(status.last_error_at),
        "last_delivery_at": _moment(status.last_delivery_at),
        "next_attempt_at": _moment(status.next_attempt_at),
        "snapshot_week": status.snapshot_week or None,
        "back_fill": _walk(status.walk),
    }


def _letter(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "event_id": letter.event_id,
        "kind": letter.kind,
        "subject": letter.subject,
        "reason": letter.reason,
        "refused_at": rfc3339(letter.refused_at),
        "attempts": letter.attempts,
        "resend": letter.resend,
    }


@router.get("/v1/exports", dependencies=_VIEWER)
def exports(request: Request, services: Services, part: Part) -> Response:
    """All targets with state, lag and last error; never their settings."""
    return whole(request, [_target(status) for status in services.exporting.statuses()], part)


@router.get("/v1/exports/{name}", dependencies=_VIEWER)
def export(request: Request, services: Services, name: str) -> Response:
    """One target."""
    return answer(request, _target(services.exporting.status(name)))


@router.post("/v1/exports/{name}/pause")
def pause(request: Request, services: Services, token: Admin, name: str) -> Response:
    """Stop delivering after the batch at hand; changes wait."""
    return answer(request, _target(services.exporting.pause(name, paused=True, by=token.name)))


@router.post("/v1/exports/{name}/resume")
def resume(request: Request, services: Services, token: Admin, name: str) -> Response:
    """Go on where it stopped."""
    return answer(request, _target(services.exporting.pause(name, paused=False, by=token.name)))


@router.post("/v1/exports/{name}/back-fill", status_code=202)
def back_fill(request: Request, services: Services, token: Admin, name: str, wanted: BackFill) -> Response:
    """Send everything there is, oldest first, beside what changes; survives a restart."""
    response = answer(request, _target(services.exporting.back_fill(name, wanted.kinds, by=token.name)))
    response.status_code = 202
    return response


@router.delete("/v1/exports/{name}/back-fill", status_code=202)
def end_back_fill(request: Request, services: Services, token: Admin, name: str) -> Response:
    """Give up the pass at work."""
    response = answer(request, _target(services.exporting.end_back_fill(name, by=token.name)))
    response.status_code = 202
    return response


@router.post("/v1/exports/{name}/test")
def test(request: Request, services: Services, token: Admin, name: str) -> Response:
    """Send a made-up alert and wait for what becomes of it; 502 with the reason when it is not taken."""
    services.exporting.test(name, by=token.name)
    return answer(request, {"taken": True})


@router.get("/v1/exports/{name}/dead-letters", dependencies=_ANALYST)
def dead_letters(request: Request, services: Services, name: str, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """What the target refused for good, newest first."""
    items, following = services.exporting.letters(name, cursor=cursor, limit=limit)
    return page(request, [_letter(letter) for letter in items], following)


@router.post("/v1/exports/{name}/dead-letters/resend")
def resend(request: Request, services: Services, token: Admin, name: str, wanted: ExportLetterIds) -> Response:
    """Send letters again, as the things are now."""
    return answer(request, {"resent": services.exporting.resend(name, wanted.ids, by=token.name)})


@router.post("/v1/exports/{name}/dead-letters/drop")
def drop(request: Request, services: Services, token: Admin, name: str, wanted: ExportLetterIds) -> Response:
    """Forget letters. There is no way back."""
    return answer(request, {"dropped": services.exporting.drop(name, wanted.ids, by=token.name)})
