"""OData query options of lists, and pages of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
from fastapi import Depends, Query, Request, Response

from gatewatch.errors import InputError
from gatewatch.formats.defender.filters import Fields, condition
from gatewatch.formats.records import Record
from gatewatch.model.predicate import Predicate
from gatewatch.ports.cases import Selection

__all__ = ["CONTEXT", "MOST_SKIPPED", "Options", "Sorting", "collection", "projected", "sent"]

CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#security/"
"""What clients know; it names the kind of the answer, not where it came from."""
MOST_SKIPPED = 100_000
_KNOWN = ("$filter", "$top", "$skip", "$orderby", "$expand", "$select", "$count", "$skiptoken")


class Sorting(msgspec.Struct, frozen=True, kw_only=True):
    """How a list can be sorted and paged."""

    orders: Mapping[str, str]
    """Property -> column."""
    default: str
    """A column; newest first."""
    page: int
    most: int


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    filter: str | None
    top: int | None
    skip: int
    orderby: str | None
    expand: str | None
    select: str | None
    count: bool
    skiptoken: str

    def where(self, fields: Fields) -> Predicate | None:
        """The condition. Raises FilterError."""
        return condition(self.filter, fields) if self.filter and self.filter.strip() else None

    def selection(self, where: Predicate | None, sorting: Sorting) -> Selection:
        """What to ask of the store. Raises InputError."""
        if self.top is not None and self.top > sorting.most:
            raise InputError(f"$top is at most {sorting.most} here")
        order, descending = sorting.default, True
        if self.orderby and self.orderby.strip():
            name, _, way = self.orderby.strip().partition(" ")
            way = way.strip().lower() or "asc"
            if name not in sorting.orders or way not in ("asc", "desc"):
                known = ", ".join(sorting.orders)
                raise InputError("$orderby names one property and asc or desc", cure=f"Sort by one of {known}.")
            order, descending = sorting.orders[name], way == "desc"
        limit = sorting.page if self.top is None else self.top
        return Selection(
            where=where, order=order, descending=descending, skip=self.skip, limit=limit, cursor=self.skiptoken
        )

    def expands(self, name: str) -> bool:
        """Whether this was asked for. Raises InputError when something else was."""
        asked = {part.strip() for part in (self.expand or "").split(",") if part.strip()}
        if asked - {name}:
            raise InputError(f"only {name} can be expanded here")
        return bool(asked)


def _options(
    request: Request,
    filter: Annotated[str | None, Query(alias="$filter")] = None,  # noqa: A002 - OData's name
    top: Annotated[int | None, Query(alias="$top", ge=0)] = None,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=MOST_SKIPPED)] = 0,
    orderby: Annotated[str | None, Query(alias="$orderby")] = None,
    expand: Annotated[str | None, Query(alias="$expand")] = None,
    select: Annotated[str | None, Query(alias="$select")] = None,
    count: Annotated[bool, Query(alias="$count")] = False,
    skiptoken: Annotated[str, Query(alias="$skiptoken", description="From `@odata.nextLink`.")] = "",
) -> _Options:
    names = [name for name, _ in request.query_params.multi_items() if name.startswith("$")]
    if len(names) != len(set(names)):
        raise InputError("a query option was given more than once")
    if set(names) - set(_KNOWN):
        raise InputError("a query option is not known here", cure=f"Known are {', '.join(_KNOWN)}.")
    return _Options(
        filter=filter,
        top=top,
        skip=skip,
        orderby=orderby,
        expand=expand,
        select=select,
        count=count,
        skiptoken=skiptoken,
    )


Options = Annotated[_Options, Depends(_options)]


def collection(
    request: Request,
    options: _Options,
    records: Sequence[Record],
    *,
    context: str,
    following: str = "",
    count: int | None = None,
) -> Record:
    """One page; its link to the next goes back to where this request came to."""
    body: Record = {"@odata.context": CONTEXT + context}
    if count is not None:
        body["@odata.count"] = count
    body["value"] = [projected(record, options.select) for record in records]
    if following:
        kept = {name: value for name, value in request.query_params.items() if name not in ("$skip", "$skiptoken")}
        asked = urlencode({**kept, "$skiptoken": following}, safe="$", quote_via=quote)
        body["@odata.nextLink"] = f"{request.base_url}{request.url.path.lstrip('/')}?{asked}"
    return body


def sent(body: Record | Sequence[Record]) -> Response:
    """As JSON. The framework's own way checks every value once more: for 1,000 alerts that doubles the time."""
    return Response(msgspec.json.encode(body), media_type="application/json")


def projected(record: Record, select: str | None) -> Record:
    """Only the properties asked for, and the id. Raises InputError for one that is not there."""
    names = {part.strip() for part in (select or "").split(",") if part.strip()}
    if not names:
        return record
    if names - set(record):
        raise InputError("$select names a property that is not there")
    return {name: value for name, value in record.items() if name in names or name == "id" or "@" in name}
