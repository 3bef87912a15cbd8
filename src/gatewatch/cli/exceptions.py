"""`gatewatch exceptions`: recommendations that are not followed, somewhere and for some time."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

__all__ = ["app"]

app = typer.Typer(name="exceptions", help="Recommendations that are not followed.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Recommendation", "recommendation"),
    Column("Where", lambda r: r["endpoint_id"] or r["collection_id"] or "everywhere"),
    Column("Justification", "justification"),
    Column("Context", "context"),
    Column("State", "state"),
    Column("Until", "expires_at"),
    Column("By", "created_by"),
)
_EXPOSURE = (
    Column("Recommendation", "title"),
    Column("Exceptions", "state"),
    Column("Before", "before", right=True),
    Column("Exempt", "exempt", right=True),
    Column("Mitigated", "mitigated", right=True),
    Column("After", "after", right=True),
)
Id = Annotated[str, typer.Argument(help="As `list` shows it.")]


@app.command("list")
def list_exceptions(
    *,
    recommendation: Annotated[str, typer.Option(help="Only of this recommendation.")] = "",
    ended: Annotated[
        bool | None, typer.Option("--ended/--active", help="Only those that have ended, or the others.")
    ] = None,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List exceptions, newest first."""
    show_list(
        Server(server, token),
        "/v1/exceptions",
        "Exceptions",
        _COLUMNS,
        parameters={"recommendation": recommendation, "ended": None if ended is None else str(ended).lower()},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("exposure")
def exposure(server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Unhealthy endpoints by recommendation, before and after exceptions."""
    show_list(
        Server(server, token),
        "/v1/exceptions/exposure",
        "Exposure",
        _EXPOSURE,
        parameters={},
        limit=500,
        everything=False,
        as_json=as_json,
    )


@app.command("add")
def add(
    recommendation: Annotated[str, typer.Argument(help="Recommendation id.")],
    justification: Annotated[
        str, typer.Argument(help="third_party_control, alternate_mitigation, risk_accepted, planned_remediation.")
    ],
    *,
    context: Annotated[str, typer.Option(help="Why, in a sentence.")],
    until: Annotated[str, typer.Option(help="RFC 3339 time at which it ends, within a year.")],
    collection: Annotated[str, typer.Option(help="Only for this API collection (id).")] = "",
    endpoint: Annotated[str, typer.Option(help="Only for this endpoint (id).")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Leave a recommendation unfollowed; everywhere unless a collection or an endpoint is named."""
    body = {
        "recommendation": recommendation,
        "justification": justification,
        "context": context,
        "expires_at": until,
        "collection_id": collection,
        "endpoint_id": endpoint,
    }
    made = Server(server, token).call("POST", "/v1/exceptions", body=body)
    if as_json:
        show_json(made)
    else:
        typer.echo(f"{made['id']} holds until {made['expires_at']}")


@app.command("cancel")
def cancel(
    exception: Id,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """End one at once."""
    made = Server(server, token).call("POST", f"/v1/exceptions/{exception}/cancel", body={"reason": reason})
    if as_json:
        show_json(made)
    else:
        typer.echo(f"{exception} is cancelled")
