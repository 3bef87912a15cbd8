"""`gatewatch reviews`: what follows an incident."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gatewatch.cli.output import AsJson, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
from gatewatch.errors import InputError

__all__ = ["OutFile", "Zone", "app", "write_file"]

app = typer.Typer(name="reviews", help="Post-incident reviews.", no_args_is_help=True)
IncidentId = Annotated[int, typer.Argument(help="Number of the incident.")]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.", dir_okay=False)]
Zone = Annotated[str, typer.Option("--timezone", help="IANA time zone shown beside UTC, for example Europe/Berlin.")]
_SUFFIXES = {".md": "md", ".markdown": "md", ".html": "html", ".htm": "html", ".pdf": "pdf"}
_LONG_S = 600.0
"""A draft runs detectors over weeks of traffic."""


@app.command("show")
def show(
    incident_id: IncidentId,
    zone: Zone = "UTC",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Print the review as Markdown, or what is kept of it as JSON."""
    connection = Server(server, token)
    if as_json:
        show_json(connection.call("GET", f"/v1/incidents/{incident_id}/review"))
        return
    parameters = {"format": "md", "timezone": zone}
    path = f"/v1/incidents/{incident_id}/review/document"
    typer.echo(connection.content("GET", path, parameters=parameters).decode())


@app.command("draft")
def draft(
    incident_id: IncidentId, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Make proposals with their evidence and follow-ups by rule; what people wrote stays."""
    path = f"/v1/incidents/{incident_id}/review/draft"
    found = json.loads(Server(server, token).content("POST", path, timeout_s=_LONG_S))
    if as_json:
        show_json(found)
        return
    typer.echo(
        f"Review of incident {incident_id}, revision {found['revision']}: {len(found['proposals'])} proposals,"
        f" {len(found['follow_ups'])} follow-ups."
    )
    for question in found["facts"]["questions"]:
        typer.echo(f"open: {question['text']}")


@app.command("export")
def export(
    incident_id: IncidentId,
    out: OutFile,
    zone: Zone = "UTC",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
) -> None:
    """Write the review document; the file's ending decides: .md, .html or .pdf."""
    kind = _SUFFIXES.get(out.suffix.lower())
    if kind is None:
        raise InputError(f"{out.name} says not what it shall be", cure="Give a name that ends in .md, .html or .pdf.")
    path = f"/v1/incidents/{incident_id}/review/document"
    data = Server(server, token).content("GET", path, parameters={"format": kind, "timezone": zone}, timeout_s=_LONG_S)
    write_file(out, data)
    typer.echo(f"{out}: {len(data)} octets")


@app.command("sign-off")
def sign_off(
    incident_id: IncidentId, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Take responsibility for the review as it is; refused while questions are open."""
    connection = Server(server, token)
    kept = connection.call("GET", f"/v1/incidents/{incident_id}/review")
    path = f"/v1/incidents/{incident_id}/review/sign-off"
    found = connection.call("POST", path, match=f'"{kept["revision"]}"')
    if as_json:
        show_json(found)
    else:
        signed = found["sign_off"]
        typer.echo(f"Signed off by {signed['by']} at {signed['at']}, content {signed['digest']}")


def write_file(file: Path, data: bytes) -> None:
    """Raises InputError when it can't be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"can't write {file}: {error.strerror}") from error
