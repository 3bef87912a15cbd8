"""`gatewatch reviews`: what follows an incident."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatewatch.cli.output import show_json
from gatewatch.cli.remote import Ask, remote
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
@remote
def show(ask: Ask, incident_id: IncidentId, zone: Zone = "UTC") -> None:
    """Print the review as Markdown, or what is kept of it as JSON."""
    path = f"/v1/incidents/{incident_id}/review"
    if ask.as_json:
        show_json(ask.server.call("GET", path))
        return
    parameters = {"format": "md", "timezone": zone}
    typer.echo(ask.server.content("GET", f"{path}/document", parameters=parameters).decode())


@app.command("draft")
@remote
def draft(ask: Ask, incident_id: IncidentId) -> None:
    """Make proposals with their evidence and follow-ups by rule; what people wrote stays."""
    path = f"/v1/incidents/{incident_id}/review/draft"
    found = ask.server.call("POST", path, timeout_s=_LONG_S)
    told = (
        f"Review of incident {incident_id}, revision {found['revision']}: {len(found['proposals'])} proposals,"
        f" {len(found['follow_ups'])} follow-ups."
    )
    ask.tell(found, [told, *(f"open: {question['text']}" for question in found["facts"]["questions"])])


@app.command("export")
@remote
def export(ask: Ask, incident_id: IncidentId, out: OutFile, zone: Zone = "UTC") -> None:
    """Write the review document; the file's ending decides: .md, .html or .pdf."""
    kind = _SUFFIXES.get(out.suffix.lower())
    if kind is None:
        raise InputError(f"{out.name} says not what it shall be", cure="Give a name that ends in .md, .html or .pdf.")
    path = f"/v1/incidents/{incident_id}/review/document"
    data = ask.server.content("GET", path, parameters={"format": kind, "timezone": zone}, timeout_s=_LONG_S)
    write_file(out, data)
    ask.tell({"file": str(out), "octets": len(data)}, f"{out}: {len(data)} octets")


@app.command("sign-off")
@remote
def sign_off(ask: Ask, incident_id: IncidentId) -> None:
    """Take responsibility for the review as it is; refused while questions are open."""
    path = f"/v1/incidents/{incident_id}/review"
    _, etag = ask.server.tagged(path)
    found = ask.server.call("POST", f"{path}/sign-off", match=etag)
    signed = found["sign_off"]
    ask.tell(found, f"Signed off by {signed['by']} at {signed['at']}, content {signed['digest']}")


def write_file(file: Path, data: bytes) -> None:
    """Raises InputError when it can't be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(f"can't write {file}: {error.strerror}") from error
