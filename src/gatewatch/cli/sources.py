"""`gatewatch sources`: what can be read, and what can't be seen in it."""

from __future__ import annotations

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import AskList, remote_list

__all__ = ["app"]

app = typer.Typer(name="sources", help="Formats of traffic, and what they lack.", no_args_is_help=True)
_FORMATS = (
    Column("Format", "id"),
    Column("Title", "title"),
    Column("Can carry", lambda r: ", ".join(r["evidence"])),
)
_BLIND = (
    Column("Detector", "detector"),
    Column("Source", "source"),
    Column("Lacks", lambda r: ", ".join(r["missing"])),
)


@app.command("list")
@remote_list(limit=200)
def list_sources(ask: AskList) -> None:
    """List the formats that can be read, with the evidence that each can carry."""
    ask.show("/v1/sources", "Formats", _FORMATS)


@app.command("coverage")
@remote_list(limit=500)
def coverage(ask: AskList) -> None:
    """List which detector is blind for which source, and for want of what."""
    ask.show("/v1/coverage", "Blind spots", _BLIND)
