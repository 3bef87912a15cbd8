"""`gatewatch explain`: one transaction through every stage."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gatewatch.cli.output import AsJson, show_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    file: Annotated[Path, typer.Argument(help="Recorded traffic.", exists=True, dir_okay=False, readable=True)],
    *,
    wanted: Annotated[str, typer.Option("--id", help="Transaction id, or line number in the file.")],
    format_name: Annotated[str, typer.Option("--format", help="Format of the file, or auto.")] = "auto",
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what each stage decides about one transaction, and why. Secrets are not shown."""
    from gatewatch.bootstrap.explaining import explain_transaction
    from gatewatch.config.loading import load

    traces = explain_transaction(file, wanted, format_name, load(config, environment=os.environ))
    if as_json:
        show_json([{"stage": t.stage, "decided": t.decided, "why": t.why, "details": dict(t.details)} for t in traces])
        return
    from rich.console import Console

    console = Console(highlight=False)
    for trace in traces:
        console.print(f"[bold]{trace.stage}[/]  {trace.decided}", markup=True)
        if trace.why:
            console.print(f"    {trace.why}", style="dim", markup=False)
        for name, value in trace.details:
            console.print(f"    {name}: {value}", markup=False)
