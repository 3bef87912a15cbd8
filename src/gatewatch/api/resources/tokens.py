"""API tokens."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from gatewatch.api.context import Admin, Part, Services, answer, requires, whole
from gatewatch.formats.records import rfc3339
from gatewatch.model.activity import Subject
from gatewatch.ports.control import Role, Token

__all__ = ["router"]

_ACTIVE_S = 7 * 86_400.0
router = APIRouter(tags=["tokens"], dependencies=[Depends(requires(Role.ADMIN))])


class NewToken(BaseModel):
    """What a token is for."""

    name: str = Field(min_length=1, max_length=256)
    role: Role
    expires_at: datetime | None = None


def _status(token: Token, now: float) -> str:
    """As Defender for Cloud Apps names them: used within seven days or not, and never."""
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at is not None and token.expires_at <= now:
        return "expired"
    if token.last_used_at is None:
        return "generated"
    return "active" if now - token.last_used_at <= _ACTIVE_S else "inactive"


def _record(token: Token, now: float) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "role": token.role.value,
        "status": _status(token, now),
        "created_at": rfc3339(token.created_at),
        "expires_at": rfc3339(token.expires_at) if token.expires_at else None,
        "last_used_at": rfc3339(token.last_used_at) if token.last_used_at else None,
        "revoked_at": rfc3339(token.revoked_at) if token.revoked_at else None,
    }


@router.get("/v1/tokens")
def tokens(request: Request, services: Services, part: Part) -> Response:
    """All tokens, never their secrets; `status` is generated (never used), active, inactive, expired or revoked."""
    return whole(request, [_record(token, services.clock.now()) for token in services.control.tokens()], part)


@router.post("/v1/tokens", status_code=201)
def create(request: Request, services: Services, admin: Admin, wanted: NewToken) -> Response:
    """Make a token; its text is shown in this answer and never again."""
    end = wanted.expires_at
    expires = (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp() if end else None
    token, text = services.access.create(wanted.name, wanted.role, expires_at=expires)
    services.casework.note(Subject.TOKEN, token.id, "created", f"{token.name}: {token.role.value}", by=admin.name)
    return answer(request, _record(token, services.clock.now()) | {"token": text}, status=201)


@router.delete("/v1/tokens/{token_id}", status_code=204)
def revoke(services: Services, admin: Admin, token_id: str) -> Response:
    """End a token at once."""
    services.access.revoke(token_id)
    services.casework.note(Subject.TOKEN, token_id, "revoked", "The token was revoked.", by=admin.name)
    return Response(status_code=204)
