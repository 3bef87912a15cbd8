"""`gatewatch dead-letters`: rejected input, to look at, send again or drop."""

from __future__ import annotations

from typing import Annotated

import typer

from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list

__all__ = ["app"]

app = typer.Typer(name="dead-letters", help="Rejected input.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("Source", "source"),
    Column("Reason", "reason"),
    Column("Detail", "detail"),
    Column("Line", "line", right=True),
    Column("Received", "received_at"),
)
Ids = Annotated[list[str], typer.Argument(help="Ids from `dead-letters list`.")]


@app.command("list")
@remote_list()
def list_letters(ask: AskList, *, source: Annotated[str, typer.Option(help="Only of this source.")] = "") -> None:
    """List rejected input: reason and position, never the content."""
    ask.show("/v1/dead-letters", "Dead letters", _COLUMNS, source=source)


@app.command("resubmit")
@remote
def resubmit(ask: Ask, ids: Ids) -> None:
    """Send letters through the pipeline again, for example after an upgrade."""
    _act(ask, "resubmit", ids)


@app.command("drop")
@remote
def drop(ask: Ask, ids: Ids) -> None:
    """Forget letters. There is no way back."""
    _act(ask, "drop", ids)


def _act(ask: Ask, action: str, ids: list[str]) -> None:
    answer = ask.server.call("POST", f"/v1/dead-letters/{action}", body={"ids": ids})
    ask.counts(answer)
