"""`gatewatch findings`: what the recommendations say."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

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
@remote_list()
def list_findings(
    ask: AskList,
    *,
    status: Annotated[str, typer.Option(help="healthy, unhealthy, not_applicable or exempt.")] = "unhealthy",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    recommendation: Annotated[str, typer.Option(help="Recommendation id.")] = "",
    endpoint_id: Annotated[str, typer.Option("--endpoint", help="Endpoint id.")] = "",
) -> None:
    """List findings."""
    ask.show(
        "/v1/findings",
        "Findings",
        _COLUMNS,
        status=status,
        severity=severity,
        recommendation=recommendation,
        endpoint_id=endpoint_id,
    )


@app.command("show")
@remote
def show(ask: Ask, finding_id: Annotated[str, typer.Argument(help="Id from `findings list`.")]) -> None:
    """Show one finding with its cause and what to do."""
    record = ask.server.call("GET", f"/v1/findings/{finding_id}")
    ask.record(record["title"], record)
