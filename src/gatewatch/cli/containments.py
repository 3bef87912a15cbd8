"""`gatewatch containments`: block, throttle and undo on gateways."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

import typer

from gatewatch.cli.output import Column, show_json
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.errors import ConflictError, InputError

__all__ = ["app"]

app = typer.Typer(name="containments", help="What gateways are told to do.", no_args_is_help=True)
_COLUMNS = (
    Column("Id", "id"),
    Column("State", "state"),
    Column("Effect", lambda r: r["plan"]["effect"]),
    Column("Scope", lambda r: f"{r['plan']['scope']['kind']} {r['plan']['scope']['value']}"),
    Column("Gateway", lambda r: r["plan"]["gateway"]),
    Column("Until", "expires_at"),
    Column("Verdict", "verdict"),
    Column("Recovery", lambda r: (r.get("recovery") or {}).get("verdict")),
    Column("By", "by"),
)
_GATEWAYS = (
    Column("Gateway", "name"),
    Column("Kind", "kind"),
    Column("In force", "in_force", right=True),
    Column("Queued", "queued", right=True),
    Column("Repaired", "repaired", right=True),
    Column("Agreed", "agreed_at"),
    Column("Failures", "failures", right=True),
    Column("Last error", lambda r: f"{r['last_error_at']} {r['last_error']}" if r["last_error"] else ""),
)
_SHOWN = 5
_EVIDENCE = (
    Column("Gateway", "gateway"),
    Column("Effect", "effect"),
    Column("Scope", "scope"),
    Column("Measured", "actions", right=True),
    Column("Verdicts", lambda r: _verdicts(r["verdicts"])),
    Column("Attack fell by", lambda r: None if r["mean_fall"] is None else f"{r['mean_fall']:.0%}", right=True),
    Column("Others refused", lambda r: f"{r['mean_collateral']:.2%}", right=True),
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
Id = Annotated[str, typer.Argument(help="As `list` shows it.")]


@app.command("list")
@remote_list()
def list_containments(
    ask: AskList,
    gateway: Annotated[str, typer.Option(help="Only of this gateway.")] = "",
    state: Annotated[list[str] | None, typer.Option(help="queued, in_force, refused, expired, rolled_back.")] = None,
    incident: Annotated[int, typer.Option(help="Only of this incident.")] = 0,
) -> None:
    """List containments, newest first."""
    ask.show(
        "/v1/containments", "Containments", _COLUMNS, gateway=gateway, state=state or [], incident=incident or None
    )


@app.command("gateways")
@remote_list(limit=500)
def gateways(ask: AskList) -> None:
    """List gateways and whether they agree with what is wanted."""
    ask.show("/v1/gateways", "Gateways", _GATEWAYS)


@app.command("evidence")
@remote
def evidence(ask: Ask) -> None:
    """How each kind of containment has fared here."""
    answer = ask.server.call("GET", "/v1/containments/evidence")
    ask.table(answer, "Evidence", _EVIDENCE, answer["items"])


@app.command("show")
@remote
def show(ask: Ask, containment: Id) -> None:
    """Show one with its predicted and measured effect, as JSON."""
    show_json(ask.server.call("GET", f"/v1/containments/{containment}"))


@app.command("apply")
@remote
def apply(
    ask: Ask,
    gateway: Annotated[str, typer.Argument(help="Name of a configured gateway.")],
    effect: Annotated[str, typer.Argument(help="mirror, throttle, challenge, block, suspend_key, disable_endpoint.")],
    scope: Annotated[str, typer.Argument(help="`address=203.0.113.7`, `range=…`, `actor=subject:ann`, `endpoint=…` …")],
    *,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")],
    duration: Annotated[str, typer.Option("--for", help="30m, 2h, 1d.")] = "1h",
    endpoint: Annotated[str, typer.Option(help="Narrow it to `METHOD host template`.")] = "",
    calls: Annotated[int | None, typer.Option(help="For throttle: so many calls …")] = None,
    per_s: Annotated[int, typer.Option(help="… in so many seconds.")] = 60,
    incident: Annotated[int, typer.Option(help="The incident it is about.")] = 0,
    forced: Annotated[bool, typer.Option("--force", help="Override shares and counts.")] = False,
    falls_by: Annotated[float, typer.Option(min=0, max=1, help="Taken back unless the attack falls by this …")] = 0.95,
    within: Annotated[str, typer.Option(help="… in this time.")] = "10m",
    dry_run: Annotated[bool, typer.Option(help="Only say whom it would have hit.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Judge a plan from stored traffic, show whom it would have hit, and carry it out."""
    kind, equals, value = scope.partition("=")
    if not equals:
        raise InputError(f"{scope!r} is no scope", cure="Write kind=value, for instance address=203.0.113.7.")
    plan = {
        "gateway": gateway,
        "effect": effect,
        "scope": {"kind": kind, "value": value, "endpoint": endpoint},
        "duration_s": _seconds(duration),
        "calls": calls,
        "per_s": per_s,
        "reason": reason,
        "incident": incident,
        "forced": forced,
        "expects": {"attack_falls_by": falls_by, "within_s": _seconds(within)},
    }
    judged = ask.server.call("POST", "/v1/containments/judgement", body=plan)
    if dry_run and ask.as_json:
        show_json(judged)
        return
    _show_judgement(judged, err=ask.as_json)
    if dry_run:
        return
    if judged["obstacles"]:
        raise ConflictError("it is not carried out: " + "; ".join(judged["obstacles"]))
    if judged["approvals"] > 1:
        raise ConflictError(
            f"this needs {judged['approvals']} people to agree", cure="Run a playbook that asks for the approvals."
        )
    if not yes:
        ask.confirm("Carry it out?", nothing="nothing was carried out")
    order = {"plan": plan, "digest": judged["digest"], "key": secrets.token_hex(12)}
    made = ask.server.call("POST", "/v1/containments", body=order)
    ask.tell(made, f"{made['id']} is {made['state'].replace('_', ' ')} until {made['expires_at']}")


@app.command("rollback")
@remote
def roll_back(
    ask: Ask, containment: Id, reason: Annotated[str, typer.Option(help="Why; kept in the audit log.")]
) -> None:
    """Take one back."""
    made = ask.server.call("POST", f"/v1/containments/{containment}/rollback", body={"reason": reason})
    gone = "and is gone from the gateway" if made["removed_at"] else "; the gateway has not confirmed it yet"
    ask.tell(made, f"{containment} is rolled back {gone}")


def _show_judgement(judged: dict[str, Any], *, err: bool) -> None:
    radius, incident = judged["radius"], judged["plan"]["incident"]
    typer.echo(
        f"In the last {radius['hours']:g} hours it would have hit {radius['calls_hit']} of {radius['calls']} calls"
        f" ({_counted(radius['actors_hit'], 'caller')}).",
        err=err,
    )
    others, calls = radius["bystanders_count"], _counted(radius["bystander_calls"], "call")
    if incident:
        typer.echo(f"Incident {incident} does not name {_counted(others, 'caller')} of these ({calls}).", err=err)
    elif others:
        typer.echo(
            f"{_counted(others, 'bystander')} ({calls}); give --incident to tell attackers from others.", err=err
        )
    for one in radius["bystanders"][:_SHOWN]:
        typer.echo(f"  {one}", err=err)
    if others > _SHOWN:
        typer.echo(f"  … and {others - min(_SHOWN, len(radius['bystanders']))} more", err=err)
    if before := judged["evidence"]:
        typer.echo(f"Of {before['actions']} such before: {_verdicts(before['verdicts'])}.", err=err)
    for one in judged["obstacles"]:
        typer.echo(f"Obstacle: {one}.", err=err)


def _verdicts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _seconds(text: str) -> float:
    if text[-1:] in _UNITS and text[:-1].isdecimal():
        return float(int(text[:-1]) * _UNITS[text[-1]])
    raise InputError(f"{text!r} is no duration", cure="Write 30m, 2h or 1d.")
