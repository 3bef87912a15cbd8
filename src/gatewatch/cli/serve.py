"""`gatewatch serve`: everything in one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    *,
    data_dir: Annotated[Path | None, typer.Option(help="Data directory; default: the user's data directory.")] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_json: Annotated[bool, typer.Option("--log-json", help="Log lines as JSON.")] = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C; what was acknowledged is never lost."""
    from gatewatch.bootstrap.server import run
    from gatewatch.config.loading import load
    from gatewatch.telemetry.logs import configure

    overrides = {"data_dir": str(data_dir) if data_dir else None, "api.host": host, "api.port": port}
    settings = load(config, environment=os.environ, overrides=overrides)
    run(settings, configure(level=log_level, as_json=log_json), announce=typer.echo)
