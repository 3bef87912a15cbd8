"""`gatewatch ledger`: received = observed + duplicate + rejected + in flight."""

from __future__ import annotations

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, remote

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
@remote
def show(ask: Ask) -> None:
    """Show the ledger per source."""
    answer = ask.server.call("GET", "/v1/ledger")
    ask.table(answer, "Ledger", _COLUMNS, answer["items"])
