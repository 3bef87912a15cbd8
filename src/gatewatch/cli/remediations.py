"""`gatewatch remediations`: what owners are asked to fix, and how far it is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column, show_csv
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["app"]

app = typer.Typer(name="remediations", help="What owners are asked to fix.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Title", "title"),
    Column("Component", "component"),
    Column("Type", "type"),
    Column("Priority", "priority"),
    Column("Status", lambda r: "overdue" if r["overdue"] else r["status"]),
    Column("Fixed", lambda r: "-" if r["progress"] is None else f"{r['fixed']}/{r['targeted']}", right=True),
    Column("Due", "due_at"),
    Column("Owner", "assigned_to"),
    Column("Completed by", "completed_by"),
)
_TARGETS = (
    Column("Endpoint", "endpoint"),
    Column("Id", "endpoint_id"),
    Column("Fixed", lambda r: "yes" if r["fixed"] else "no"),
    Column("Since", "changed_at"),
    Column("Recurred", "recurrences", right=True),
    Column("Evidence", "why"),
)
_EXPORTED = (
    *("id", "title", "status", "type", "category", "priority", "description", "component", "recommendation"),
    *("incident", "requester", "notes", "assigned_to", "created_at", "due_at", "overdue", "changed_at"),
    *("targeted", "fixed", "impact", "completion", "completed_at", "completed_by", "reopened"),
)
Id = Annotated[str, typer.Argument(help="As `list` shows it.")]


@app.command("list")
@remote_list()
def list_remediations(
    ask: AskList,
    *,
    status: Annotated[str, typer.Option(help="active or completed.")] = "",
    kind: Annotated[str, typer.Option("--type", help="What is asked, for instance require_authentication.")] = "",
    recommendation: Annotated[str, typer.Option(help="Only of this recommendation.")] = "",
    incident: Annotated[int, typer.Option(help="Only of this incident.")] = 0,
    assigned_to: Annotated[str, typer.Option("--owner", help="Only of this owner.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose due date is over.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with all columns.")] = False,
) -> None:
    """List remediations, newest first."""
    parameters: dict[str, Any] = {
        "status": status,
        "type": kind,
        "recommendation": recommendation,
        "incident": incident or None,
        "assigned_to": assigned_to,
        "overdue": "true" if overdue else "",
    }
    if as_csv:
        show_csv(_EXPORTED, ask.items("/v1/remediations", **parameters))
        return
    ask.show("/v1/remediations", "Remediations", _COLUMNS, **parameters)


@app.command("show")
@remote
def show(ask: Ask, remediation: Id) -> None:
    """Show one."""
    _shown(ask, ask.server.call("GET", f"/v1/remediations/{remediation}"))


@app.command("targets")
@remote_list()
def targets(
    ask: AskList,
    remediation: Id,
    *,
    exposed: Annotated[bool, typer.Option("--exposed", help="Only those that are not fixed.")] = False,
) -> None:
    """List its endpoints with the evidence."""
    ask.show(f"/v1/remediations/{remediation}/targets", "Targets", _TARGETS, fixed="false" if exposed else "")


@app.command("request")
@remote
def request(
    ask: Ask,
    *,
    recommendation: Annotated[str, typer.Option(help="Recommendation id, as `findings list` shows it.")] = "",
    incident: Annotated[int, typer.Option(help="For the endpoints that this incident names.")] = 0,
    endpoint: Annotated[
        list[str] | None, typer.Option(help="Endpoint id; repeatable. All unhealthy ones without.")
    ] = None,
    kind: Annotated[str, typer.Option("--type", help="What is asked; follows from the recommendation.")] = "",
    title: Annotated[str, typer.Option(help="Follows from the recommendation or the incident.")] = "",
    notes: Annotated[str, typer.Option(help="For the owner.")] = "",
    assigned_to: Annotated[str, typer.Option("--owner", help="Who shall do it.")] = "",
    priority: Annotated[str, typer.Option(help="high, medium or low.")] = "",
    due_at: Annotated[str, typer.Option("--due", help="RFC 3339 time.")] = "",
    unused_only: Annotated[bool, typer.Option("--unused-only", help="Only endpoints that nobody calls.")] = False,
    manual: Annotated[bool, typer.Option("--manual", help="A person completes it, not the evidence.")] = False,
) -> None:
    """Ask for a remediation."""
    body: dict[str, Any] = {
        "recommendation": recommendation,
        "incident": incident,
        "endpoint_ids": endpoint or None,
        "type": kind or None,
        "title": title,
        "notes": notes,
        "assigned_to": assigned_to,
        "priority": priority or None,
        "due_at": due_at or None,
        "impact": "without_impact" if unused_only else "all_exposed",
        "completion": "manual" if manual else "automatic",
    }
    _shown(ask, ask.server.call("POST", "/v1/remediations", body=body))


@app.command("change")
@remote
def change(
    ask: Ask,
    remediation: Id,
    *,
    due_at: Annotated[str, typer.Option("--due", help="RFC 3339 time.")] = "",
    assigned_to: Annotated[str | None, typer.Option("--owner", help="Who shall do it.")] = None,
    notes: Annotated[str | None, typer.Option(help="For the owner.")] = None,
    priority: Annotated[str, typer.Option(help="high, medium or low.")] = "",
) -> None:
    """Change due date, owner, notes or priority."""
    given = {"due_at": due_at or None, "assigned_to": assigned_to, "notes": notes, "priority": priority or None}
    body = {name: value for name, value in given.items() if value is not None}
    _shown(ask, ask.server.call("PATCH", f"/v1/remediations/{remediation}", body=body))


@app.command("complete")
@remote
def complete(
    ask: Ask, remediation: Id, reason: Annotated[str, typer.Option(help="Why it is done; kept in the audit log.")] = ""
) -> None:
    """Mark one as completed, whatever the evidence says."""
    body = {"reason": reason}
    _shown(ask, ask.server.call("POST", f"/v1/remediations/{remediation}/complete", body=body))


def _shown(ask: Ask, record: dict[str, Any]) -> None:
    ask.record(record["title"], record)
