"""Simulations as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer

from gatewatch.cli.output import Column, show_table

__all__ = ["show_one", "show_steps", "show_sum", "waiting"]

_MOST = 20
_STEPS = (
    Column("Step", lambda r: r["path"] + (f" ({r['attempt']})" if r["attempt"] > 1 else "")),
    Column("Kind", "kind"),
    Column("State", "state"),
    Column("What", lambda r: r["error"] or r["note"] or _short(r["inputs"]) or _short(r["values"])),
)
_REAL = (
    Column("Brought", lambda r: r["link"] or _short(r["values"])),
    Column("Ended", "ended_at"),
)
_BLOCKED = (
    Column("Subject", "subject"),
    Column("Gateway", "gateway"),
    Column("Effect", "effect"),
    Column("Scope", "scope"),
    Column("Seconds", lambda r: f"{r['duration_s']:g}", right=True),
    Column("Calls hit", "calls_hit", right=True),
    Column("Bystanders", "bystanders", right=True),
    Column("Obstacles", lambda r: "; ".join(r["obstacles"])),
)


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Shows that something is under way, to a person only."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} …"):
        yield


def show_steps(title: str, steps: list[dict[str, Any]], *, real: bool = False) -> None:
    """Attempts at steps in order; of real ones also when they ended and what they brought."""
    show_table(title, (*_STEPS, *_REAL) if real else _STEPS, steps)


def show_one(record: Mapping[str, Any]) -> None:
    """One run as it would have been."""
    subject = f"{record['subject']['kind']} {record['subject']['id']}".strip()
    typer.echo(f"{record['playbook']} on {subject} would have {_ended(record['state'])}")
    if record["error"]:
        typer.echo(f"  {record['error']}")
    if record["took_s"]:
        typer.echo(f"  after {record['took_s']:g} s of waiting")
    for one in record["questions"]:
        typer.echo(f"Would ask at {one['path']}: {one['text']} ({', '.join(one['options'])})")
        for sentence in one["plan"]:
            typer.echo(f"  - {sentence}")
    show_steps("Steps", record["steps"])


def show_sum(record: Mapping[str, Any]) -> None:
    """What the runs of some days add up to."""
    typer.echo(
        f"{record['playbook']} over {record['days']:g} days: {record['subjects']} looked at, {record['runs']} runs"
        + (", and there was more than could be looked at" if record["bounded"] else "")
    )
    for state, count in record["states"].items():
        typer.echo(f"  {count} would have {_ended(state)}")
    if record["actions"]:
        typer.echo("Actions")
        for action, count in record["actions"].items():
            typer.echo(f"  {count} times {action}")
    typer.echo(f"Questions to people: {record['approvals']}")
    for day, count in record["approvals_per_day"].items():
        typer.echo(f"  {day}: {count}")
    if record["blocked"]:
        title = f"Containments that would have been planned: {len(record['blocked'])}"
        show_table(title, _BLOCKED, record["blocked"][:_MOST], more=len(record["blocked"]) > _MOST)
    if record["errors"]:
        typer.echo("What went wrong")
        for message, count in record["errors"].items():
            typer.echo(f"  {count} times {message}")


def _ended(state: str) -> str:
    return {"refused": "been refused", "cancelled": "been cancelled"}.get(state, state)


def _short(values: Mapping[str, Any]) -> str:
    text = ", ".join(f"{key}={value}" for key, value in values.items())
    return text if len(text) <= 120 else text[:119] + "…"
