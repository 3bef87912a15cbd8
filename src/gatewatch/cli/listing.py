"""What all lists of the command line share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column, show_json, show_table
from gatewatch.cli.rest import Server

__all__ = ["All", "Limit", "show_list"]

Limit = Annotated[int, typer.Option("--limit", min=1, help="How many at most.")]
All = Annotated[bool, typer.Option("--all", help="All of them.")]


def show_list(
    server: Server,
    path: str,
    title: str,
    columns: Sequence[Column],
    *,
    parameters: Mapping[str, Any],
    limit: int,
    everything: bool,
    as_json: bool,
) -> None:
    """Fetch and show; one more than asked for tells whether there are more."""
    wanted = None if everything else limit + 1
    found = list(server.items(path, parameters=parameters, limit=wanted))
    more = wanted is not None and len(found) > limit
    shown = found[:limit] if more else found
    if as_json:
        show_json({"items": shown, "more": more})
    else:
        show_table(title, columns, shown, more=more)
