"""`gatewatch questions`: what runs ask people."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
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
def list_questions(
    *,
    answered: Annotated[bool, typer.Option("--closed", help="Also those that are closed.")] = False,
    incident: Annotated[int, typer.Option(help="About this incident.")] = 0,
    run: Annotated[str, typer.Option(help="Of this run.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List open questions, newest first."""
    show_list(
        Server(server, token),
        "/v1/questions",
        "Questions",
        _COLUMNS,
        parameters={"open": None if answered else "true", "incident": incident or None, "run": run},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    question_id: QuestionId, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Show one question, the plan it is about, and its answers."""
    record = Server(server, token).call("GET", f"/v1/questions/{question_id}")
    if as_json:
        show_json(record)
        return
    _tell(record)
    for one in record["answers"]:
        typer.echo(
            f"{one['at']} {one['by']} ({one['kind']}): {one['choice']}" + (f", {one['note']}" if one["note"] else "")
        )
    if not record["open"]:
        typer.echo(f"Closed: {record['settled'] or 'no choice was reached'}")


@app.command("answer")
def answer(
    question_id: QuestionId,
    choice: Annotated[str, typer.Argument(help="One of its options.")],
    *,
    note: Annotated[str, typer.Option(help="Why; kept with the answer.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask once more.")] = False,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Answer. Shows the plan first and asks for a confirmation; an answer can't be taken back."""
    there = Server(server, token)
    record = there.call("GET", f"/v1/questions/{question_id}")
    if choice not in record["options"]:
        raise InputError(f"`{choice}` is none of {', '.join(record['options'])}")
    if not yes:
        _tell(record, err=as_json)
        if not typer.confirm(f"Answer {choice}?", err=True):
            typer.echo("nothing was answered", err=True)
            raise typer.Exit(130)
    # The digest is of the plan that was just shown: if it changes meanwhile, the answer is refused.
    body = {"choice": choice, "digest": record["digest"], "note": note}
    found = there.call("POST", f"/v1/questions/{question_id}/answers", body=body)
    if as_json:
        show_json(found)
    else:
        state = "waits for others" if found["open"] else f"is closed: {found['settled']}"
        typer.echo(f"answered {choice}; the question {state}")


def _tell(record: dict[str, Any], *, err: bool = False) -> None:
    typer.echo(record["text"], err=err)
    for sentence in record["plan"]:
        typer.echo(f"  - {sentence}", err=err)
    about = f", incident {record['incident']}" if record["incident"] else ""
    typer.echo(f"Playbook {record['playbook']}{about}, run {record['run']}, started by {record['asked_by']}", err=err)
    need = f"{record['approvers']} people" if record["approvers"] > 1 else f"a {record['role']}"
    typer.echo(f"Options: {', '.join(record['options'])}; needs {need}; until {record['expires_at']}", err=err)
