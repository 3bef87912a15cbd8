"""`gatewatch connections`: connections to other systems, which playbooks name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["NOT_REACHED", "app"]

NOT_REACHED = 14
"""Exit code of `test`."""
app = typer.Typer(name="connections", help="Connections to other systems.", no_args_is_help=True)


def _secrets(record: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {'readable' if good else 'MISSING'}" for name, good in record["secrets"].items())


_COLUMNS = (
    Column("Name", "name"),
    Column("Connector", "connector"),
    Column("On", lambda r: "yes" if r["enabled"] else "no"),
    Column("Host", "host"),
    Column("Secrets", _secrets),
    Column("Can", lambda r: ", ".join(one["id"] for one in r["actions"])),
)
Name = Annotated[str, typer.Argument(help="Name from `connections list`.")]


@app.command("list")
@remote_list(limit=200)
def list_connections(ask: AskList) -> None:
    """List connections, what each can do, and whether its secrets can be read; never their values."""
    ask.show("/v1/connections", "Connections", _COLUMNS)


@app.command("show")
@remote
def show(ask: Ask, name: Name) -> None:
    """Show one connection."""
    ask.record(name, ask.server.call("GET", f"/v1/connections/{name}"))


@app.command("test")
@remote
def test(ask: Ask, name: Name) -> None:
    """Read its secrets and open a connection to its host; nothing is sent. Exit code 14 when it can't be used."""
    found = ask.server.call("POST", f"/v1/connections/{name}/test")
    ask.tell(found, f"{name} can be reached" if found["ok"] else [f"{name}: {one}" for one in found["problems"]])
    if not found["ok"]:
        raise typer.Exit(NOT_REACHED)
