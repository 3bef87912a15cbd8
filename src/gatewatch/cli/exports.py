"""`gatewatch exports`: targets of continuous export."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

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
@remote_list(limit=100)
def list_exports(ask: AskList) -> None:
    """List targets with lag and last error."""
    ask.show("/v1/exports", "Export targets", _TARGETS)


@app.command("show")
@remote
def show(ask: Ask, name: Name) -> None:
    """Show one target."""
    _tell(ask, ask.server.call("GET", f"/v1/exports/{name}"))


@app.command("pause")
@remote
def pause(ask: Ask, name: Name) -> None:
    """Stop delivering; changes wait."""
    _tell(ask, ask.server.call("POST", f"/v1/exports/{name}/pause"))


@app.command("resume")
@remote
def resume(ask: Ask, name: Name) -> None:
    """Go on where it stopped."""
    _tell(ask, ask.server.call("POST", f"/v1/exports/{name}/resume"))


@app.command("back-fill")
@remote
def back_fill(
    ask: Ask,
    name: Name,
    kind: Annotated[list[str] | None, typer.Option(help="alert, incident, finding or audit; all without it.")] = None,
    end: Annotated[bool, typer.Option("--end", help="Give up the pass at work.")] = False,
) -> None:
    """Send everything there is, oldest first."""
    path, there = f"/v1/exports/{name}/back-fill", ask.server
    record = there.call("DELETE", path) if end else there.call("POST", path, body={"kinds": kind or []})
    _tell(ask, record)


@app.command("test")
@remote
def send_test(ask: Ask, name: Name) -> None:
    """Send a made-up alert and say what became of it."""
    record = ask.server.call("POST", f"/v1/exports/{name}/test")
    ask.tell(record, f"{name} took the test message")


@app.command("dead-letters")
@remote_list()
def dead_letters(
    ask: AskList,
    name: Name,
) -> None:
    """List what a target refused for good."""
    ask.show(f"/v1/exports/{name}/dead-letters", "Dead letters", _LETTERS)


@app.command("resend")
@remote
def resend(ask: Ask, name: Name, ids: Ids) -> None:
    """Send dead letters again, as the things are now."""
    _act(ask, "resend", name, ids)


@app.command("drop")
@remote
def drop(ask: Ask, name: Name, ids: Ids) -> None:
    """Forget dead letters. There is no way back."""
    _act(ask, "drop", name, ids)


def _act(ask: Ask, action: str, name: str, ids: list[str]) -> None:
    answer = ask.server.call("POST", f"/v1/exports/{name}/dead-letters/{action}", body={"ids": ids})
    ask.counts(answer)


def _tell(ask: Ask, record: dict[str, Any]) -> None:
    ask.record(record["name"], record)
