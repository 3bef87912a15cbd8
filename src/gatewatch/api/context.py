"""What every route shares: services, the role it needs, paging, ETags."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Query, Request, Response

from gatewatch.api.services import ApiServices
from gatewatch.errors import InputError, StaleError
from gatewatch.ports.control import Role, Token
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.services.access import UnauthenticatedError

__all__ = [
    "Admin",
    "Analyst",
    "Cursor",
    "IfMatch",
    "Limit",
    "Part",
    "Responder",
    "Services",
    "answer",
    "keyed",
    "page",
    "requires",
    "revision_of",
    "seconds",
    "tokened",
    "unchanged",
    "whole",
]

Limit = Annotated[int, Query(ge=1, le=500, description="Items per page.")]
IfMatch = Annotated[str | None, Header(description="Revision that was read.")]
Cursor = Annotated[str, Query(description="`next` of the page before.")]


def _part(
    cursor: Cursor = "", limit: Annotated[int | None, Query(ge=1, le=500, description="All of them without.")] = None
) -> slice:
    start = int(read_cursor(cursor, (int,))[0]) if cursor else 0
    if start < 0:
        raise InputError("the cursor is not one of this list", cure="Begin again without a cursor.")
    return slice(start, None if limit is None else start + limit)


Part = Annotated[slice, Depends(_part)]
"""Which part of a short list that is made whole each time."""


def _services(request: Request) -> ApiServices:
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(_services)]


def requires(role: Role) -> Callable[[Request], Token]:
    """A dependency that lets only tokens of at least this role through; the declaration that tests walk over."""

    def check(request: Request) -> Token:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            raise UnauthenticatedError("this needs an API token", cure="Send `Authorization: Bearer gw_…`.")
        return _services(request).access.check(text.strip(), role)

    check.__name__ = f"requires_{role.value}"
    return check


def keyed(role: Role) -> Callable[[Request], Token]:
    """As `requires`, for programs of others that send their key as X-Api-Key."""
    bearer = requires(role)

    def check(request: Request) -> Token:
        key = request.headers.get("x-api-key", "")
        return _services(request).access.check(key.strip(), role) if key else bearer(request)

    check.__name__ = bearer.__name__
    return check


def tokened(role: Role) -> Callable[[Request], Token]:
    """As `requires`, for clients of Defender for Cloud Apps, which send `Authorization: Token …`."""
    bearer = requires(role)

    def check(request: Request) -> Token:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        return _services(request).access.check(text.strip(), role) if kind.lower() == "token" else bearer(request)

    check.__name__ = bearer.__name__
    return check


Analyst = Annotated[Token, Depends(requires(Role.ANALYST))]
"""Whoever asks, when they may change alerts and incidents."""
Responder = Annotated[Token, Depends(requires(Role.RESPONDER))]
"""Whoever asks, when they may act on gateways, start and end runs."""
Admin = Annotated[Token, Depends(requires(Role.ADMIN))]


def revision_of(if_match: str | None) -> int | None:
    """The revision that If-Match names; None without one or for `*`. Raises InputError."""
    if not if_match or if_match == "*":
        return None
    text = if_match.strip().strip('"')
    if not text.isdecimal():
        raise InputError("If-Match is not a revision of this", cure="Send the ETag as it came.")
    return int(text)


def seconds(moment: datetime | None) -> float | None:
    """Unix seconds; a time without zone is UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def answer(request: Request, body: object, *, tag: str = "", status: int = 200) -> Response:
    """JSON with an ETag; 304 when the client has it already."""
    data = msgspec.json.encode(body)
    etag = f'"{tag}"' if tag else _tag(data)
    headers = {"etag": etag, "cache-control": "no-store, private"}
    if request.method == "GET" and etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(data, status, media_type="application/json", headers=headers)


def unchanged(body: object, if_match: str | None) -> None:
    """Of what has no revision: raises StaleError when it is not any more what an ETag of `answer` was given for."""
    if if_match and if_match.strip() not in ("*", _tag(msgspec.json.encode(body))):
        raise StaleError("it has changed meanwhile", cure="Read it again, then change it.")


def _tag(data: bytes) -> str:
    return f'"{blake2b(data, digest_size=12).hexdigest()}"'


def page(request: Request, items: Sequence[Mapping[str, Any]], following: str) -> Response:
    """One page of a list."""
    return answer(request, {"items": list(items), "next": following or None})


def whole(request: Request, items: Sequence[Mapping[str, Any]], part: slice) -> Response:
    """One page of a list that is made whole each time; without a limit all of it."""
    more = part.stop is not None and part.stop < len(items)
    return page(request, items[part], write_cursor(part.stop) if more else "")
