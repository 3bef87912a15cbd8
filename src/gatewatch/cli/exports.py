"""`gatewatch exports`: targets of continuous export."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="exports", help="Continuous export to SIEMs and files.", no_args_is_help=True)
_TARGETS = (
    Column("Name", "name"),
    Column("Transport", "transport"),
    Column("Format", "format"),
    Column("State", "state"),
    Column("Behind", lambda r: r["lag"]["items"], right=True),
    Column("Seconds", lambda r: round(r["lag"]["seconds"]), right=True),
    Column("Delivered", "delivered", right=True),
    Column("Dead letters", "dead_letters", right=True),
    Column("Last error", "last_error"),
)
_LETTERS = (
    Column("Id", "id"),
    Column("Event", "event_id"),
    Column("Reason", "reason"),
    Column("Refused", "refused_at"),
    Column("Attempts", "attempts", right=True),
)
Name = Annotated[str, typer.Argument(help="Name of the target.")]
Ids = Annotated[list[str], typer.Argument(help="Ids from `exports dead-letters`.")]


@app.command("list")
def list_exports(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 100,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List targets with lag and last error."""
    show_list(
        Server(server, token),
        "/v1/exports",
        "Export targets",
        _TARGETS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Show one target."""
    _tell(Server(server, token).call("GET", f"/v1/exports/{name}"), as_json=as_json)


@app.command("pause")
def pause(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Stop delivering; changes wait."""
    _tell(Server(server, token).call("POST", f"/v1/exports/{name}/pause"), as_json=as_json)


@app.command("resume")
def resume(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Go on where it stopped."""
    _tell(Server(server, token).call("POST", f"/v1/exports/{name}/resume"), as_json=as_json)


@app.command("back-fill")
def back_fill(
    name: Name,
    kind: Annotated[list[str] | None, typer.Option(help="alert, incident, finding or audit; all without it.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Give up the pass at work.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Send everything there is, oldest first."""
    path, there = f"/v1/exports/{name}/back-fill", Server(server, token)
    record = there.call("DELETE", path) if end else there.call("POST", path, body={"kinds": kind or []})
    _tell(record, as_json=as_json)


@app.command("test")
def send_test(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Send a made-up alert and say what became of it."""
    record = Server(server, token).call("POST", f"/v1/exports/{name}/test")
    if as_json:
        show_json(record)
    else:
        typer.echo(f"{name} took the test message")


@app.command("dead-letters")
def dead_letters(
    name: Name,
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List what a target refused for good."""
    show_list(
        Server(server, token),
        f"/v1/exports/{name}/dead-letters",
        "Dead letters",
        _LETTERS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("resend")
def resend(
    name: Name, ids: Ids, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Send dead letters again, as the things are now."""
    _act("resend", name, ids, Server(server, token), as_json=as_json)


@app.command("drop")
def drop(
    name: Name, ids: Ids, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Forget dead letters. There is no way back."""
    _act("drop", name, ids, Server(server, token), as_json=as_json)


def _act(action: str, name: str, ids: list[str], server: Server, *, as_json: bool) -> None:
    answer = server.call("POST", f"/v1/exports/{name}/dead-letters/{action}", body={"ids": ids})
    if as_json:
        show_json(answer)
    else:
        typer.echo(", ".join(f"{key} {value}" for key, value in answer.items()))


def _tell(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        show_record(record["name"], record)
