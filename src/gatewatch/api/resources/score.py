"""The secure score: now, by control and collection, and how it went."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from gatewatch.api.context import Cursor, Limit, Services, answer, page, requires, seconds
from gatewatch.errors import InputError
from gatewatch.formats.records import collection_score_record, control_score_record, score_record
from gatewatch.ports.control import Role
from gatewatch.ports.cursors import read_cursor, write_cursor

__all__ = ["router"]

router = APIRouter(tags=["score"], dependencies=[Depends(requires(Role.VIEWER))])
Moment = Annotated[datetime | None, Query(description="RFC 3339.")]


@router.get("/v1/score")
def score(request: Request, services: Services) -> Response:
    """The score as it stands; `percentage` is null while nothing was judged."""
    standing = services.scoring.standing()
    weighted = standing.weighted
    return answer(
        request,
        {
            **score_record(standing.score),
            "collections_weighted_percentage": round(weighted, 4) if weighted is not None else None,
        },
    )


@router.get("/v1/score/controls")
def controls(
    request: Request,
    services: Services,
    unhealthy: Annotated[bool, Query(description="Only controls with points to gain.")] = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Controls with something to judge, most points to gain first."""
    found = [one for one in services.scoring.standing().score.controls if one.unhealthy or not unhealthy]
    start = 0
    if cursor:
        (after,) = read_cursor(cursor, (str,))
        names = [one.control for one in found]
        if after not in names:
            raise InputError("the score changed meanwhile", cure="Begin again without a cursor.")
        start = names.index(str(after)) + 1
    shown = found[start : start + limit]
    following = write_cursor(shown[-1].control) if len(found) > start + limit else ""
    return page(request, [control_score_record(one) for one in shown], following)


@router.get("/v1/score/collections")
def collections(request: Request, services: Services, cursor: Cursor = "", limit: Limit = 50) -> Response:
    """The score of every API collection alone, by name, and its weight beside the others."""
    known = services.scoring.standing().collections
    items, following = services.catalogue.collections(after=cursor, limit=limit)
    return page(request, [collection_score_record(one, known.get(one.id)) for one in items], following)


@router.get("/v1/score/history")
def history(
    request: Request,
    services: Services,
    since: Moment = None,
    until: Moment = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Response:
    """Snapshots at or after `since` and before `until`, newest first; one is kept for every change of 0.01."""
    items, following = services.scoring.history(since=seconds(since), until=seconds(until), cursor=cursor, limit=limit)
    return page(request, [score_record(one) for one in items], following)
