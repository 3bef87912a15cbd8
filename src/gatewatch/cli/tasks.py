"""`gatewatch tasks`: what is to be done about an incident."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.errors import NotFoundError

__all__ = ["app"]

app = typer.Typer(name="tasks", help="What is to be done about an incident.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Done", lambda r: "yes" if r["done"] else "no"),
    Column("Task", "title"),
    Column("Owner", "assigned_to"),
    Column("Due", "due_at"),
    Column("By", "created_by"),
)
IncidentId = Annotated[int, typer.Argument(help="Number of the incident.")]


@app.command("list")
@remote_list()
def list_tasks(ask: AskList, incident_id: IncidentId) -> None:
    """List the tasks of an incident."""
    ask.show(f"/v1/incidents/{incident_id}/tasks", f"Tasks of incident {incident_id}", _COLUMNS)


@app.command("add")
@remote
def add(
    ask: Ask,
    incident_id: IncidentId,
    title: Annotated[str, typer.Argument(help="What is to be done.")],
    *,
    assigned_to: Annotated[str, typer.Option("--owner", help="Who shall do it.")] = "",
    due_at: Annotated[str, typer.Option("--due", help="RFC 3339 time.")] = "",
) -> None:
    """Add a task."""
    _put(ask, incident_id, secrets.token_hex(4), {"title": title, "assigned_to": assigned_to, "due_at": due_at or None})


@app.command("set")
@remote
def change(
    ask: Ask,
    incident_id: IncidentId,
    task_id: Annotated[str, typer.Argument(help="Id from `tasks list`.")],
    *,
    done: Annotated[bool | None, typer.Option("--done/--open", help="Whether it is done.")] = None,
    title: Annotated[str, typer.Option(help="What is to be done.")] = "",
    assigned_to: Annotated[str | None, typer.Option("--owner", help="Who shall do it; '' nobody.")] = None,
    due_at: Annotated[str | None, typer.Option("--due", help="RFC 3339 time; '' none.")] = None,
) -> None:
    """Change a task; what is left out stays."""
    tasks = ask.server.items(f"/v1/incidents/{incident_id}/tasks", parameters={}, limit=None)
    task = next((one for one in tasks if one["id"] == task_id), None)
    if task is None:
        raise NotFoundError(f"incident {incident_id} has no task {task_id}")
    body = {
        "title": title or task["title"],
        "done": task["done"] if done is None else done,
        "assigned_to": (task["assigned_to"] or "") if assigned_to is None else assigned_to,
        "due_at": task["due_at"] if due_at is None else due_at or None,
    }
    _put(ask, incident_id, task_id, body)


def _put(ask: Ask, incident_id: int, task_id: str, body: Mapping[str, Any]) -> None:
    task = ask.server.call("PUT", f"/v1/incidents/{incident_id}/tasks/{task_id}", body=body)
    ask.tell(task, f"{task['id']} {task['title']}: {'done' if task['done'] else 'open'}")
