"""`gatewatch audit`: who did what, when and why."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["ACTIVITY_COLUMNS", "app"]

app = typer.Typer(name="audit", help="The audit log.", invoke_without_command=True)
ACTIVITY_COLUMNS = (
    Column("At", "at"),
    Column("By", "by"),
    Column("On", lambda r: f"{r['subject']} {r['subject_id']}".strip()),
    Column("Action", "action"),
    Column("What", "text"),
)


@app.callback(invoke_without_command=True)
@remote_list()
def show(
    ask: AskList,
    *,
    by: Annotated[str, typer.Option(help="Who: name of a token, or the part of Gatewatch that did it.")] = "",
    action: Annotated[str, typer.Option(help="comment, status, merged, changed …")] = "",
    subject: Annotated[
        str, typer.Option("--on", help="alert, incident, rule, playbook, run, containment, token …")
    ] = "",
    subject_id: Annotated[str, typer.Option("--id", help="Only on this one.")] = "",
    incident: Annotated[int, typer.Option(help="Whose log shows it.")] = 0,
    since: Annotated[str, typer.Option(help="At or after this RFC 3339 time.")] = "",
    until: Annotated[str, typer.Option(help="Before this RFC 3339 time.")] = "",
) -> None:
    """Show the audit log, newest first."""
    if ask.context.invoked_subcommand is not None:
        return
    ask.show(
        "/v1/activities",
        "Audit log",
        ACTIVITY_COLUMNS,
        by=by,
        action=action,
        subject=subject,
        subject_id=subject_id,
        incident=incident or None,
        since=since,
        until=until,
    )


@app.command("verify")
@remote
def verify(ask: Ask) -> None:
    """Check the chain of digests over the whole log; exit code 8 with the first entry that does not hold."""
    found = ask.server.call("GET", "/v1/activities/verification")
    ask.tell(found, f"{found['entries']} entries, none changed")
