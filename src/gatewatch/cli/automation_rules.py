"""`gatewatch automation-rules`: what happens by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.cli.rest import Server
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
@remote_list(limit=1000)
def list_rules(ask: AskList) -> None:
    """List the rules in the order in which they run."""
    ask.show(_RULES, "Automation rules", _COLUMNS)


@app.command("show")
@remote
def show(ask: Ask, name: Name) -> None:
    """Show one rule."""
    ask.record(name, ask.server.call("GET", f"{_RULES}/{name}"))


@app.command("apply")
@remote
def put(
    ask: Ask,
    file: OneFile,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check the file, here; needs no server.")] = False,
) -> None:
    """Make or change the rules of a YAML file, all or none; every mistake is told with its line."""
    rules = _checked(file)
    if dry_run:
        _tell_all(ask, rules, done="would be applied")
        return
    there = ask.server
    found = there.call("POST", f"{_RULES}:import", body={"format": "gatewatch", "document": rules})["items"]
    _tell_all(ask, found, done="is applied")
    for warning in _warnings(there, found):
        typer.echo(f"warning: {warning}", err=True)


@app.command("delete")
@remote
def delete(ask: Ask, name: Name) -> None:
    """Remove a rule; its runs stay."""
    ask.server.call("DELETE", f"{_RULES}/{name}")
    ask.tell({"removed": name}, f"{name} is removed")


@app.command("enable")
@remote
def enable(ask: Ask, name: Name) -> None:
    """Switch a rule on."""
    _switch(ask, name, "enable")


@app.command("disable")
@remote
def disable(ask: Ask, name: Name) -> None:
    """Switch a rule off at once."""
    _switch(ask, name, "disable")


@app.command("order")
@remote
def order(ask: Ask, names: Annotated[list[str], typer.Argument(help="All rules, first to last.")]) -> None:
    """Put all rules in this order."""
    found = ask.server.call("POST", f"{_RULES}:order", body={"names": names})["items"]
    ask.table(found, "Automation rules", _COLUMNS, found)


@app.command("simulate")
@remote
def simulate(
    ask: Ask,
    rule: Annotated[str, typer.Argument(help="Name of a rule, or a YAML file with one that is not kept.")],
    subject: Subject = "",
    days: Annotated[float, typer.Option(help="Without --on: how far back to look.")] = 7.0,
) -> None:
    """Say what a rule would do, on one thing or on the last days; nothing is changed."""
    wanted = _subject(subject) if subject else None
    path, body = f"{_RULES}/{rule}:simulate", dict[str, Any](wanted) if wanted else None
    if Path(rule).is_file():
        (text, *more) = _checked(Path(rule))
        if more:
            raise InputError(f"{rule} has several rules", cure="Give a file with one.")
        path, body = f"{_RULES}:simulate", {"rule": text, "subject": wanted}
    found = ask.server.call("POST", path, parameters={"days": days}, body=body, timeout_s=_LONG_S)
    ask.tell(found, _simulation_lines(rule, found))


@app.command("run")
@remote
def run(ask: Ask, name: Name, subject: Subject) -> None:
    """Run a rule on one thing now."""
    found = ask.server.call("POST", f"{_RULES}/{name}:run", body=_subject(subject))
    ask.tell(found, run_lines(found))


@app.command("runs")
@remote_list()
def runs(
    ask: AskList,
    *,
    name: Annotated[str, typer.Option("--rule", help="Only of this rule.")] = "",
    subject: Annotated[str, typer.Option("--on", help="Only on this: `incident 7`.")] = "",
    outcome: Annotated[str, typer.Option(help="matched, not_matched, failed, cut or gone.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Every condition with what it saw.")] = False,
) -> None:
    """List runs, newest first."""
    path = f"{_RULES}/{name}/runs" if name else _RUNS
    parameters: dict[str, Any] = {"outcome": outcome}
    if subject:
        wanted = _subject(subject)
        if name:
            raise InputError("--rule and --on can't be given together", cure="Leave one out.")
        parameters |= {"kind": wanted["kind"], "subject": wanted["id"]}
    if explain and not ask.as_json:
        ask.tell(None, chain.from_iterable(map(run_lines, ask.items(path, **parameters))))
        return
    ask.show(path, "Rule runs", _RUN_COLUMNS, **parameters)


@app.command("import-sentinel")
@remote
def import_sentinel(
    ask: Ask,
    file: OneFile,
    defender: Annotated[bool, typer.Option("--defender", help="Workflow automations of Defender for Cloud.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what they become.")] = False,
    enabled: Annotated[
        bool | None, typer.Option("--enable/--disable", help="All of them; without it as they say.")
    ] = None,
) -> None:
    """Take over automation rules of Microsoft Sentinel (JSON), all or none; what has no counterpart is named."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"can't read {file} as JSON: {error}") from error
    kind = "defender" if defender else "sentinel"
    body = {"format": kind, "document": document, "enabled": enabled, "dry_run": dry_run}
    found = ask.server.call("POST", f"{_RULES}:import", body=body)["items"]
    if dry_run and not ask.as_json:
        import yaml

        ask.text(found, yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True, explicit_start=True))
        return
    _tell_all(ask, found, done="is taken over")


@app.command("export")
@remote
def export(ask: Ask) -> None:
    """Print all rules as one YAML file that `apply` takes."""
    text = ask.server.content("GET", f"{_RULES}:export").decode()
    ask.text({"text": text}, text)


def _simulation_lines(rule: str, found: Mapping[str, Any]) -> Iterator[str]:
    more = ", and there were more" if found["bounded"] else ""
    yield f"Of {found['looked_at']} it would have matched {found['matched']}{more}. {found['note']}"
    yield from (f"  {name}: {count}" for name, count in found["actions"].items())
    _warn(rule, found)
    yield from chain.from_iterable(map(run_lines, found["runs"]))


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


def _switch(ask: Ask, name: str, word: str) -> None:
    found = ask.server.call("POST", f"{_RULES}/{name}:{word}")
    ask.tell(found, f"{name} is {found['state']}")
    if not ask.as_json:
        _warn(name, found)


def _tell_all(ask: Ask, records: list[Any], *, done: str) -> None:
    ask.tell({"items": records}, _done_lines(records, done))


def _done_lines(records: list[Any], done: str) -> Iterator[str]:
    for one in records:
        yield f"{one['name']} {done}"
        _warn(one["name"], one)


def _warn(name: str, record: Mapping[str, Any]) -> None:
    """What a rule would start and can't; rules that were only checked here have none."""
    for one in record.get("warnings", ()):
        typer.echo(f"Warning: {name}: {one}", err=True)
