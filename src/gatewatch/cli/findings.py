"""`gatewatch findings`: what the recommendations say."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="findings", help="Posture findings.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Severity", "severity"),
    Column("Status", "status"),
    Column("Endpoint", "endpoint"),
    Column("Recommendation", "recommendation"),
    Column("Finding", "title"),
    Column("Cause", "cause"),
)


@app.command("list")
def list_findings(
    *,
    status: Annotated[str, typer.Option(help="healthy, unhealthy, not_applicable or exempt.")] = "unhealthy",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    recommendation: Annotated[str, typer.Option(help="Recommendation id.")] = "",
    endpoint: Annotated[str, typer.Option(help="Endpoint id.")] = "",
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
        parameters={
            "status": status,
            "severity": severity,
            "recommendation": recommendation,
            "endpoint_id": endpoint,
        },
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    finding_id: Annotated[str, typer.Argument(help="Id from `findings list`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Show one finding with its cause and what to do."""
    record = Server(server, token).call("GET", f"/v1/findings/{finding_id}")
    if as_json:
        show_json(record)
    else:
        show_record(record["title"], record)
