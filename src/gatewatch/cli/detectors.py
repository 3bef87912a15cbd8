"""`gatewatch detectors`: what is looked for and with which settings."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record, show_table
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
from gatewatch.errors import InputError

__all__ = ["app"]

app = typer.Typer(name="detectors", help="Detectors and their settings.", no_args_is_help=True)
_COLUMNS = (
    Column("Detector", "id"),
    Column("Alert type", "alert_type"),
    Column("Severity", "severity"),
    Column("Tactic", "tactic"),
    Column("OWASP", "owasp"),
    Column("Enabled", "enabled"),
    Column("Title", "title"),
)
_JUDGED = (
    Column("First seen", "first_seen"),
    Column("Who", lambda r: ", ".join(r["subjects"])),
    Column("Where", lambda r: ", ".join(r["endpoints"])),
    Column("Calls", "calls", right=True),
    Column("Concluded", "classification"),
)
_TEST_S = 600.0


@app.command("list")
def list_detectors(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 200,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List detectors."""
    show_list(
        Server(server, token),
        "/v1/detectors",
        "Detectors",
        _COLUMNS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    detector_id: Annotated[str, typer.Argument(help="Id from `detectors list`.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Show one detector with its settings, their units and ranges."""
    record = Server(server, token).call("GET", f"/v1/detectors/{detector_id}")
    if as_json:
        show_json(record)
    else:
        show_record(record["title"], record)


@app.command("backtest")
def backtest(
    detector_id: Annotated[str, typer.Argument(help="Id from `detectors list`.")],
    settings: Annotated[list[str], typer.Option("--set", help="NAME=VALUE to try; may be repeated.")],
    since: Annotated[str, typer.Option(help="Begin of the stretch, RFC 3339 or a date.")],
    until: Annotated[str, typer.Option(help="End of the stretch.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Try other settings on stored traffic; nothing is changed."""
    body = {"settings": dict(map(_setting, settings)), "since": since, "until": until}
    path = f"/v1/detectors/{detector_id}/backtest"
    found = json.loads(Server(server, token).content("POST", path, body=body, timeout_s=_TEST_S))
    if as_json:
        show_json(found)
        return
    changes = ", ".join(f"{name} {found['current'][name]} -> {value}" for name, value in found["settings"].items())
    typer.echo(f"{found['detector']}: {changes or 'settings as they are'}, {found['since']} to {found['until']}")
    typer.echo(
        f"{found['stored']} alerts stored, {found['found']} with these settings:"
        f" {found['lost']} lost, {found['gained']} gained, {found['unchanged']} kept."
    )
    typer.echo(f"Alerts per day: {found['alerts_per_day_before']:.2f} -> {found['alerts_per_day_after']:.2f}")
    typer.echo(f"Time to detect: {_seconds(found['to_detect_before_s'])} -> {_seconds(found['to_detect_after_s'])}")
    for one in found["verdicts"]:
        typer.echo(f"  {one['classification']}: {one['before']} -> {one['after']}")
    if found["reproduced"] < found["stored"]:
        gone = found["stored"] - found["reproduced"]
        typer.echo(
            f"{gone} are not found again with today's settings either: their traffic is gone, or settings changed."
        )
    for title, name in (("Gained", "gained_first"), ("Lost", "lost_first")):
        if found[name]:
            show_table(title, _JUDGED, found[name])


def _setting(text: str) -> tuple[str, float | int | bool | str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"{text!r} is no setting", cure="Write --set NAME=VALUE.")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, int | float | bool) else value


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} s"
