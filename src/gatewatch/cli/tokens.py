"""`gatewatch tokens`: API tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="tokens", help="API tokens: shown once, revocable.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Name", "name"),
    Column("Role", "role"),
    Column("Status", "status"),
    Column("Created", "created_at"),
    Column("Last used", "last_used_at"),
    Column("Revoked", "revoked_at"),
)


@app.command("list")
def list_tokens(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 100,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List tokens; never their secrets."""
    show_list(
        Server(server, token),
        "/v1/tokens",
        "Tokens",
        _COLUMNS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option(help="ingest, viewer, analyst, responder or admin.")] = "viewer",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Make a token and show its secret, once."""
    record = Server(server, token).call("POST", "/v1/tokens", body={"name": name, "role": role})
    if as_json:
        show_json(record)
    else:
        typer.echo(f"token: {record['token']}")


@app.command("revoke")
def revoke(
    token_id: Annotated[str, typer.Argument(help="Id from `tokens list`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """End a token at once."""
    Server(server, token).call("DELETE", f"/v1/tokens/{token_id}")
    if as_json:
        show_json({"revoked": token_id})
    else:
        typer.echo(f"revoked {token_id}")
