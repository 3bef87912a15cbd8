"""`gatewatch tokens`: API tokens."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

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
@remote_list(limit=100)
def list_tokens(ask: AskList) -> None:
    """List tokens; never their secrets."""
    ask.show("/v1/tokens", "Tokens", _COLUMNS)


@app.command("create")
@remote
def create(
    ask: Ask,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[str, typer.Option(help="ingest, viewer, analyst, responder or admin.")] = "viewer",
) -> None:
    """Make a token and show its secret, once."""
    record = ask.server.call("POST", "/v1/tokens", body={"name": name, "role": role})
    ask.tell(record, f"token: {record['token']}")


@app.command("revoke")
@remote
def revoke(ask: Ask, token_id: Annotated[str, typer.Argument(help="Id from `tokens list`.")]) -> None:
    """End a token at once."""
    ask.server.call("DELETE", f"/v1/tokens/{token_id}")
    ask.tell({"revoked": token_id}, f"revoked {token_id}")
