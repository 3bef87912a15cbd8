"""`gatewatch runs`: runs of playbooks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
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
@remote_list()
def list_runs(
    ask: AskList,
    *,
    playbook: Annotated[str, typer.Option(help="Of this playbook.")] = "",
    state: Annotated[
        list[str] | None,
        typer.Option(help="queued, running, waiting, succeeded, failed, refused, cancelled; may be repeated."),
    ] = None,
    incident: Annotated[int, typer.Option(help="About this incident or its alerts.")] = 0,
    subject: Annotated[str, typer.Option(help="`alert ID`, `finding ID`.")] = "",
) -> None:
    """List runs, newest first."""
    ask.show("/v1/runs", "Runs", _COLUMNS, playbook=playbook, state=state, incident=incident or None, subject=subject)


@app.command("show")
@remote
def show(ask: Ask, run_id: RunId) -> None:
    """Show one run, step by step."""
    there = ask.server
    record = there.call("GET", f"/v1/runs/{run_id}")
    ask.tell(record, _lines(record))
    if ask.as_json:
        return
    show_steps("Steps", record["steps"], real=True)
    for asked in there.items("/v1/questions", parameters={"run": run_id}, limit=_MOST_QUESTIONS):
        for line in _question_lines(there.call("GET", f"/v1/questions/{asked['id']}")):
            typer.echo(line)


@app.command("cancel")
@remote
def cancel(
    ask: Ask, run_id: RunId, reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")] = ""
) -> None:
    """End a run: an effect under way ends, no further step begins."""
    record = ask.server.call("POST", f"/v1/runs/{run_id}/cancel", body={"reason": reason})
    ask.tell(record, _lines(record))


@app.command("wait")
@remote
def wait(
    ask: Ask,
    run_id: RunId,
    timeout: Annotated[float, typer.Option(help="Seconds after which to give up; 0: never.")] = 0.0,
) -> None:
    """Wait for the end. Exit code 12 when it did not succeed, 13 when it is still under way after the timeout."""
    there, pause, left = ask.server, _FIRST_S, timeout
    with waiting(f"Waiting for run {run_id}"):
        record = there.call("GET", f"/v1/runs/{run_id}")
        while not record["over"] and (not timeout or left > 0):
            time.sleep(min(pause, left) if timeout else pause)
            left, pause = left - pause, min(pause * 1.5, _MOST_S)
            record = there.call("GET", f"/v1/runs/{run_id}")
    ask.tell(record, _lines(record))
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


def _lines(record: dict[str, Any]) -> Iterator[str]:
    subject = f"{record['subject']['kind']} {record['subject']['id']}".strip()
    staged = ", a simulation" if record["staged"] else ""
    yield f"run {record['id']} of {record['playbook']} {record['version']} on {subject} is {record['state']}{staged}"
    if record["at"]:
        yield f"  at {record['at']}"
    if record["error"]:
        yield f"  {record['error']}"
