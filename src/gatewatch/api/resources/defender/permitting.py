"""Who may use the compatibility routes, and how often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from gatewatch.api.services import ApiServices
from gatewatch.ports.control import Role, Token
from gatewatch.services.access import UnauthenticatedError
from gatewatch.services.throttling import Allowance

__all__ = ["Budget", "GraphReader", "GraphWriter", "permits"]

_PER_HOUR = Allowance(1500, 3600)


class Budget(msgspec.Struct, frozen=True):
    """What one client may ask of one group of routes."""

    name: str
    allowances: tuple[Allowance, ...]


LEGACY_LIST = Budget("legacy list", (Allowance(50, 60), _PER_HOUR))
LEGACY_GET = Budget("legacy get", (Allowance(100, 60), _PER_HOUR))
LEGACY_PATCH = Budget("legacy patch", (Allowance(50, 60), _PER_HOUR))
"""reference/microsoft.md 6.1."""
GRAPH = Budget("graph", (Allowance(1200, 60),))
"""Ours: 20 a second for a minute; a page of 50 incidents with their alerts takes about 60 ms of one core."""


def permits(role: Role, budget: Budget) -> Callable[[Request], Token]:
    """Like `requires`, for JWTs of the token endpoints too; counts the request against the client's budget."""

    def check(request: Request) -> Token:
        services: ApiServices = request.app.state.services
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise UnauthenticatedError("Access token is empty.")
        token = services.clients.check(text.strip(), role)
        request.state.standing = services.clients.throttle.take(f"{budget.name} {token.id}", budget.allowances)
        return token

    check.__name__ = f"permits_{role.value}"
    return check


GraphReader = Annotated[Token, Depends(permits(Role.VIEWER, GRAPH))]
GraphWriter = Annotated[Token, Depends(permits(Role.ANALYST, GRAPH))]
