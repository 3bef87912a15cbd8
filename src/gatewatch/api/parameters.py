"""Query parameters that a route does not know are refused: a filter that is left aside answers with too much."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from gatewatch.errors import InputError

__all__ = ["UnknownParameterError", "declared", "known_parameters"]

_OURS = "/v1/"
_MOST_TOLD, _LONGEST_TOLD = 5, 64


class UnknownParameterError(InputError):
    """The route has no such query parameter."""

    code = "unknown-parameter"

    def __init__(self, unknown: list[str], known: list[str]) -> None:
        """Say which, and which there are."""
        self.unknown = [name[:_LONGEST_TOLD] for name in unknown[:_MOST_TOLD]]
        self.known = known
        told = ", ".join(f"query.{name}" for name in self.unknown)
        verb = "is" if len(self.unknown) == 1 else "are"
        cure = f"It has {', '.join(known)}." if known else "It has none."
        super().__init__(f"{told} {verb} no parameter of this", cure=cure)


def known_parameters(request: Request) -> None:
    """A dependency of every route in our own words; paths of others take what their clients send. Raises InputError."""
    route = request.scope["route"]
    if not isinstance(route, APIRoute) or not route.path.startswith(_OURS):
        return
    known = dict.fromkeys(declared(route.dependant))
    if unknown := [name for name in request.query_params if name not in known]:
        raise UnknownParameterError(unknown, list(known))


def declared(of: Dependant) -> Iterator[str]:
    """Names of the query parameters of a route and of what it depends on."""
    yield from (field.alias for field in of.query_params)
    for one in of.dependencies:
        yield from declared(one)
