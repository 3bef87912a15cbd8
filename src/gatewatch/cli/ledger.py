"""`gatewatch ledger`: received = observed + duplicate + rejected + in flight."""

from __future__ import annotations

import typer

from gatewatch.cli.output import AsJson, Column, show_json, show_table
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="ledger", help="What became of everything received.", invoke_without_command=True)
_COLUMNS = (
    Column("Source", "source"),
    Column("Received", "received", right=True),
    Column("Observed", "observed", right=True),
    Column("Duplicate", "duplicate", right=True),
    Column("Rejected", lambda r: sum(r["rejected"].values()), right=True),
    Column("Reasons", lambda r: ", ".join(f"{reason} {count}" for reason, count in r["rejected"].items())),
    Column("In flight", "in_flight", right=True),
)


@app.callback(invoke_without_command=True)
def show(server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Show the ledger per source."""
    answer = Server(server, token).call("GET", "/v1/ledger")
    if as_json:
        show_json(answer)
    else:
        show_table("Ledger", _COLUMNS, answer["items"])
