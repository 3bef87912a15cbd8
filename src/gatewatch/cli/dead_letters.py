"""`gatewatch dead-letters`: rejected input, to look at, send again or drop."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="dead-letters", help="Rejected input.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Source", "source"),
    Column("Reason", "reason"),
    Column("Detail", "detail"),
    Column("Line", "line", right=True),
    Column("Received", "received_at"),
)
Ids = Annotated[list[str], typer.Argument(help="Ids from `dead-letters list`.")]


@app.command("list")
def list_letters(
    *,
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List rejected input: reason and position, never the content."""
    show_list(
        Server(server, token),
        "/v1/dead-letters",
        "Dead letters",
        _COLUMNS,
        parameters={"source": source},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("resubmit")
def resubmit(ids: Ids, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Send letters through the pipeline again, for example after an upgrade."""
    _act("resubmit", ids, server, token, as_json=as_json)


@app.command("drop")
def drop(ids: Ids, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Forget letters. There is no way back."""
    _act("drop", ids, server, token, as_json=as_json)


def _act(action: str, ids: list[str], server: str, token: str, *, as_json: bool) -> None:
    answer = Server(server, token).call("POST", f"/v1/dead-letters/{action}", body={"ids": ids})
    if as_json:
        show_json(answer)
    else:
        typer.echo(", ".join(f"{name} {value}" for name, value in answer.items()))
