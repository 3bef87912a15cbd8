"""`gatewatch incidents`: the queue, one incident told in order, and what is done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from gatewatch.cli.listing import All, Limit, show_list
from gatewatch.cli.output import AsJson, Column, show_json
from gatewatch.cli.rest import DEFAULT_SERVER, Server, ServerUrl, TokenText
from gatewatch.errors import InputError

__all__ = ["app", "story_lines"]

app = typer.Typer(name="incidents", help="Incidents: alerts that tell one story.", no_args_is_help=True)
_SHOWN, _MOST_DONE = 3, 20
IncidentId = Annotated[int, typer.Argument(help="Number from `incidents list`.")]
_COLUMNS = (
    Column("Id", "id", right=True),
    Column("Priority", "priority", right=True),
    Column("Severity", "severity"),
    Column("Status", "status"),
    Column("Incident", "name"),
    Column("Alerts", lambda r: f"{r['open_alerts']}/{r['alerts']}", right=True),
    Column("Owner", "assigned_to"),
    Column("Last activity", "last_activity"),
)
_ACTIVITY_COLUMNS = (
    Column("At", "at"),
    Column("By", "by"),
    Column("On", lambda r: f"{r['subject']} {r['subject_id']}".strip()),
    Column("Action", "action"),
    Column("What", "text"),
)


@app.command("list")
def list_incidents(
    *,
    status: Annotated[str, typer.Option(help="active, in_progress, awaiting_action, resolved or redirected.")] = "",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    owner: Annotated[str, typer.Option(help="Assigned to.")] = "",
    tag: Annotated[str, typer.Option(help="With this tag.")] = "",
    entity: Annotated[str, typer.Option(help="Naming this: `address 203.0.113.7`, `actor subject:ann` …")] = "",
    text: Annotated[str, typer.Option(help="Part of the name, or the number.")] = "",
    order: Annotated[str, typer.Option(help="updated_at, created_at or priority.")] = "priority",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """List incidents, those to look at first on top."""
    parameters = {
        "status": status,
        "severity": severity,
        "assigned_to": owner,
        "tag": tag,
        "entity": entity,
        "text": text,
        "order": order,
    }
    show_list(
        Server(server, token),
        "/v1/incidents",
        "Incidents",
        _COLUMNS,
        parameters=parameters,
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


@app.command("show")
def show(
    incident_id: IncidentId, server: ServerUrl = DEFAULT_SERVER, token: TokenText = "", as_json: AsJson = False
) -> None:
    """Tell one incident in order, with why each alert is in it and what to do."""
    there = Server(server, token)
    record = there.call("GET", f"/v1/incidents/{incident_id}/dossier")
    if as_json:
        show_json(record)
        return
    for line in _dossier_lines(record):
        typer.echo(line)
    for line in _answer_lines(there, incident_id):
        typer.echo(line)


@app.command("set")
def change(
    incident_id: IncidentId,
    *,
    status: Annotated[str, typer.Option(help="active, in_progress, awaiting_action or resolved.")] = "",
    owner: Annotated[str | None, typer.Option(help="Assign to; '' to nobody.")] = None,
    classification: Annotated[str, typer.Option(help="true_positive, expected_activity, false_positive.")] = "",
    determination: Annotated[str, typer.Option(help="What it was, for example compromised_account.")] = "",
    severity: Annotated[str, typer.Option(help="Fix the severity.")] = "",
    name: Annotated[str, typer.Option(help="Rename.")] = "",
    note: Annotated[str, typer.Option(help="Resolving comment.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Tags; give all of them.")] = None,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Change an incident. Resolving it closes its alerts."""
    given = {
        "status": status or None,
        "assigned_to": owner,
        "classification": classification or None,
        "determination": determination or None,
        "severity": severity or None,
        "name": name or None,
        "resolving_comment": note or None,
        "tags": tag,
    }
    wanted = {field: value for field, value in given.items() if value is not None}
    if not wanted:
        raise InputError("nothing to change", cure="Give --status, --owner, --classification or another one.")
    _show_state(Server(server, token).call("PATCH", f"/v1/incidents/{incident_id}", body=wanted), as_json=as_json)


@app.command("comment")
def comment(
    incident_id: IncidentId,
    text: Annotated[str, typer.Argument(help="What to say.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Add a comment."""
    entry = Server(server, token).call("POST", f"/v1/incidents/{incident_id}/comments", body={"text": text})
    if as_json:
        show_json(entry)
    else:
        typer.echo(f"{entry['at']} {entry['by']}: {entry['text']}")


@app.command("merge")
def merge(
    incident_ids: Annotated[list[int], typer.Argument(help="2 to 5 incidents; the oldest stays.")],
    reason: Annotated[str, typer.Option(help="Why they are one.")],
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Make one incident of several."""
    body = {"incident_ids": incident_ids, "reason": reason}
    _show_state(Server(server, token).call("POST", "/v1/incidents/merge", body=body), as_json=as_json)


@app.command("move")
def move(
    alert_ids: Annotated[list[str], typer.Argument(help="Alerts to move.")],
    to: Annotated[int | None, typer.Option(help="Incident; left out: a new one.")] = None,
    reason: Annotated[str, typer.Option(help="Why they belong there.")] = "",
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    as_json: AsJson = False,
) -> None:
    """Move alerts to another incident, or split them off into a new one."""
    body = {"alert_ids": alert_ids, "incident_id": to, "reason": reason}
    _show_state(Server(server, token).call("POST", "/v1/incidents/move-alerts", body=body), as_json=as_json)


@app.command("activities")
def activities(
    incident_id: IncidentId,
    server: ServerUrl = DEFAULT_SERVER,
    token: TokenText = "",
    limit: Limit = 50,
    everything: All = False,
    as_json: AsJson = False,
) -> None:
    """Show what was done, by whom and why, newest first."""
    show_list(
        Server(server, token),
        f"/v1/incidents/{incident_id}/activities",
        f"Activities of incident {incident_id}",
        _ACTIVITY_COLUMNS,
        parameters={},
        limit=limit,
        everything=everything,
        as_json=as_json,
    )


def _show_state(record: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(record)
    else:
        typer.echo(f"Incident {record['id']} ({record['name']}) is {record['status']} with {record['alerts']} alerts")


def _dossier_lines(record: Mapping[str, Any]) -> Iterator[str]:
    incident = record["incident"]
    yield f"Incident {incident['id']}: {incident['name']}"
    owner = incident["assigned_to"] or "nobody"
    yield f"  {incident['severity']} · {incident['status']} · priority {incident['priority']} · assigned to {owner}"
    yield f"  seen from {_moment(incident['first_activity'])} to {_moment(incident['last_activity'])}"
    if incident["classification"] != "unknown":
        yield f"  concluded: {_words(incident['classification'])}, {_words(incident['determination'])}"
    if incident["redirect_to"]:
        yield f"  merged into incident {incident['redirect_to']}"
    for factor in incident["factors"]:
        yield f"    {factor['points']:+.0f} {factor['name']}: {factor['reason']}"
    yield ""
    yield from story_lines(record["story"])
    yield ""
    yield "Who took part"
    for entity in record["entities"]:
        if entity["verdict"]:
            yield f"  {entity['kind']} {entity['value']}: {entity['verdict']}"
    steps = list(dict.fromkeys(step for rule in record["rules"] for step in rule["steps"]))
    if steps:
        yield ""
        yield "What to do"
        yield from (f"  {number}. {step}" for number, step in enumerate(steps, start=1))


def story_lines(story: Mapping[str, Any]) -> Iterator[str]:
    """The attack story as text: a heading per stage, a line per alert, and why it belongs here."""
    yield story["summary"]
    for chapter in story["chapters"]:
        yield f"{_moment(chapter['first_seen'])} {chapter['title']}"
        for step in chapter["steps"]:
            yield f"  {step['title']}: {step['sentence']}"
            if step["links"]:
                yield f"    linked by {_links(step['links'])}"
    if story["left_out"]:
        yield f"  … and {story['left_out']} more alerts"


def _answer_lines(server: Server, incident_id: int) -> Iterator[str]:
    """What was done about it, the newest first, and what waits for an answer."""
    of = {"incident": incident_id}
    contained = list(server.items("/v1/containments", parameters=of, limit=_MOST_DONE))
    runs = list(server.items("/v1/runs", parameters=of, limit=_MOST_DONE))
    if contained or runs:
        yield ""
        yield "What was done"
    for one in contained:
        plan = one["plan"]
        what = f"{_words(plan['effect'])} {plan['scope']['kind']} {plan['scope']['value']} on {plan['gateway']}"
        state = _words(one["state"]) + (f" until {_moment(one['expires_at'])}" if one["state"] == "in_force" else "")
        yield f"  {_moment(one['created_at'])} {what}: {state}, {_words(one['verdict'])}; {one['id']} by {one['by']}"
    for one in runs:
        state = one["state"] + (" (a simulation)" if one["staged"] else "")
        yield f"  {_moment(one['created_at'])} playbook {one['playbook']}: {state}; {one['id']} by {one['by']}"
    for one in server.items("/v1/questions", parameters={**of, "open": "true"}, limit=_MOST_DONE):
        yield f"  waits until {_moment(one['expires_at'])} for an answer: {one['text']}"
        yield f"    gatewatch questions show {one['id']}"


def _moment(text: str) -> str:
    """An RFC 3339 UTC time for people, with its zone."""
    return f"{text[:19].replace('T', ' ')}Z"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _links(links: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{link['reason']} ({link['subject']})" for link in links[:_SHOWN])
