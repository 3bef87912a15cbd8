"""`gatewatch detectors`: what is looked for and with which settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column, show_table
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
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
DetectorId = Annotated[str, typer.Argument(help="Id from `detectors list`.")]
_TEST_S = 600.0


@app.command("list")
@remote_list(limit=200)
def list_detectors(ask: AskList) -> None:
    """List detectors."""
    ask.show("/v1/detectors", "Detectors", _COLUMNS)


@app.command("show")
@remote
def show(ask: Ask, detector_id: DetectorId) -> None:
    """Show one detector with its settings, their units and ranges."""
    record = ask.server.call("GET", f"/v1/detectors/{detector_id}")
    ask.record(record["title"], record)


@app.command("set")
@remote
def change(
    ask: Ask,
    detector_id: DetectorId,
    settings: Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE; may be repeated.")] = None,
    default: Annotated[list[str] | None, typer.Option(help="Name of a setting to put back; may be repeated.")] = None,
    enabled: Annotated[bool | None, typer.Option("--enable/--disable", help="Switch it on or off.")] = None,
) -> None:
    """Change settings for good; `backtest` tells before what they would do. What is left out stays."""
    path = f"/v1/detectors/{detector_id}"
    record, etag = ask.server.tagged(path)
    wrong = set(default or ()) - {one["name"] for one in record["settings"]}
    if wrong:
        raise InputError(f"{detector_id} has no setting {', '.join(sorted(wrong))}")
    kept = {name: value for name, value in record["changed"].items() if name not in (default or ())}
    wanted = kept | dict(map(_setting, settings or ())) | ({} if enabled is None else {"enabled": enabled})
    if wanted == record["changed"]:
        raise InputError("nothing to change", cure="Give --set, --default, --enable or --disable.")
    new = ask.server.call("PUT", f"{path}/settings", body=wanted, match=etag)
    changes = ", ".join(f"{name} {value}" for name, value in new["changed"].items())
    ask.tell(new, f"{detector_id} is {'on' if new['enabled'] else 'off'}; changed: {changes or 'nothing'}")


@app.command("backtest")
@remote
def backtest(
    ask: Ask,
    detector_id: DetectorId,
    settings: Annotated[list[str], typer.Option("--set", help="NAME=VALUE to try; may be repeated.")],
    since: Annotated[str, typer.Option(help="Begin of the stretch, RFC 3339 or a date.")],
    until: Annotated[str, typer.Option(help="End of the stretch.")],
) -> None:
    """Try other settings on stored traffic; nothing is changed."""
    body = {"settings": dict(map(_setting, settings)), "since": since, "until": until}
    path = f"/v1/detectors/{detector_id}/backtest"
    found = ask.server.call("POST", path, body=body, timeout_s=_TEST_S)
    ask.tell(found, _backtest_lines(found))
    if not ask.as_json:
        for title, name in (("Gained", "gained_first"), ("Lost", "lost_first")):
            if found[name]:
                show_table(title, _JUDGED, found[name])


def _backtest_lines(found: Mapping[str, Any]) -> Iterator[str]:
    changes = ", ".join(f"{name} {found['current'][name]} -> {value}" for name, value in found["settings"].items())
    yield f"{found['detector']}: {changes or 'settings as they are'}, {found['since']} to {found['until']}"
    yield (
        f"{found['stored']} alerts stored, {found['found']} with these settings:"
        f" {found['lost']} lost, {found['gained']} gained, {found['unchanged']} kept."
    )
    yield f"Alerts per day: {found['alerts_per_day_before']:.2f} -> {found['alerts_per_day_after']:.2f}"
    yield f"Time to detect: {_seconds(found['to_detect_before_s'])} -> {_seconds(found['to_detect_after_s'])}"
    yield from (f"  {one['classification']}: {one['before']} -> {one['after']}" for one in found["verdicts"])
    if found["reproduced"] < found["stored"]:
        gone = found["stored"] - found["reproduced"]
        yield f"{gone} are not found again with today's settings either: their traffic is gone, or settings changed."


def _setting(text: str) -> tuple[str, float | int | bool | str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise InputError(f"{text!r} is no setting", cure="Write --set NAME=VALUE.")
    try:
        parsed = json.loads(value)
    except ValueError:
        return name, value
    return name, parsed if isinstance(parsed, int | float | bool | str) else value


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f} s"
