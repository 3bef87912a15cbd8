"""`gatewatch findings`: what the recommendations say."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="findings", help="Posture findings.", no_args_is_help=True)
_COLUMNS = (
    Column("Severity", "severity"),
    Column("Status", "status"),
    Column("Endpoint", "endpoint"),
    Column("Finding", "title"),
    Column("Cause", "cause"),
)


@app.command("list")
def list_findings(
    *,
    status: Annotated[str, typer.Option(help="healthy, unhealthy, not_applicable or exempt.")] = "unhealthy",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    recommendation: Annotated[str, typer.Option(help="Recommendation id.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List findings."""
    show_list(
        Server(server, token),
        "/v1/findings",
        "Findings",
        _COLUMNS,
        parameters={"status": status, "severity": severity, "recommendation": recommendation},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )
