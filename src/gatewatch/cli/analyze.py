"""`gatewatch analyze`: recorded traffic in, inventory, findings and alerts out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatewatch.cli.output import AsJson, Column, show_json, show_table

if TYPE_CHECKING:
    from gatewatch.services.analyzing import Analysis, Analyzing

__all__ = ["register"]

_FAILED_ON = 10
_SHOWN = 25
_ALERTS = (
    Column("Severity", "severity"),
    Column("Alert", "title"),
    Column("Who", lambda r: _some([a["id"] for a in r["actors"]])),
    Column("From", lambda r: _some(r["client_ips"])),
    Column("Where", lambda r: _some(r["endpoints"])),
    Column("Calls", "count", right=True),
    Column("First seen", "first_seen"),
)
_INCIDENTS = (
    Column("Priority", "priority", right=True),
    Column("Severity", "severity"),
    Column("Incident", "name"),
    Column("Alerts", "alerts", right=True),
    Column("First activity", "first_activity"),
)
_ENDPOINTS = (
    Column(
        "Endpoint",
        lambda r: f"{r['method']} {r['host']}{r['template']}" + (f" ({r['operation']})" if r["operation"] else ""),
    ),
    Column("Calls", "calls", right=True),
    Column("Use", "activity"),
    Column("Authentication", "authentication"),
    Column("Information", lambda r: ", ".join(sorted({f["type"] for f in r["information_types"]}))),
)


def _some(items: list[str]) -> str:
    return ", ".join(items[:2]) + (f" +{len(items) - 2}" if len(items) > 2 else "")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("analyze")(analyze)


def analyze(
    files: Annotated[list[Path], typer.Argument(help="Recorded traffic.", exists=True, dir_okay=False, readable=True)],
    *,
    format_name: Annotated[str, typer.Option("--format", help="Format of the files, or auto.")] = "auto",
    out: Annotated[Path | None, typer.Option("--out", help="Directory for the result files and report.html.")] = None,
    threat_intel: Annotated[list[Path], typer.Option(help="Threat list: one address or prefix a line.")] = [],  # noqa: B006 - typer reads it
    tor_exits: Annotated[list[Path], typer.Option(help="List of Tor exit nodes.")] = [],  # noqa: B006 - typer reads it
    ip_info: Annotated[list[Path], typer.Option(help="MaxMind database or CSV prefix,country,kind.")] = [],  # noqa: B006 - typer reads it
    openapi: Annotated[Path | None, typer.Option(help="OpenAPI document with the API's paths.")] = None,
    fail_on: Annotated[str, typer.Option(help="Exit with 10 when an alert or finding is this severe or more.")] = "",
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    as_json: AsJson = False,
) -> None:
    """Analyze recorded traffic in event time and print what was found."""
    from gatewatch.bootstrap.analysis import analysis, records_of
    from gatewatch.config.loading import load
    from gatewatch.config.settings import ListSettings
    from gatewatch.telemetry.logs import configure

    severity = _severity(fail_on)
    settings = load(config, environment=os.environ)
    lists = ListSettings(
        threat=tuple(map(str, threat_intel)), tor=tuple(map(str, tor_exits)), ip_info=tuple(map(str, ip_info))
    )
    with analysis(settings, lists=lists, openapi=openapi, log=configure(level="warning")) as job:
        result = _run(job, records_of(files, format_name), files, quiet=as_json)
        if out is not None:
            _write(job, result, out, files)
        _show(result, out, as_json=as_json)
    if severity is not None and _reached(result, severity):
        raise typer.Exit(_FAILED_ON)


def _severity(name: str) -> Any:
    from gatewatch.errors import InputError
    from gatewatch.model.alert import Severity

    if not name:
        return None
    try:
        return Severity(name.lower())
    except ValueError as error:
        raise InputError(f"no severity `{name}`", cure="informational, low, medium or high.") from error


def _run(job: Analyzing, records: Iterable[Any], files: list[Path], *, quiet: bool) -> Analysis:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TransferSpeedColumn

    console = Console(stderr=True)
    total = sum(path.stat().st_size for path in files)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TransferSpeedColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=True) as progress:
        task = progress.add_task("observing", total=total)
        return job.run(
            records,
            observed=lambda octets, _: progress.update(task, advance=octets),
            detecting=lambda title: progress.update(task, description=f"detecting: {title}"),
        )


def _write(job: Analyzing, result: Analysis, out: Path, files: list[Path]) -> None:
    import msgspec

    from gatewatch import __version__
    from gatewatch.formats import records
    from gatewatch.formats.incident_records import incident_record, story_record
    from gatewatch.formats.report import render_report

    out.mkdir(parents=True, exist_ok=True)
    inventory = {
        "collections": [records.collection_record(item) for item in result.collections],
        "endpoints": [records.endpoint_record(item) for item in result.endpoints],
        "ledger": [records.ledger_record(item) for item in result.ledger],
        "outside": result.outside,
    }
    findings = [records.finding_record(item) for item in result.findings]
    (out / "inventory.json").write_bytes(msgspec.json.format(msgspec.json.encode(inventory), indent=1))
    (out / "score.json").write_bytes(msgspec.json.format(msgspec.json.encode(_score(result)), indent=1))
    (out / "findings.json").write_bytes(msgspec.json.format(msgspec.json.encode(findings), indent=1))
    _lines(out / "alerts.ndjson", map(records.alert_record, result.alerts))
    _lines(
        out / "incidents.ndjson",
        (
            {**incident_record(incident), "story": story_record(story)}
            for incident, story in zip(result.incidents, result.stories, strict=True)
        ),
    )
    with (out / "observations.ndjson").open("wb") as file:
        for page in job.observations():
            file.write(page)
    _lines(out / "fields.ndjson", job.fields())
    names = tuple(path.name for path in files)
    report = job.report(result, title="API security report", version=__version__, inputs=names)
    (out / "report.html").write_text(render_report(report), encoding="utf-8")


def _score(result: Analysis) -> dict[str, Any]:
    from gatewatch.formats import records

    scores = result.collection_scores
    collections = [records.collection_score_record(one, scores.get(one.id)) for one in result.collections]
    return {**records.score_record(result.score), "collections": collections}


def _lines(path: Path, items: Iterable[Any]) -> None:
    import msgspec

    encoder = msgspec.json.Encoder()
    with path.open("wb") as file:
        for item in items:
            file.write(encoder.encode(item) + b"\n")


def _show(result: Analysis, out: Path | None, *, as_json: bool) -> None:
    from gatewatch.formats import records
    from gatewatch.formats.incident_records import incident_record

    unhealthy = [records.finding_record(f) for f in result.findings if f.status.value == "unhealthy"]
    alerts = sorted(result.alerts, key=lambda alert: (-alert.severity.rank, alert.first_seen))
    if as_json:
        show_json(
            {
                "ledger": [records.ledger_record(item) for item in result.ledger],
                "collections": [records.collection_record(item) for item in result.collections],
                "endpoints": [records.endpoint_record(item) for item in result.endpoints],
                "score": _score(result),
                "findings": unhealthy,
                "alerts": [records.alert_record(item) for item in alerts],
                "incidents": [incident_record(item) for item in result.incidents],
                "blind": result.blind,
            }
        )
        return
    rejected = sum(sum(entry.rejected.values()) for entry in result.ledger)
    typer.echo(
        f"{sum(entry.observed for entry in result.ledger)} transactions observed, {rejected} rejected,"
        f" {sum(entry.duplicate for entry in result.ledger)} duplicate; {len(result.endpoints)} endpoints in"
        f" {len(result.collections)} collections; {len(unhealthy)} unhealthy findings; {len(alerts)} alerts in"
        f" {len(result.incidents)} incidents.\n"
    )
    if (reached := result.score.percentage) is not None:
        typer.echo(f"Secure score: {reached:.2f} % ({result.score.current:.2f} of {result.score.max:g} points)\n")
    busiest = sorted(result.endpoints, key=lambda endpoint: -endpoint.calls)[:_SHOWN]
    show_table("Endpoints (busiest)", _ENDPOINTS, map(records.endpoint_record, busiest))
    typer.echo("")
    show_table("Alerts (most severe)", _ALERTS, map(records.alert_record, alerts[:_SHOWN]))
    typer.echo("")
    show_table("Incidents (first to look at)", _INCIDENTS, map(incident_record, result.incidents[:_SHOWN]))
    for title, missing in result.blind.items():
        typer.echo(f"blind: {title} (the input carries no {missing})")
    if out is not None:
        typer.echo(f"\nresults in {out}, report in {out / 'report.html'}")


def _reached(result: Analysis, severity: Any) -> bool:
    unhealthy = (finding.severity for finding in result.findings if finding.status.value == "unhealthy")
    return any(found.rank >= severity.rank for found in (*(alert.severity for alert in result.alerts), *unhealthy))
