"""`gatewatch exceptions`: recommendations that are not followed, somewhere and for some time."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

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
@remote_list()
def list_exceptions(
    ask: AskList,
    *,
    recommendation: Annotated[str, typer.Option(help="Only of this recommendation.")] = "",
    ended: Annotated[
        bool | None, typer.Option("--ended/--active", help="Only those that have ended, or the others.")
    ] = None,
) -> None:
    """List exceptions, newest first."""
    ask.show(
        "/v1/exceptions",
        "Exceptions",
        _COLUMNS,
        recommendation=recommendation,
        ended=None if ended is None else str(ended).lower(),
    )


@app.command("exposure")
@remote_list(limit=500)
def exposure(ask: AskList) -> None:
    """Unhealthy endpoints by recommendation, before and after exceptions."""
    ask.show("/v1/exceptions/exposure", "Exposure", _EXPOSURE)


@app.command("add")
@remote
def add(
    ask: Ask,
    recommendation: Annotated[str, typer.Argument(help="Recommendation id.")],
    justification: Annotated[
        str, typer.Argument(help="third_party_control, alternate_mitigation, risk_accepted, planned_remediation.")
    ],
    *,
    context: Annotated[str, typer.Option(help="Why, in a sentence.")],
    expires_at: Annotated[str, typer.Option("--until", help="RFC 3339 time at which it ends, within a year.")],
    collection_id: Annotated[str, typer.Option("--collection", help="Only for this API collection (id).")] = "",
    endpoint_id: Annotated[str, typer.Option("--endpoint", help="Only for this endpoint (id).")] = "",
) -> None:
    """Leave a recommendation unfollowed; everywhere unless a collection or an endpoint is named."""
    body = {
        "recommendation": recommendation,
        "justification": justification,
        "context": context,
        "expires_at": expires_at,
        "collection_id": collection_id,
        "endpoint_id": endpoint_id,
    }
    made = ask.server.call("POST", "/v1/exceptions", body=body)
    ask.tell(made, f"{made['id']} holds until {made['expires_at']}")


@app.command("cancel")
@remote
def cancel(ask: Ask, exception: Id, reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")]) -> None:
    """End one at once."""
    made = ask.server.call("POST", f"/v1/exceptions/{exception}/cancel", body={"reason": reason})
    ask.tell(made, f"{exception} is cancelled")
