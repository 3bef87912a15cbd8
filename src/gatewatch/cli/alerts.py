"""`gatewatch alerts`: list, look at and work on alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="alerts", help="Alerts of the detectors.", no_args_is_help=True)
_SHOWN = 3
_COLUMNS = (
    Column("Id", "id"),
    Column("Severity", "severity"),
    Column("Status", "status"),
    Column("Alert", "title"),
    Column("Who", lambda r: ", ".join(f"{a['kind']}:{a['id']}" for a in r["actors"][:_SHOWN])),
    Column("Where", lambda r: ", ".join(r["endpoints"][:_SHOWN])),
    Column("Calls", "count", right=True),
    Column("Incident", "incident_id", right=True),
    Column("Last seen", "last_seen"),
)


@app.command("list")
def list_alerts(
    *,
    status: Annotated[str, typer.Option(help="new, in_progress, resolved or dismissed.")] = "",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    alert_type: Annotated[str, typer.Option("--type", help="For example API_ParameterEnumeration.")] = "",
    actor: Annotated[str, typer.Option(help="Actor, for example subject:ann.")] = "",
    client_ip: Annotated[str, typer.Option("--ip", help="Client address.")] = "",
    endpoint: Annotated[str, typer.Option(help="`METHOD host template`.")] = "",
    since: Annotated[str, typer.Option(help="Seen at or after this RFC 3339 time.")] = "",
    until: Annotated[str, typer.Option(help="First seen before this RFC 3339 time.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List alerts, newest first."""
    parameters = {
        "status": status,
        "severity": severity,
        "alert_type": alert_type,
        "actor": actor,
        "client_ip": client_ip,
        "endpoint": endpoint,
        "since": since,
        "until": until,
    }
    show_list(
        Server(server, token),
        "/v1/alerts",
        "Alerts",
        _COLUMNS,
        parameters=parameters,
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    alert_id: Annotated[str, typer.Argument(help="Id from `alerts list`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Show one alert with its evidence."""
    record = Server(server, token).call("GET", f"/v1/alerts/{alert_id}")
    if as_json:
        show_json(record)
    else:
        show_record(record["title"], record)


@app.command("set")
def set_status(
    alert_id: Annotated[str, typer.Argument(help="Id from `alerts list`.")],
    status: Annotated[str, typer.Argument(help="new, in_progress, resolved or dismissed.")],
    *,
    classification: Annotated[str, typer.Option(help="true_positive, expected_activity, false_positive.")] = "",
    determination: Annotated[str, typer.Option(help="What it was, for example security_testing.")] = "",
    owner: Annotated[str, typer.Option(help="Assign to.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Change an alert's status, and what is concluded of it."""
    given = {
        "status": status,
        "classification": classification,
        "determination": determination,
        "assigned_to": owner,
    }
    body = {field: value for field, value in given.items() if value}
    record = Server(server, token).call("PATCH", f"/v1/alerts/{alert_id}", body=body)
    if as_json:
        show_json(record)
    else:
        typer.echo(f"{record['id']} is {record['status']}")
