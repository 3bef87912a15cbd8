"""`gatewatch score`: how much of what is recommended is done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_table
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="score", help="Secure score.", invoke_without_command=True)


def _share(record: Any) -> str:
    """Percent of a score's record."""
    return f"{record['percentage']:.2f} %" if record["percentage"] is not None else "-"


def _points(record: Any) -> str:
    return f"{record['current']:.2f} of {record['max']:g}" if record["current"] is not None else "-"


_CONTROLS = (
    Column("Control", "title"),
    Column("Points", _points, right=True),
    Column("To gain", lambda r: f"{r['potential_increase']:.2f}", right=True),
    Column("Healthy", "healthy", right=True),
    Column("Unhealthy", "unhealthy", right=True),
    Column("Not applicable", "not_applicable", right=True),
)
_COLLECTIONS = (
    Column("Collection", "name"),
    Column("Score", _share, right=True),
    Column("Points", _points, right=True),
    Column("Weight", "weight", right=True),
    Column("Healthy", "healthy", right=True),
    Column("Unhealthy", "unhealthy", right=True),
)
_HISTORY = (
    Column("At", "at"),
    Column("Score", _share, right=True),
    Column("Points", _points, right=True),
    Column("Healthy", "healthy", right=True),
    Column("Unhealthy", "unhealthy", right=True),
)


@app.callback()
def show(
    context: typer.Context, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Show the secure score and its controls."""
    if context.invoked_subcommand is not None:
        return
    record = Server(server, token).call("GET", "/v1/score")
    if as_json:
        show_json(record)
        return
    typer.echo(f"Secure score: {_share(record)} ({_points(record)} points)\n")
    show_table("Controls", _CONTROLS, record["controls"])


@app.command("collections")
def collections(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List the score of each API collection alone."""
    show_list(
        Server(server, token),
        "/v1/score/collections",
        "Collections",
        _COLLECTIONS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("history")
def history(
    *,
    since: Annotated[str, typer.Option(help="At or after this RFC 3339 time.")] = "",
    until: Annotated[str, typer.Option(help="Before this RFC 3339 time.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List how the score went, newest first."""
    show_list(
        Server(server, token),
        "/v1/score/history",
        "History",
        _HISTORY,
        parameters={"since": since, "until": until},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )
