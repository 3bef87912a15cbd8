"""`gatewatch runs`: runs of playbooks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
from gatewatch.cli.simulation import show_steps, waiting

__all__ = ["ENDED_OTHERWISE", "STILL_UNDER_WAY", "app"]

ENDED_OTHERWISE, STILL_UNDER_WAY = 12, 13
"""Exit codes of `wait`."""
_FIRST_S, _MOST_S = 0.2, 5.0
_MOST_QUESTIONS = 50

app = typer.Typer(name="runs", help="Runs of playbooks.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Playbook", lambda r: f"{r['playbook']} {r['version']}"),
    Column("Subject", lambda r: f"{r['subject']['kind']} {r['subject']['id']}".strip()),
    Column("State", lambda r: r["state"] + (" (staged)" if r["staged"] else "")),
    Column("At", "at"),
    Column("By", "by"),
    Column("Created", "created_at"),
    Column("Error", "error"),
)
RunId = Annotated[str, typer.Argument(help="Id from `runs list`.")]


@app.command("list")
def list_runs(
    *,
    playbook: Annotated[str, typer.Option(help="Of this playbook.")] = "",
    state: Annotated[
        list[str] | None,
        typer.Option(help="queued, running, waiting, succeeded, failed, refused, cancelled; may be repeated."),
    ] = None,
    incident: Annotated[int, typer.Option(help="About this incident or its alerts.")] = 0,
    subject: Annotated[str, typer.Option(help="`alert ID`, `finding ID`.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    show_list(
        Server(server, token),
        "/v1/runs",
        "Runs",
        _COLUMNS,
        parameters={"playbook": playbook, "state": state, "incident": incident or None, "subject": subject},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(run_id: RunId, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False) -> None:
    """Show one run, step by step."""
    there = Server(server, token)
    record = there.call("GET", f"/v1/runs/{run_id}")
    if as_json:
        show_json(record)
        return
    _tell(record)
    show_steps("Steps", record["steps"], real=True)
    for asked in there.items("/v1/questions", parameters={"run": run_id}, limit=_MOST_QUESTIONS):
        for line in _question_lines(there.call("GET", f"/v1/questions/{asked['id']}")):
            typer.echo(line)


@app.command("cancel")
def cancel(
    run_id: RunId,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """End a run: an effect under way ends, no further step begins."""
    record = Server(server, token).call("POST", f"/v1/runs/{run_id}/cancel", body={"reason": reason})
    if as_json:
        show_json(record)
    else:
        _tell(record)


@app.command("wait")
def wait(
    run_id: RunId,
    timeout: Annotated[float, typer.Option(help="Seconds after which to give up; 0: never.")] = 0.0,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Wait for the end. Exit code 12 when it did not succeed, 13 when it is still under way after the timeout."""
    there, pause, left = Server(server, token), _FIRST_S, timeout
    with waiting(f"Waiting for run {run_id}"):
        record = there.call("GET", f"/v1/runs/{run_id}")
        while not record["over"] and (not timeout or left > 0):
            time.sleep(min(pause, left) if timeout else pause)
            left, pause = left - pause, min(pause * 1.5, _MOST_S)
            record = there.call("GET", f"/v1/runs/{run_id}")
    if as_json:
        show_json(record)
    else:
        _tell(record)
    if not record["over"]:
        raise typer.Exit(STILL_UNDER_WAY)
    if record["state"] != "succeeded":
        raise typer.Exit(ENDED_OTHERWISE)


def _question_lines(question: dict[str, Any]) -> Iterator[str]:
    """What was asked, who said what, and what came of it."""
    yield f"{question['path']}: {question['text']}"
    for one in question["answers"]:
        note = f" ({one['note']})" if one["note"] else ""
        yield f"  {one['at']} {one['by']} said {one['choice']}{note}"
    if question["open"]:
        yield f"  open until {question['expires_at']}: gatewatch questions answer {question['id']}"
    elif not question["answers"]:
        yield f"  {question['settled_at']} nobody answered: {question['settled']}"


def _tell(record: dict[str, Any]) -> None:
    subject = f"{record['subject']['kind']} {record['subject']['id']}".strip()
    staged = ", a simulation" if record["staged"] else ""
    typer.echo(
        f"run {record['id']} of {record['playbook']} {record['version']} on {subject} is {record['state']}{staged}"
    )
    if record["at"]:
        typer.echo(f"  at {record['at']}")
    if record["error"]:
        typer.echo(f"  {record['error']}")
