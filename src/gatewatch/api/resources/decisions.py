"""What gateways pull: decisions as CrowdSec's local API serves them, and enforcements for our own middleware."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from gatewatch.api.context import Services, answer, keyed
from gatewatch.model.enforcement import Enforcement, place_of
from gatewatch.ports.control import Role, Token

__all__ = ["router"]

router = APIRouter(tags=["decisions"])
Puller = Annotated[Token, Depends(keyed(Role.GATEWAY))]
Scopes = Annotated[str, Query(max_length=256, description="`ip`, `range`, or both with a comma; all when empty.")]


def _scopes(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _plain(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json", headers={"cache-control": "no-store"})


@router.get("/v1/decisions/stream")
def stream(services: Services, token: Puller, startup: bool = False, scopes: Scopes = "") -> Response:
    """What is new and what is gone since this key pulled last; with `startup` everything. As CrowdSec's local API."""
    new, deleted = services.feed.stream(token.id, startup=startup, scopes=_scopes(scopes))
    return _plain({"new": new, "deleted": deleted})


@router.get("/v1/decisions")
def decisions(
    services: Services,
    _: Puller,
    ip: Annotated[str, Query(max_length=64)] = "",
    network: Annotated[str, Query(alias="range", max_length=64)] = "",
    scopes: Scopes = "",
) -> Response:
    """Decisions in force, `null` when there are none. As CrowdSec's local API, which has no pages."""
    return _plain(services.feed.decisions(ip=ip, network=network, scopes=_scopes(scopes)) or None)


@router.head("/v1/decisions")
def decisions_there(services: Services, _: Puller) -> Response:
    """Whether a key is good, as bouncers ask."""
    return _plain(services.feed.decisions() or None)


@router.post("/v1/usage-metrics", status_code=201)
def usage_metrics(_: Puller) -> Response:
    """Taken and dropped: bouncers log an error when their local API does not take them."""
    return Response(status_code=201)


@router.get("/v1/enforcements")
def enforcements(request: Request, services: Services, _: Puller) -> Response:
    """Everything that our own middleware has to enforce, whole; with an ETag."""
    return answer(request, {"items": [_record(one) for one in services.feed.enforcements()]})


def _record(one: Enforcement) -> dict[str, Any]:
    place = place_of(one.scope)
    return {
        "id": one.id,
        "effect": one.effect,
        "scope": {"kind": one.scope.kind, "value": one.scope.value},
        "place": None
        if place is None
        else {"method": place.method, "host": place.host, "pattern": place.pattern(raw=True)},
        "calls": one.calls,
        "per_s": one.per_s,
        "expires_at": one.expires_at,
    }
