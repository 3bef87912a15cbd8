"""The command tree. Commands import what they need when they run, so that `--help` answers at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import typer

from gatewatch import __version__
from gatewatch.cli import (
    alerts,
    analyze,
    audit,
    automation_rules,
    connections,
    containments,
    database,
    dead_letters,
    detectors,
    evidence,
    exceptions,
    explain,
    exports,
    findings,
    incidents,
    inventory,
    ledger,
    playbooks,
    questions,
    remediations,
    reviews,
    runs,
    score,
    serve,
    sources,
    subscriptions,
    suppressions,
    tasks,
    tokens,
)
from gatewatch.cli.output import show_error
from gatewatch.errors import GatewatchError

__all__ = ["EXIT_CODES", "app", "run"]

EXIT_CODES = {
    0: "done",
    1: "internal error",
    2: "wrong usage or input",
    3: "wrong configuration",
    4: "not found",
    5: "conflict: changed meanwhile, or not allowed in this state",
    6: "a store can't be used",
    7: "journal full; try again later",
    8: "the server can't be reached or refused the token",
    10: "analyze: an alert or finding of the --fail-on severity or above",
    11: "evidence verify: the bundle is not what was signed, or another key signed it",
    12: "runs wait: the run failed, was refused or cancelled",
    13: "runs wait: the run is still under way",
    14: "connections test: the connection can't be used",
    130: "interrupted",
}
_EPILOG = "Exit codes: " + "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + "."

_ROOT: dict[str, Any] = {
    "name": "gatewatch",
    "help": "API security for any gateway: inventory, posture, attack detection.",
    "epilog": _EPILOG,
    "no_args_is_help": True,
    "add_completion": False,
    "pretty_exceptions_enable": False,
}
app = typer.Typer(**_ROOT)
for _module in (serve, analyze, explain):
    _module.register(app)
for _noun in (
    inventory,
    findings,
    score,
    alerts,
    incidents,
    tasks,
    reviews,
    evidence,
    suppressions,
    containments,
    remediations,
    exceptions,
    playbooks,
    runs,
    questions,
    connections,
    ledger,
    dead_letters,
    automation_rules,
    detectors,
    sources,
    exports,
    subscriptions,
    audit,
    tokens,
    database,
):
    app.add_typer(_noun.app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"gatewatch {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    del version


def outline() -> typer.Typer:
    """The tree with names for nouns and nothing in them: all that `--help` shows, for a tenth of the work."""
    found = typer.Typer(**_ROOT)
    found.registered_commands, found.registered_callback = app.registered_commands, app.registered_callback
    for noun in app.registered_groups:
        info = noun.typer_instance.info if noun.typer_instance else noun
        found.add_typer(typer.Typer(name=info.name, help=info.help))
    return found


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code and never a traceback for what a person did."""
    try:
        tree = outline() if list(arguments) in ([], ["--help"]) else app
        tree(args=list(arguments), prog_name="gatewatch")
    except GatewatchError as error:
        show_error(error.code, error.message, error.cure, as_json="--json" in arguments)
        return error.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    return 0
