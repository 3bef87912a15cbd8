"""Connections to other systems: what each can do, and whether it could."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from gatewatch.api.context import Part, Services, answer, requires, whole
from gatewatch.ports.connectors import ConnectionState
from gatewatch.ports.control import Role

__all__ = ["router"]

router = APIRouter(tags=["connections"])
_viewer = [Depends(requires(Role.VIEWER))]


def _record(one: ConnectionState) -> dict[str, Any]:
    """Never a secret's value or where it is kept, never an address."""
    return {
        "name": one.name,
        "connector": one.connector,
        "title": one.title,
        "enabled": one.enabled,
        "host": one.host or None,
        "secrets": dict(one.secrets),
        "ready": one.enabled and all(one.secrets.values()),
        "actions": [
            {"id": action.id, "title": action.title, "changes": action.changes, "reads_back": action.reads_back}
            for action in one.actions
        ],
    }


@router.get("/v1/connections", dependencies=_viewer)
def connections(request: Request, services: Services, part: Part) -> Response:
    """All by name; `secrets` says of each by its name whether it can be read now."""
    return whole(request, [_record(one) for one in services.connections.connections()], part)


@router.get("/v1/connections/{name}", dependencies=_viewer)
def connection(request: Request, services: Services, name: str) -> Response:
    """One connection."""
    return answer(request, _record(services.connections.connection(name)))


@router.post("/v1/connections/{name}/test", dependencies=[Depends(requires(Role.RESPONDER))])
def test(request: Request, services: Services, name: str) -> Response:
    """Read the secrets, look the host up and open a connection to it; nothing is sent over it."""
    found = services.connections.test(name)
    return answer(request, msgspec.to_builtins(found) | {"ok": not found.problems})
