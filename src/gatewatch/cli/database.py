"""`gatewatch db`: schemas of both stores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gatewatch.cli.output import AsJson, show_json

__all__ = ["app"]

app = typer.Typer(name="db", help="Schemas of the stores; stop the server first.", no_args_is_help=True)
DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Data directory.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]


@app.command("upgrade")
def upgrade(data_dir: DataDir = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Bring both stores to this version's schema."""
    from gatewatch.bootstrap.schemas import upgrade_schemas
    from gatewatch.config.loading import load

    overrides = {"data_dir": str(data_dir) if data_dir else None}
    applied = upgrade_schemas(load(config, environment=os.environ, overrides=overrides))
    if as_json:
        show_json(applied)
    else:
        for store, names in applied.items():
            typer.echo(f"{store}: {', '.join(names) or 'up to date'}")


@app.command("check")
def check(data_dir: DataDir = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Say whether both schemas are this version's; exit code 6 when not."""
    from gatewatch.bootstrap.schemas import check_schemas
    from gatewatch.config.loading import load

    overrides = {"data_dir": str(data_dir) if data_dir else None}
    current = check_schemas(load(config, environment=os.environ, overrides=overrides))
    if as_json:
        show_json(current)
    else:
        for store, good in current.items():
            typer.echo(f"{store}: {'current' if good else 'run `gatewatch db upgrade`'}")
    if not all(current.values()):
        raise typer.Exit(6)
