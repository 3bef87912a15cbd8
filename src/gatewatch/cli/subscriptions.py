"""`gatewatch subscriptions`: flows of other systems that are called back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["app"]

app = typer.Typer(name="subscriptions", help="Flows that are called back.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Kind", "kind"),
    Column("Host", "host"),
    Column("Told", "told", right=True),
    Column("Failures", "failures", right=True),
    Column("Last error", "last_error"),
    Column("Next attempt", "next_attempt_at"),
    Column("By", "created_by"),
    Column("Created", "created_at"),
)
_KINDS = "alert, incident, security_alert or assessment."


@app.command("list")
@remote_list()
def list_subscriptions(ask: AskList, *, kind: Annotated[str, typer.Option(help=_KINDS)] = "") -> None:
    """List subscriptions; never their addresses, which are secrets."""
    ask.show("/v1/subscriptions", "Subscriptions", _COLUMNS, kind=kind)


@app.command("add")
@remote
def add(
    ask: Ask,
    callback_url: Annotated[str, typer.Argument(help="Address to call back; `-` reads it, a secret, from the input.")],
    kind: Annotated[str, typer.Option(help=_KINDS)] = "alert",
) -> None:
    """Call an address back; its host has to be one of the settings' `callback_hosts`."""
    address = sys.stdin.readline().strip() if callback_url == "-" else callback_url
    made = ask.server.call("POST", "/v1/subscriptions", body={"callback_url": address, "kind": kind})
    ask.tell(made, f"{made['id']}: {made['host']} is called back for each new {made['kind'].replace('_', ' ')}")


@app.command("delete")
@remote
def delete(ask: Ask, subscription_id: Annotated[str, typer.Argument(help="Id from `subscriptions list`.")]) -> None:
    """Call it back no more."""
    ask.server.call("DELETE", f"/v1/subscriptions/{subscription_id}")
    ask.tell({"removed": subscription_id}, f"{subscription_id} is removed")
