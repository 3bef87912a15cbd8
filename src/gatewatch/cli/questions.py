"""`gatewatch questions`: what runs ask people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.errors import InputError

__all__ = ["app"]

app = typer.Typer(name="questions", help="Questions of runs to people.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Kind", "kind"),
    Column("Question", "text"),
    Column("Options", lambda r: ", ".join(r["options"])),
    Column("Playbook", "playbook"),
    Column("Incident", "incident"),
    Column("Until", "expires_at"),
    Column("Settled", lambda r: "open" if r["open"] else r["settled"]),
)
QuestionId = Annotated[str, typer.Argument(help="Id from `questions list`.")]


@app.command("list")
@remote_list()
def list_questions(
    ask: AskList,
    *,
    answered: Annotated[bool, typer.Option("--closed", help="Also those that are closed.")] = False,
    incident: Annotated[int, typer.Option(help="About this incident.")] = 0,
    run: Annotated[str, typer.Option(help="Of this run.")] = "",
) -> None:
    """List open questions, newest first."""
    ask.show(
        "/v1/questions", "Questions", _COLUMNS, open=None if answered else "true", incident=incident or None, run=run
    )


@app.command("show")
@remote
def show(ask: Ask, question_id: QuestionId) -> None:
    """Show one question, the plan it is about, and its answers."""
    record = ask.server.call("GET", f"/v1/questions/{question_id}")
    ask.tell(record, chain(_plan_lines(record), _answer_lines(record)))


@app.command("answer")
@remote
def answer(
    ask: Ask,
    question_id: QuestionId,
    choice: Annotated[str, typer.Argument(help="One of its options.")],
    *,
    note: Annotated[str, typer.Option(help="Why; kept with the answer.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask once more.")] = False,
) -> None:
    """Answer. Shows the plan first and asks for a confirmation; an answer can't be taken back."""
    record = ask.server.call("GET", f"/v1/questions/{question_id}")
    if choice not in record["options"]:
        raise InputError(f"`{choice}` is none of {', '.join(record['options'])}")
    if not yes:
        for line in _plan_lines(record):
            typer.echo(line, err=ask.as_json)
        ask.confirm(f"Answer {choice}?", nothing="nothing was answered")
    # The digest is of the plan that was just shown: if it changes meanwhile, the answer is refused.
    body = {"choice": choice, "digest": record["digest"], "note": note}
    found = ask.server.call("POST", f"/v1/questions/{question_id}/answers", body=body)
    state = "waits for others" if found["open"] else f"is closed: {found['settled']}"
    ask.tell(found, f"answered {choice}; the question {state}")


def _plan_lines(record: Mapping[str, Any]) -> Iterator[str]:
    yield record["text"]
    yield from (f"  - {sentence}" for sentence in record["plan"])
    about = f", incident {record['incident']}" if record["incident"] else ""
    yield f"Playbook {record['playbook']}{about}, run {record['run']}, started by {record['asked_by']}"
    need = f"{record['approvers']} people" if record["approvers"] > 1 else f"a {record['role']}"
    yield f"Options: {', '.join(record['options'])}; needs {need}; until {record['expires_at']}"


def _answer_lines(record: Mapping[str, Any]) -> Iterator[str]:
    for one in record["answers"]:
        note = f", {one['note']}" if one["note"] else ""
        yield f"{one['at']} {one['by']} ({one['kind']}): {one['choice']}{note}"
    if not record["open"]:
        yield f"Closed: {record['settled'] or 'no choice was reached'}"
