"""`gatewatch alerts`: list, look at and work on alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.audit import ACTIVITY_COLUMNS
from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.errors import InputError

__all__ = ["app"]

app = typer.Typer(name="alerts", help="Alerts of the detectors.", no_args_is_help=True)
AlertId = Annotated[str, typer.Argument(help="Id from `alerts list`.")]
_SHOWN, _MOST = 3, 20
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
@remote_list()
def list_alerts(
    ask: AskList,
    *,
    status: Annotated[str, typer.Option(help="new, in_progress, resolved or dismissed.")] = "",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    alert_type: Annotated[str, typer.Option("--type", help="For example API_ParameterEnumeration.")] = "",
    actor: Annotated[str, typer.Option(help="Actor, for example subject:ann.")] = "",
    client_ip: Annotated[str, typer.Option("--ip", help="Client address.")] = "",
    endpoint: Annotated[str, typer.Option(help="`METHOD host template`.")] = "",
    incident: Annotated[int, typer.Option(help="Of this incident.")] = 0,
    since: Annotated[str, typer.Option(help="Seen at or after this RFC 3339 time.")] = "",
    until: Annotated[str, typer.Option(help="First seen before this RFC 3339 time.")] = "",
) -> None:
    """List alerts, newest first."""
    ask.show(
        "/v1/alerts",
        "Alerts",
        _COLUMNS,
        status=status,
        severity=severity,
        alert_type=alert_type,
        actor=actor,
        client_ip=client_ip,
        endpoint=endpoint,
        incident=incident or None,
        since=since,
        until=until,
    )


@app.command("show")
@remote
def show(ask: Ask, alert_id: AlertId) -> None:
    """Show one alert with its evidence."""
    record = ask.server.call("GET", f"/v1/alerts/{alert_id}")
    ask.tell(record, _lines(record))


@app.command("set")
@remote
def set_status(
    ask: Ask,
    alert_id: AlertId,
    status: Annotated[str, typer.Argument(help="new, in_progress, resolved or dismissed; stays when left out.")] = "",
    *,
    classification: Annotated[str, typer.Option(help="true_positive, expected_activity, false_positive.")] = "",
    determination: Annotated[str, typer.Option(help="What it was, for example security_testing.")] = "",
    assigned_to: Annotated[str, typer.Option("--owner", help="Assign to.")] = "",
) -> None:
    """Change an alert's status, and what is concluded of it."""
    given = {
        "status": status,
        "classification": classification,
        "determination": determination,
        "assigned_to": assigned_to,
    }
    body = {field: value for field, value in given.items() if value}
    if not body:
        raise InputError("nothing to change", cure="Give a status, --owner, --classification or --determination.")
    record = ask.server.call("PATCH", f"/v1/alerts/{alert_id}", body=body)
    ask.tell(record, f"{record['id']} is {record['status']}")


@app.command("comment")
@remote
def comment(ask: Ask, alert_id: AlertId, text: Annotated[str, typer.Argument(help="What to say.")]) -> None:
    """Add a comment."""
    entry = ask.server.call("POST", f"/v1/alerts/{alert_id}/comments", body={"text": text})
    ask.tell(entry, f"{entry['at']} {entry['by']}: {entry['text']}")


@app.command("activities")
@remote_list()
def activities(ask: AskList, alert_id: AlertId) -> None:
    """Show what was done with one alert, by whom and why, newest first."""
    ask.show(f"/v1/alerts/{alert_id}/activities", f"Activities of alert {alert_id}", ACTIVITY_COLUMNS)


def _lines(record: Mapping[str, Any]) -> Iterator[str]:
    """Who did what where, why it is an alert, which calls show it, and what to do."""
    yield f"{record['title']} ({record['alert_type']}, {record['detector']})"
    where = f"incident {record['incident_id']}" if record["incident_id"] else "no incident yet"
    owner = record["assigned_to"] or "nobody"
    yield f"  {record['severity']} · {record['status']} · {where} · assigned to {owner} · {record['id']}"
    yield f"  {record['count']} calls from {record['first_seen']} to {record['last_seen']}"
    if record["classification"] != "unknown":
        yield f"  concluded: {record['classification']}, {record['determination']}"
    if record["suppressed_by"]:
        yield f"  dismissed by the suppression {record['suppressed_by']}"
    yield "  who: " + _some([f"{one['kind']}:{one['id']}" for one in record["actors"]])
    yield f"  from: {_some(record['client_ips'])}"
    yield f"  where: {_some(record['endpoints'])}"
    yield f"  why: {record['explanation']}"
    if record["evidence"]:
        yield "Calls that show it"
        yield from (f"  {one['ts']} {one['summary']} ({one['observation_id']})" for one in record["evidence"])
    if record.get("steps"):
        yield "What to do"
        yield from (f"  {number}. {step}" for number, step in enumerate(record["steps"], start=1))


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return (", ".join(names[:_MOST]) or "-") + more
