"""`gatewatch suppressions`: rules that dismiss alerts nobody needs to see."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.errors import InputError

__all__ = ["app"]

app = typer.Typer(name="suppressions", help="Rules that dismiss alerts.", no_args_is_help=True)
_COLUMNS = (
    Column("Name", "name"),
    Column("Alert type", "alert_type"),
    Column("When", lambda r: "; ".join(f"{c['field']} {', '.join(c['values'])}" for c in r["conditions"])),
    Column("Reason", "reason"),
    Column("Until", "expires_at"),
    Column("Dismissed", "dismissed", right=True),
)
Name = Annotated[str, typer.Argument(help="Letters, digits, - and _.")]


@app.command("list")
@remote_list(limit=500)
def list_suppressions(ask: AskList) -> None:
    """List the rules."""
    ask.show("/v1/suppressions", "Suppressions", _COLUMNS)


@app.command("set")
@remote
def put(
    ask: Ask,
    name: Name,
    *,
    reason: Annotated[str, typer.Option(help="Why nobody has to see these alerts.")],
    alert_type: Annotated[str, typer.Option("--type", help="Alert type, or *.")] = "*",
    when: Annotated[list[str] | None, typer.Option(help="`address=10.0.0.0/8,192.0.2.1`; repeatable.")] = None,
    expires_at: Annotated[str, typer.Option("--until", help="RFC 3339 time at which it ends.")] = "",
    trial: Annotated[bool, typer.Option(help="Only say what it would have dismissed in the last 30 days.")] = False,
) -> None:
    """Make or change a rule, or try it."""
    body: dict[str, Any] = {
        "alert_type": alert_type,
        "reason": reason,
        "conditions": [_condition(w) for w in when or ()],
    }
    if expires_at:
        body["expires_at"] = expires_at
    method, path = ("POST", f"/v1/suppressions/{name}/trial") if trial else ("PUT", f"/v1/suppressions/{name}")
    record = ask.server.call(method, path, body=body)
    if trial:
        tried = f"Of {record['looked_at']} alerts it would have dismissed {record['dismissed']}, {record['high']} high."
    ask.tell(record, tried if trial else f"{name} dismisses what comes from now on")


@app.command("delete")
@remote
def delete(ask: Ask, name: Name) -> None:
    """Remove a rule; what it dismissed stays dismissed."""
    ask.server.call("DELETE", f"/v1/suppressions/{name}")
    ask.tell({"removed": name}, f"{name} is removed")


def _condition(text: str) -> dict[str, Any]:
    field, equals, values = text.partition("=")
    if not equals:
        raise InputError(f"{text!r} is no condition", cure="Write field=value,value.")
    return {"field": field.strip(), "values": [value.strip() for value in values.split(",") if value.strip()]}
