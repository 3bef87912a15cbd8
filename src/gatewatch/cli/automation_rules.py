"""`gatewatch automation-rules`: what happens by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json, show_record, show_table
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
from gatewatch.errors import InputError, NotFoundError

__all__ = ["app", "run_lines"]

app = typer.Typer(name="automation-rules", help="Rules that act by themselves.", no_args_is_help=True)
_RULES, _RUNS = "/v1/automation-rules", "/v1/automation-runs"
_COLUMNS = (
    Column("Order", "order", right=True),
    Column("Name", "name"),
    Column("State", "state"),
    Column("When", lambda r: r["trigger"]["on"]),
    Column("Title", "title"),
    Column("Actions", lambda r: ", ".join(one["do"] for one in r["actions"])),
    Column("Until", "expires_at"),
    Column("Matched", "matched", right=True),
    Column("Last", "matched_at"),
)
_RUN_COLUMNS = (
    Column("At", "at"),
    Column("Rule", "rule"),
    Column("On", lambda r: f"{r['subject']['kind']} {r['subject']['id']}".strip()),
    Column("Outcome", "outcome"),
    Column("Why", "why"),
    Column("Actions", lambda r: "; ".join(f"{one['action']} {one['outcome']}" for one in r["actions"])),
    Column("Run", "id"),
)
Name = Annotated[str, typer.Argument(help="Name of the rule.")]
OneFile = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File to read.")]
Subject = Annotated[str, typer.Option("--on", help="`incident 7`, `alert 5f1c` or `finding f1`.")]
_LONG_S = 120.0


@app.command("list")
def list_rules(
    *,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 1000,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List the rules in the order in which they run."""
    show_list(
        Server(server, token),
        _RULES,
        "Automation rules",
        _COLUMNS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Show one rule."""
    _tell(Server(server, token).call("GET", f"{_RULES}/{name}"), as_json=as_json)


@app.command("apply")
def put(
    file: OneFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file, here; needs no server.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Make or change the rules of a YAML file, all or none; every mistake is told with its line."""
    rules = _checked(file)
    if dry_run:
        _tell_all(rules, as_json=as_json, done="would be applied")
        return
    there = Server(server, token)
    found = there.call("POST", f"{_RULES}:import", body={"format": "gatewatch", "document": rules})["items"]
    _tell_all(found, as_json=as_json, done="is applied")
    for warning in _warnings(there, found):
        typer.echo(f"warning: {warning}", err=True)


@app.command("delete")
def delete(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "") -> None:
    """Remove a rule; its runs stay."""
    Server(server, token).call("DELETE", f"{_RULES}/{name}")
    typer.echo(f"{name} is removed")


@app.command("enable")
def enable(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Switch a rule on."""
    _switch(name, "enable", Server(server, token), as_json=as_json)


@app.command("disable")
def disable(name: Name, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Switch a rule off at once."""
    _switch(name, "disable", Server(server, token), as_json=as_json)


@app.command("order")
def order(
    names: Annotated[list[str], typer.Argument(help="All rules, first to last.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Put all rules in this order."""
    found = Server(server, token).call("POST", f"{_RULES}:order", body={"names": names})["items"]
    if as_json:
        show_json(found)
    else:
        show_table("Automation rules", _COLUMNS, found)


@app.command("simulate")
def simulate(
    rule: Annotated[str, typer.Argument(help="Name of a rule, or a YAML file with one that is not kept.")],
    subject: Subject = "",
    days: Annotated[float, typer.Option(help="Without --on: how far back to look.")] = 7.0,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Say what a rule would do, on one thing or on the last days; nothing is changed."""
    wanted = _subject(subject) if subject else None
    path, body = f"{_RULES}/{rule}:simulate", dict[str, Any](wanted) if wanted else None
    if Path(rule).is_file():
        (text, *more) = _checked(Path(rule))
        if more:
            raise InputError(f"{rule} has several rules", cure="Give a file with one.")
        path, body = f"{_RULES}:simulate", {"rule": text, "subject": wanted}
    answer = Server(server, token).content("POST", path, parameters={"days": days}, body=body, timeout_s=_LONG_S)
    found = json.loads(answer)
    if as_json:
        show_json(found)
        return
    more_ = ", and there were more" if found["bounded"] else ""
    typer.echo(f"Of {found['looked_at']} it would have matched {found['matched']}{more_}. {found['note']}")
    for name, count in found["actions"].items():
        typer.echo(f"  {name}: {count}")
    _warn(str(rule), found)
    for one in found["runs"]:
        for line in run_lines(one):
            typer.echo(line)


@app.command("run")
def run(
    name: Name, subject: Subject, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Run a rule on one thing now."""
    found = Server(server, token).call("POST", f"{_RULES}/{name}:run", body=_subject(subject))
    if as_json:
        show_json(found)
        return
    for line in run_lines(found):
        typer.echo(line)


@app.command("runs")
def runs(
    *,
    name: Annotated[str, typer.Option("--rule", help="Only of this rule.")] = "",
    subject: Annotated[str, typer.Option("--on", help="Only on this: `incident 7`.")] = "",
    outcome: Annotated[str, typer.Option(help="matched, not_matched, failed, cut or gone.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Every condition with what it saw.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    path = f"{_RULES}/{name}/runs" if name else _RUNS
    parameters: dict[str, Any] = {"outcome": outcome}
    if subject:
        wanted = _subject(subject)
        if name:
            raise InputError("--rule and --on can't be given together", cure="Leave one out.")
        parameters |= {"kind": wanted["kind"], "subject": wanted["id"]}
    there = Server(server, token)
    if explain and not as_json:
        for one in there.items(path, parameters=parameters, limit=None if everything else limit):
            for line in run_lines(one):
                typer.echo(line)
        return
    show_list(
        there,
        path,
        "Rule runs",
        _RUN_COLUMNS,
        parameters=parameters,
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("import-sentinel")
def import_sentinel(
    file: OneFile,
    defender: Annotated[bool, typer.Option("--defender", help="Workflow automations of Defender for Cloud.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what they become.")] = False,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="All of them; without it as they say.")
    ] = None,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Take over automation rules of Microsoft Sentinel (JSON), all or none; what has no counterpart is named."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"can't read {file} as JSON: {error}") from error
    kind = "defender" if defender else "sentinel"
    body = {"format": kind, "document": document, "enabled": enabled, "dry_run": dry_run}
    found = Server(server, token).call("POST", f"{_RULES}:import", body=body)["items"]
    if dry_run and not as_json:
        import yaml

        typer.echo(yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True, explicit_start=True), nl=False)
        return
    _tell_all(found, as_json=as_json, done="is taken over")


@app.command("export")
def export(server: ServerUrl = DEFAULT_SERVER, token: TokenText = "") -> None:
    """Print all rules as one YAML file that `apply` takes."""
    typer.echo(Server(server, token).content("GET", f"{_RULES}:export").decode(), nl=False)


def run_lines(run: Mapping[str, Any]) -> Iterator[str]:
    """One run, explained: what each condition saw, what became of each action."""
    subject = f"{run['subject']['kind']} {run['subject']['id']}".strip()
    yield f"{run['at']} {run['rule']} on {subject}: {run['outcome']}. {run['why']}"
    for one in run["conditions"]:
        word = {True: "holds", False: "does not hold", None: "can't be evaluated"}[one["holds"]]
        seen = ", ".join(f"{name} = {value}" for name, value in one["values"].items())
        yield f"  {one['text']}: {word}" + (f" ({seen})" if seen else "")
    for one in run["actions"]:
        target = f" {one['playbook']}" if one["playbook"] else ""
        detail = f": {one['detail']}" if one["detail"] else ""
        yield f"  → {one['action']}{target} {one['outcome']}{detail}"


def _checked(file: Path) -> list[dict[str, Any]]:
    """Rules of a file as REST takes them. Raises InputError with every mistake and its line."""
    from gatewatch.respond.located_yaml import documents, located
    from gatewatch.respond.problems import Problem, ProblemsError
    from gatewatch.respond.rule_text import read_rule, text_of

    found, problems = [], []
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"can't read {file}: {error}") from error
    for document in documents(text, str(file)):
        name = document.data.get("name") if isinstance(document.data, dict) else None
        if not isinstance(name, str):
            problems.append((document, Problem("name", "is missing")))
        try:
            found.append(text_of(read_rule(str(name), document.data, by="", at=0.0)))
        except ProblemsError as error:
            problems += [(document, one) for one in error.problems]
    if problems:
        raise located(problems, str(file))
    if not found:
        raise InputError(f"{file} has no rules")
    return found


def _warnings(server: Server, rules: list[dict[str, Any]]) -> Iterator[str]:
    """What keeps playbooks from being started. No mistakes: rules and playbooks may be made in any order."""
    known: dict[str, dict[str, Any] | None] = {}
    for rule in rules:
        for action in rule["actions"]:
            if action["do"] != "run_playbook":
                continue
            name, told = action["playbook"], f"{rule['name']} starts the playbook {action['playbook']}"
            if name not in known:
                known[name] = _playbook(server, name)
            playbook = known[name]
            if playbook is None:
                yield f"{told}, which is not there"
                continue
            if unknown := set(action.get("inputs") or {}) - set(playbook["inputs"]):
                yield f"{told}, which knows no input {', '.join(sorted(unknown))}"
            if not playbook["enabled"]:
                yield f"{told}, which is off"
            elif playbook["staging"]:
                yield f"{told}, which is in staging: its runs are simulations"


def _playbook(server: Server, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = server.call("GET", f"/v1/playbooks/{name}")
    except NotFoundError:
        return None
    return found


def _subject(text: str) -> dict[str, str]:
    kind, _, name = text.strip().partition(" ")
    if kind not in ("incident", "alert", "finding") or not name.strip():
        raise InputError(f"{text!r} names no subject", cure="Write `incident 7`, `alert 5f1c` or `finding f1`.")
    return {"kind": kind, "id": name.strip()}


def _switch(name: str, word: str, server: Server, *, as_json: bool) -> None:
    found = server.call("POST", f"{_RULES}/{name}:{word}")
    if as_json:
        show_json(found)
    else:
        typer.echo(f"{name} is {found['state']}")
        _warn(name, found)


def _tell(record: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        show_record(record["name"], record)


def _tell_all(records: list[Any], *, as_json: bool, done: str) -> None:
    if as_json:
        show_json({"items": records})
        return
    for one in records:
        typer.echo(f"{one['name']} {done}")
        _warn(one["name"], one)


def _warn(name: str, record: Mapping[str, Any]) -> None:
    """What a rule would start and can't; rules that were only checked here have none."""
    for one in record.get("warnings", ()):
        typer.echo(f"Warning: {name}: {one}", err=True)
