"""Alerts and incidents from the store, with what belongs to them, as Graph shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fastapi import Request

from gatewatch.api.resources.defender.queries import CONTEXT
from gatewatch.api.services import ApiServices
from gatewatch.errors import NotFoundError
from gatewatch.formats.defender.alerts import Viewpoint, comment_records, graph_alert
from gatewatch.formats.defender.incidents import graph_incident
from gatewatch.formats.records import Record
from gatewatch.model.activity import Subject
from gatewatch.model.alert import Alert
from gatewatch.model.incident import Incident
from gatewatch.model.predicate import Membership, Predicate
from gatewatch.ports.cases import CaseStore, Selection

__all__ = ["alerts_of", "comments_of", "incident_number", "of_incident", "shown_alerts", "shown_incidents", "viewpoint"]

_MOST_DIGITS = 18
_BATCH = 400
_UNKNOWN_MEMBERS = "include-unknown-enum-members"
EXPANDED = 100
"""Alerts of one incident in `$expand=alerts`; a link leads to the rest."""


def incident_number(shown: str) -> int:
    """The number in a path or a body. Raises NotFoundError for what can't be one."""
    if not (shown.isascii() and shown.isdecimal() and len(shown) <= _MOST_DIGITS):
        raise NotFoundError("no incident with this id")
    return int(shown)


def viewpoint(request: Request) -> Viewpoint:
    """For whom this is."""
    services: ApiServices = request.app.state.services
    preferences = ",".join(request.headers.getlist("prefer")).lower()
    return Viewpoint(
        base_url=str(request.base_url),
        tenant_id=services.clients.tenant_id,
        unknown_members=_UNKNOWN_MEMBERS in {part.strip() for part in preferences.replace(";", ",").split(",")},
    )


def of_incident(number: int) -> Predicate:
    """Its alerts."""
    return Membership("incident", (number,))


def alerts_of(cases: CaseStore, number: int, most: int) -> tuple[list[Alert], str]:
    """(newest of an incident, next cursor)."""
    return cases.select_alerts(Selection(where=of_incident(number), order="first_seen", limit=most))


def shown_alerts(request: Request, found: Sequence[Alert]) -> list[Record]:
    """With comments, rules and the incidents that know verdicts; each looked up once for all."""
    services: ApiServices = request.app.state.services
    view, rules = viewpoint(request), services.rules()
    comments = services.cases.comments(Subject.ALERT, [alert.id for alert in found])
    incidents = _incidents(services.cases, {alert.incident for alert in found if alert.incident})
    return [
        graph_alert(alert, rules.get(alert.detector), incidents.get(alert.incident), comments.get(alert.id, ()), view)
        for alert in found
    ]


def _incidents(cases: CaseStore, numbers: Collection[int]) -> dict[int, Incident]:
    wanted, found = sorted(numbers), dict[int, Incident]()
    for start in range(0, len(wanted), _BATCH):
        batch = tuple(wanted[start : start + _BATCH])
        page, _ = cases.select_incidents(Selection(where=Membership("id", batch), order="id", limit=_BATCH))
        found |= {incident.id: incident for incident in page}
    return found


def shown_incidents(request: Request, found: Sequence[Incident], *, expand: bool) -> list[Record]:
    """With comments and, if asked, their newest alerts."""
    services: ApiServices = request.app.state.services
    view = viewpoint(request)
    comments = services.cases.comments(Subject.INCIDENT, [str(incident.id) for incident in found])
    records = [graph_incident(incident, comments.get(str(incident.id), ()), view) for incident in found]
    if not expand:
        return records
    pages = [alerts_of(services.cases, incident.id, EXPANDED) for incident in found]
    shown = iter(shown_alerts(request, [alert for page, _ in pages for alert in page]))
    for record, (page, following) in zip(records, pages, strict=True):
        record["alerts"] = [next(shown) for _ in page]
        if following:
            rest = f"v1.0/security/incidents/{record['id']}/alerts?$skiptoken={following}"
            record["alerts@odata.nextLink"] = view.base_url + rest
    return records


def comments_of(request: Request, subject: Subject, subject_id: str, context: str) -> Record:
    """All comments on one thing: the answer to a new one."""
    services: ApiServices = request.app.state.services
    found = services.cases.comments(subject, [subject_id]).get(subject_id, ())
    return {"@odata.context": f"{CONTEXT}{context}/comments", "value": comment_records(found)}
