"""`gatewatch inventory`: collections, endpoints and their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText

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
def collections(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List API collections."""
    show_list(
        Server(server, token),
        "/v1/collections",
        "Collections",
        _COLLECTIONS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("endpoints")
def endpoints(
    *,
    method: Annotated[str, typer.Option(help="GET, POST …")] = "",
    host: Annotated[str, typer.Option(help="Exact host.")] = "",
    activity: Annotated[str, typer.Option(help="active, inactive or awaiting_data.")] = "",
    authentication: Annotated[str, typer.Option(help="authenticated, unauthenticated or awaiting_data.")] = "",
    information: Annotated[str, typer.Option(help="Only with this information type.")] = "",
    text: Annotated[str, typer.Option("--search", help="Part of host, path or operation.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List endpoints."""
    parameters = {
        "method": method,
        "host": host,
        "activity": activity,
        "authentication": authentication,
        "information_type": information,
        "q": text,
    }
    show_list(
        Server(server, token),
        "/v1/endpoints",
        "Endpoints",
        _ENDPOINTS,
        parameters=parameters,
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    endpoint_id: Annotated[str, typer.Argument(help="Id from `inventory endpoints`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Show one endpoint."""
    record = Server(server, token).call("GET", f"/v1/endpoints/{endpoint_id}")
    if as_json:
        show_json(record)
    else:
        show_record(f"{record['method']} {record['host']}{record['template']}", record)
