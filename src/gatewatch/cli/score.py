"""`gatewatch score`: how much of what is recommended is done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

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
@remote
def show(ask: Ask) -> None:
    """Show the secure score and its controls."""
    if ask.context.invoked_subcommand is not None:
        return
    record = ask.server.call("GET", "/v1/score")
    if not ask.as_json:
        typer.echo(f"Secure score: {_share(record)} ({_points(record)} points)\n")
    ask.table(record, "Controls", _CONTROLS, record["controls"])


@app.command("collections")
@remote_list()
def collections(ask: AskList) -> None:
    """List the score of each API collection alone."""
    ask.show("/v1/score/collections", "Collections", _COLLECTIONS)


@app.command("history")
@remote_list()
def history(
    ask: AskList,
    *,
    since: Annotated[str, typer.Option(help="At or after this RFC 3339 time.")] = "",
    until: Annotated[str, typer.Option(help="Before this RFC 3339 time.")] = "",
) -> None:
    """List how the score went, newest first."""
    ask.show("/v1/score/history", "History", _HISTORY, since=since, until=until)
