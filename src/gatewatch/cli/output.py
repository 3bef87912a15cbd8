"""Tables for people, JSON for programs."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod

__all__ = ["AsJson", "Column", "show_csv", "show_error", "show_json", "show_record", "show_table"]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_SEVERITY_STYLES = {"high": "bold red", "medium": "yellow", "low": "blue", "informational": "dim"}
_PIPE_COLUMNS = 1000
_WHOLE = ("Id", "Run")
_STYLES = {
    **_SEVERITY_STYLES,
    "unauthenticated": "red",
    "unhealthy": "red",
    "overdue": "red",
    "authenticated": "green",
    "healthy": "green",
}


class Column(msgspec.Struct, frozen=True):
    """One column: heading, and the record's member or a function of the record."""

    title: str
    value: str | Callable[[Mapping[str, Any]], object]
    right: bool = False

    def text(self, record: Mapping[str, Any]) -> str:
        """The cell; styled when the value is one of the words with a colour."""
        found = record.get(self.value) if isinstance(self.value, str) else self.value(record)
        shown = "-" if found is None or found == "" else str(found)
        style = _STYLES.get(shown)
        from rich.markup import escape

        return f"[{style}]{shown}[/]" if style else escape(shown)


def show_json(value: object) -> None:
    """Indented JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def show_csv(names: Sequence[str], records: Iterable[Mapping[str, Any]]) -> None:
    """CSV (RFC 4180) with a heading; no cell is taken for a formula by a spreadsheet."""
    from gatewatch.formats.export.csv_lines import guarded

    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(names)
    for record in records:
        writer.writerow([_csv_cell(record.get(name), guarded) for name in names])


def _csv_cell(value: object, guarded: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return guarded(value)
    return "" if value is None else value


def show_table(
    title: str, columns: Sequence[Column], records: Iterable[Mapping[str, Any]], *, more: bool = False
) -> None:
    """A table as wide as the terminal."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False)
    for column in columns:
        # An id in two pieces can't be copied into the next command.
        whole = column.title in _WHOLE
        side: JustifyMethod = "right" if column.right else "left"
        table.add_column(column.title, justify=side, overflow="fold", no_wrap=whole)
    count = 0
    for record in records:
        table.add_row(*(column.text(record) for column in columns))
        count += 1
    console = _console()
    console.print(table if count else f"{title}: none", highlight=False)
    if more:
        console.print("[dim]There are more: use --all or --limit.[/]")


def show_record(title: str, record: Mapping[str, Any]) -> None:
    """One thing, a line per member."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for name, value in record.items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(name, Column(name, name).text({name: shown}))
    _console().print(table, highlight=False)


def _console() -> Console:
    """As wide as the terminal; in a pipe a row is a line, for `grep` and `less -S`."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPE_COLUMNS
    return Console(width=wide)


def show_error(code: str, message: str, cure: str, *, as_json: bool) -> None:
    """An error with its cure on standard error."""
    if as_json:
        sys.stderr.write(
            msgspec.json.encode({"error": {"code": code, "message": message, "cure": cure}}).decode() + "\n"
        )
        return
    sys.stderr.write(f"error: {message}\n")
    if cure:
        sys.stderr.write(f"  {cure}\n")
