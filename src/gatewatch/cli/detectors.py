"""`gatewatch detectors`: what is looked for and with which settings."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="detectors", help="Detectors and their settings.", no_args_is_help=True)
_COLUMNS = (
    Column("Detector", "id"),
    Column("Alert type", "alert_type"),
    Column("Severity", "severity"),
    Column("Tactic", "tactic"),
    Column("OWASP", "owasp"),
    Column("Enabled", "enabled"),
    Column("Title", "title"),
)


@app.command("list")
def list_detectors(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 200,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List detectors."""
    show_list(
        Server(server, token),
        "/v1/detectors",
        "Detectors",
        _COLUMNS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    detector_id: Annotated[str, typer.Argument(help="Id from `detectors list`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Show one detector with its settings, their units and ranges."""
    record = Server(server, token).call("GET", f"/v1/detectors/{detector_id}")
    if as_json:
        show_json(record)
    else:
        show_record(record["title"], record)
