"""`gatewatch playbooks`: kept, checked, simulated, started."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gatewatch.cli.output import AsJson, Column, show_json, show_table
from gatewatch.cli.playbook_files import check_file, import_files, read_file
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.cli.simulation import show_one, show_sum, waiting
from gatewatch.errors import InputError

__all__ = ["app"]

app = typer.Typer(name="playbooks", help="Playbooks: what is done about incidents.", no_args_is_help=True)
_SIMULATION_S = 3600.0
_COLUMNS = (
    Column("Name", "name"),
    Column("Version", "version", right=True),
    Column("Subject", "subject"),
    Column("On", lambda r: "yes" if r["enabled"] else "no"),
    Column("Effect", lambda r: "staging" if r["staging"] else "real"),
    Column("Title", "title"),
)
_VERSIONS = (
    Column("Version", "version", right=True),
    Column("On", lambda r: "yes" if r["enabled"] else "no"),
    Column("Effect", lambda r: "staging" if r["staging"] else "real"),
    Column("Saved", "created_at"),
    Column("By", "created_by"),
    Column("Promoted", "promoted_at"),
)
Name = Annotated[str, typer.Argument(help="Name from `playbooks list`.")]
Version = Annotated[int, typer.Option("--version", min=0, help="Which; 0: the one that is on, else the newest.")]
Incident = Annotated[int, typer.Option("--incident", help="On this incident.")]
AlertId = Annotated[str, typer.Option("--alert", help="On this alert.")]
Finding = Annotated[str, typer.Option("--finding", help="On this finding.")]
Inputs = Annotated[list[str] | None, typer.Option("--input", help="NAME=VALUE, JSON or text; may be repeated.")]


@app.command("list")
@remote_list(limit=500)
def list_playbooks(ask: AskList) -> None:
    """List playbooks, each by its version that is on, or its newest."""
    ask.show("/v1/playbooks", "Playbooks", _COLUMNS)


@app.command("show")
@remote
def show(ask: Ask, name: Name) -> None:
    """Show the text and the versions."""
    record = ask.server.call("GET", f"/v1/playbooks/{name}")
    if ask.as_json:
        show_json(record)
        return
    typer.echo(record["text"])
    show_table(f"Versions of {name}", _VERSIONS, record["versions"])


@app.command("apply")
@remote
def apply(ask: Ask, file: Annotated[Path, typer.Argument(help="YAML file.")]) -> None:
    """Save a file as a new version, off and in staging; an unchanged file changes nothing."""
    name, text = read_file(file)
    _tell(ask, ask.server.call("PUT", f"/v1/playbooks/{name}", body={"text": text}))


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="YAML file.")],
    as_json: AsJson = False,
) -> None:
    """Check a file offline: every mistake with line and column. Connections are checked when it is applied."""
    problems = check_file(file)
    if as_json:
        show_json({"file": str(file), "problems": problems})
    for one in () if as_json else problems:
        where = f"{file}:{one['line']}:{one['column']}"
        typer.echo(f"{where}: {one['place'] + ': ' if one['place'] else ''}{one['message']}", err=True)
    if problems:
        raise typer.Exit(InputError.exit_code)
    if not as_json:
        typer.echo(f"{file}: no mistakes")


@app.command("enable")
@remote
def enable(ask: Ask, name: Name, version: Version = 0) -> None:
    """Let rules and people start a version."""
    path = f"/v1/playbooks/{name}/enable"
    _tell(ask, ask.server.call("POST", path, body={"version": version}))


@app.command("disable")
@remote
def disable(ask: Ask, name: Name) -> None:
    """Let nobody start it; runs under way go on."""
    _tell(ask, ask.server.call("POST", f"/v1/playbooks/{name}/disable"))


@app.command("promote")
@remote
def promote(ask: Ask, name: Name, version: Version = 0) -> None:
    """From staging, where runs are simulations, to effect."""
    path = f"/v1/playbooks/{name}/promote"
    _tell(ask, ask.server.call("POST", path, body={"version": version}))


@app.command("stage")
@remote
def stage(ask: Ask, name: Name) -> None:
    """Back to staging."""
    _tell(ask, ask.server.call("POST", f"/v1/playbooks/{name}/stage"))


@app.command("export")
@remote
def export(
    ask: Ask,
    name: Annotated[str, typer.Argument(help="One playbook; left out: all of them, into the folder --out.")] = "",
    out: Annotated[Path | None, typer.Option(help="File for one, folder for all; else standard output.")] = None,
) -> None:
    """Write the YAML of one playbook, or of all."""
    there = ask.server
    if not name and out is None:
        raise InputError("several playbooks need a folder", cure="Give --out FOLDER, or the name of one.")
    names = [name] if name else [one["name"] for one in there.items("/v1/playbooks", parameters={}, limit=None)]
    texts = {one: there.call("GET", f"/v1/playbooks/{one}")["text"] for one in names}
    if out is None:
        ask.text(texts, texts[name])
        return
    written = {out if name else out / f"{one}.yaml": text for one, text in texts.items()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    told = f"wrote {len(written)} playbook{'' if len(written) == 1 else 's'} to {out}"
    ask.tell({"written": [str(path) for path in written]}, told)


@app.command("import")
@remote
def import_folder(ask: Ask, folder: Annotated[Path, typer.Argument(help="With *.yaml files.")]) -> None:
    """Save all files of a folder, those that others use first."""
    saved, failed = import_files(ask.server, folder)
    wrong = {str(file): error.message for file, error in failed.items()}
    ask.tell({"saved": saved, "failed": wrong}, (f"{one['name']} version {one['version']}" for one in saved))
    for file, message in () if ask.as_json else wrong.items():
        typer.echo(f"{file}: {message}", err=True)
    if failed:
        raise typer.Exit(InputError.exit_code)


@app.command("simulate")
@remote
def simulate(
    ask: Ask,
    name: Name,
    *,
    incident: Incident = 0,
    alert: AlertId = "",
    finding: Finding = "",
    days: Annotated[float, typer.Option(help="On everything of the last days.")] = 0.0,
    when: Annotated[str, typer.Option(help="CEL: with --days, only where this holds.")] = "",
    given: Inputs = None,
    choice: Annotated[list[str] | None, typer.Option(help="STEP=OPTION that people would choose.")] = None,
    version: Version = 0,
    file: Annotated[Path | None, typer.Option(help="Simulate this draft instead of what is kept.")] = None,
) -> None:
    """Show what a playbook would do. Nothing leaves Gatewatch and nothing is changed."""
    body: dict[str, Any] = {"inputs": _pairs(given), "version": version, "when": when}
    body["choices"] = {key: str(value) for key, value in _pairs(choice).items()}
    if file is not None:
        body["text"] = read_file(file)[1]
    subject = _subject(incident, alert, finding)
    body |= {"days": days} if days else {}
    body |= {"subject": subject} if subject["kind"] != "none" or not days else {}
    with waiting("Simulating"):
        record = ask.server.call("POST", f"/v1/playbooks/{name}/simulate", body=body, timeout_s=_SIMULATION_S)
    if ask.as_json:
        show_json(record)
    elif days:
        show_sum(record)
    else:
        show_one(record)


@app.command("run")
@remote
def run(
    ask: Ask,
    name: Name,
    *,
    incident: Incident = 0,
    alert: AlertId = "",
    finding: Finding = "",
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
    given: Inputs = None,
) -> None:
    """Start a run; `runs wait` waits for its end."""
    body = {"subject": _subject(incident, alert, finding), "inputs": _pairs(given), "reason": reason}
    record = ask.server.call("POST", f"/v1/playbooks/{name}/runs", body=body)
    staged = ", a simulation, because the playbook is in staging" if record["staged"] else ""
    ask.tell(record, f"run {record['id']} is {record['state']}{staged}")


@app.command("schema")
def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of playbook files, for editors."""
    del as_json  # it is JSON either way
    from gatewatch.respond.playbooks.document import json_schema

    show_json(json_schema())


def _subject(incident: int, alert: str, finding: str) -> dict[str, str]:
    given = {"incident": str(incident or ""), "alert": alert, "finding": finding}
    chosen = [(kind, known) for kind, known in given.items() if known]
    if len(chosen) > 1:
        raise InputError("a run is about one thing", cure="Give one of --incident, --alert and --finding.")
    kind, known = chosen[0] if chosen else ("none", "")
    return {"kind": kind, "id": known}


def _pairs(texts: list[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts or ():
        name, sign, value = text.partition("=")
        if not sign:
            raise InputError(f"{text!r} gives no value", cure="Write NAME=VALUE.")
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _tell(ask: Ask, record: dict[str, Any]) -> None:
    on = "on" if record["enabled"] else "off"
    effect = "in staging: its runs are simulations" if record["staging"] else "promoted: its runs have effect"
    ask.tell(record, f"{record['name']} version {record['version']} is {on}, {effect}")
