"""`gatewatch inventory`: collections, endpoints and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["app"]

app = typer.Typer(name="inventory", help="API collections, endpoints and fields.", no_args_is_help=True)


def _information(record: Mapping[str, Any]) -> str:
    return ", ".join(sorted({fact["type"] for fact in record["information_types"]}))


_COLLECTIONS = (
    Column("Collection", "name"),
    Column("Endpoints", "endpoints", right=True),
    Column("Inactive", "inactive", right=True),
    Column("Unauthenticated", "unauthenticated", right=True),
    Column("External", "external", right=True),
    Column("Sensitive", "sensitive", right=True),
    Column("Last called", "last_called"),
)
_ENDPOINTS = (
    Column("Id", "id"),
    Column("Method", "method"),
    Column(
        "Endpoint", lambda r: f"{r['host']}{r['template']}" + (f" ({r['operation']})" if r.get("operation") else "")
    ),
    Column("Calls", "calls", right=True),
    Column("Use", "activity"),
    Column("Authentication", "authentication"),
    Column("Information", _information),
    Column("Last called", "last_called"),
)


@app.command("collections")
@remote_list()
def collections(ask: AskList) -> None:
    """List API collections."""
    ask.show("/v1/collections", "Collections", _COLLECTIONS)


@app.command("endpoints")
@remote_list()
def endpoints(
    ask: AskList,
    *,
    method: Annotated[str, typer.Option(help="GET, POST …")] = "",
    host: Annotated[str, typer.Option(help="Exact host.")] = "",
    activity: Annotated[str, typer.Option(help="active, inactive or awaiting_data.")] = "",
    authentication: Annotated[str, typer.Option(help="authenticated, unauthenticated or awaiting_data.")] = "",
    information_type: Annotated[str, typer.Option("--information", help="Only with this information type.")] = "",
    q: Annotated[str, typer.Option("--search", help="Part of host, path or operation.")] = "",
) -> None:
    """List endpoints."""
    ask.show(
        "/v1/endpoints",
        "Endpoints",
        _ENDPOINTS,
        method=method,
        host=host,
        activity=activity,
        authentication=authentication,
        information_type=information_type,
        q=q,
    )


@app.command("show")
@remote
def show(ask: Ask, endpoint_id: Annotated[str, typer.Argument(help="Id from `inventory endpoints`.")]) -> None:
    """Show one endpoint."""
    record = ask.server.call("GET", f"/v1/endpoints/{endpoint_id}")
    ask.record(f"{record['method']} {record['host']}{record['template']}", record)
