"""`gatewatch incidents`: the queue, one incident told in order, and what is done with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any

import typer

from gatewatch.cli.audit import ACTIVITY_COLUMNS
from gatewatch.cli.output import Column
from gatewatch.cli.remote import Ask, AskList, remote, remote_list
from gatewatch.cli.rest import Server
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


@app.command("list")
@remote_list()
def list_incidents(
    ask: AskList,
    *,
    status: Annotated[str, typer.Option(help="active, in_progress, awaiting_action, resolved or redirected.")] = "",
    severity: Annotated[str, typer.Option(help="high, medium, low or informational.")] = "",
    assigned_to: Annotated[str, typer.Option("--owner", help="Assigned to.")] = "",
    tag: Annotated[str, typer.Option(help="With this tag.")] = "",
    entity: Annotated[str, typer.Option(help="Naming this: `address 203.0.113.7`, `actor subject:ann` …")] = "",
    text: Annotated[str, typer.Option(help="Part of the name, or the number.")] = "",
    order: Annotated[str, typer.Option(help="updated_at, created_at or priority.")] = "priority",
) -> None:
    """List incidents, those to look at first on top."""
    ask.show(
        "/v1/incidents",
        "Incidents",
        _COLUMNS,
        status=status,
        severity=severity,
        assigned_to=assigned_to,
        tag=tag,
        entity=entity,
        text=text,
        order=order,
    )


@app.command("show")
@remote
def show(ask: Ask, incident_id: IncidentId) -> None:
    """Tell one incident in order, with why each alert is in it and what to do."""
    record = ask.server.call("GET", f"/v1/incidents/{incident_id}/dossier")
    ask.tell(record, chain(_dossier_lines(record), _answer_lines(ask.server, incident_id)))


@app.command("set")
@remote
def change(
    ask: Ask,
    incident_id: IncidentId,
    *,
    status: Annotated[str, typer.Option(help="active, in_progress, awaiting_action or resolved.")] = "",
    assigned_to: Annotated[str | None, typer.Option("--owner", help="Assign to; '' to nobody.")] = None,
    classification: Annotated[str, typer.Option(help="true_positive, expected_activity, false_positive.")] = "",
    determination: Annotated[str, typer.Option(help="What it was, for example compromised_account.")] = "",
    severity: Annotated[str, typer.Option(help="Fix the severity.")] = "",
    name: Annotated[str, typer.Option(help="Rename.")] = "",
    resolving_comment: Annotated[str, typer.Option("--note", help="Resolving comment.")] = "",
    tags: Annotated[list[str] | None, typer.Option("--tag", help="Tags; give all of them.")] = None,
) -> None:
    """Change an incident. Resolving it closes its alerts."""
    given = {
        "status": status or None,
        "assigned_to": assigned_to,
        "classification": classification or None,
        "determination": determination or None,
        "severity": severity or None,
        "name": name or None,
        "resolving_comment": resolving_comment or None,
        "tags": tags,
    }
    wanted = {field: value for field, value in given.items() if value is not None}
    if not wanted:
        raise InputError("nothing to change", cure="Give --status, --owner, --classification or another one.")
    _show_state(ask, ask.server.call("PATCH", f"/v1/incidents/{incident_id}", body=wanted))


@app.command("comment")
@remote
def comment(ask: Ask, incident_id: IncidentId, text: Annotated[str, typer.Argument(help="What to say.")]) -> None:
    """Add a comment."""
    entry = ask.server.call("POST", f"/v1/incidents/{incident_id}/comments", body={"text": text})
    ask.tell(entry, f"{entry['at']} {entry['by']}: {entry['text']}")


@app.command("merge")
@remote
def merge(
    ask: Ask,
    incident_ids: Annotated[list[int], typer.Argument(help="2 to 5 incidents; the oldest stays.")],
    reason: Annotated[str, typer.Option(help="Why they are one.")],
) -> None:
    """Make one incident of several."""
    body = {"incident_ids": incident_ids, "reason": reason}
    _show_state(ask, ask.server.call("POST", "/v1/incidents/merge", body=body))


@app.command("move")
@remote
def move(
    ask: Ask,
    alert_ids: Annotated[list[str], typer.Argument(help="Alerts to move.")],
    to: Annotated[int | None, typer.Option(help="Incident; left out: a new one.")] = None,
    reason: Annotated[str, typer.Option(help="Why they belong there.")] = "",
) -> None:
    """Move alerts to another incident, or split them off into a new one."""
    body = {"alert_ids": alert_ids, "incident_id": to, "reason": reason}
    _show_state(ask, ask.server.call("POST", "/v1/incidents/move-alerts", body=body))


@app.command("activities")
@remote_list()
def activities(ask: AskList, incident_id: IncidentId) -> None:
    """Show what was done, by whom and why, newest first."""
    ask.show(f"/v1/incidents/{incident_id}/activities", f"Activities of incident {incident_id}", ACTIVITY_COLUMNS)


def _show_state(ask: Ask, record: Mapping[str, Any]) -> None:
    ask.tell(record, f"Incident {record['id']} ({record['name']}) is {record['status']} with {record['alerts']} alerts")


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
