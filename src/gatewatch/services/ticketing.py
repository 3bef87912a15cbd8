"""Keeps incidents and their tickets in step, in both directions, a turn at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, GatewatchError, InputError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.ticket import IncidentState, TicketLink, TicketState
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import ActionCall, ActionResult, Connectors, Outcome
from gatewatch.ports.ticketing import TicketLinks
from gatewatch.respond.tickets import Decision, Move, TicketMapping, decide, moment
from gatewatch.services.incidents.casework import Casework
from gatewatch.services.incidents.patches import IncidentPatch

__all__ = ["Ticketing", "Turn"]

_OVERLAP_S = 120.0
"""Read again each time, for clocks that differ and changes that are indexed late."""
_FIRST_S = 86_400.0
"""How far the first turn looks back."""
_PAGE, _MOST_PAGES, _BATCH = 100, 100, 200
_MOST_HOPS = 10


class Turn(msgspec.Struct, kw_only=True):
    """What one turn did."""

    seen: int = 0
    """Tickets that changed over there."""
    pulled: int = 0
    pushed: int = 0
    conflicts: int = 0
    troubles: int = 0


class _Theirs(msgspec.Struct, frozen=True):
    state: TicketState
    at: float


class Ticketing:
    """For connections whose connector lists changed tickets: ServiceNow and Jira."""

    def __init__(
        self, *, connectors: Connectors, links: TicketLinks, cases: CaseStore, casework: Casework, clock: Clock
    ) -> None:
        """Uses the connections' actions `list_changed`, and `update_incident` or `transition`."""
        self._connectors, self._links, self._cases = connectors, links, cases
        self._casework, self._clock = casework, clock

    def link(self, *, connection: str, ticket: str, number: str, url: str, status: str, incident: int) -> TicketLink:
        """A ticket stands for an incident from now on.

        Raises NotFoundError, ConflictError when it stands for another.
        """
        known = self._links.of_tickets(connection, [ticket]).get(ticket)
        if known is not None and known.incident != incident:
            raise ConflictError(f"ticket {number or ticket} stands for incident {known.incident} already")
        made = TicketLink(
            connection=connection,
            ticket=ticket,
            number=number,
            url=url,
            incident=incident,
            ours=_state(self._cases.incident(incident)),
            theirs=TicketState(status=status),
            synced_at=self._clock.now(),
        )
        self._links.put(known or made)
        return known or made

    def turn(self, connection: str, mapping: TicketMapping) -> Turn:
        """Read what changed over there, then bring every link in step.

        Raises ConnectorError for a connection that can't do it. What fails for one ticket is kept with its link and
        tried again at the next turn.
        """
        begun, done = self._clock.now(), Turn()
        changed, whole = self._changed(connection, begun, done)
        for link in self._all(connection):
            self._bring(link, changed.get(link.ticket), mapping, done)
        if whole and not done.troubles:
            # Otherwise the same stretch is read again, so that nothing of it is lost.
            self._links.set_polled(connection, begun)
        return done

    def _all(self, connection: str) -> Iterator[TicketLink]:
        after = ""
        while page := self._links.links(connection, after=after, limit=_BATCH):
            yield from page
            after = page[-1].ticket

    def _changed(self, connection: str, now: float, done: Turn) -> tuple[dict[str, _Theirs], bool]:
        since = self._links.polled_at(connection) or now - _FIRST_S
        minutes = max(1, math.ceil((now - since + _OVERLAP_S) / 60))
        found: dict[str, _Theirs] = {}
        page = ""
        for _ in range(_MOST_PAGES):
            inputs = {"minutes": minutes, "limit": _PAGE, **({"page": page} if page else {})}
            result = self._call(connection, "list_changed", inputs, f"{now}{page}")
            if result.outcome is not Outcome.SUCCEEDED:
                done.troubles += 1
                return found, False
            found |= dict(_tickets(result.values.get("tickets", [])))
            page = str(result.values.get("next", ""))
            if not page:
                break
        done.seen = len(found)
        return found, not page

    def _bring(self, link: TicketLink, theirs: _Theirs | None, mapping: TicketMapping, done: Turn) -> None:
        try:
            incident = self._living(link.incident)
            ours = _state(incident)
            state, at = (theirs.state, theirs.at) if theirs is not None else (link.theirs, 0.0)
            decision = decide(link, ours=ours, ours_at=incident.updated_at, theirs=state, theirs_at=at, mapping=mapping)
            new = self._moved(link, incident, state, decision, mapping, done)
        except GatewatchError as error:
            done.troubles += 1
            new = msgspec.structs.replace(link, trouble=error.message[:500])
        if new != link:
            self._links.put(new)

    def _moved(
        self,
        link: TicketLink,
        incident: Incident,
        theirs: TicketState,
        decision: Decision,
        mapping: TicketMapping,
        done: Turn,
    ) -> TicketLink:
        if decision.move is Move.NOTHING:
            return msgspec.structs.replace(link, incident=incident.id, trouble="")
        ours = _state(incident)
        if decision.conflict:
            done.conflicts += 1
            self._note_conflict(link, incident, theirs, decision)
        if decision.move is Move.PULL and decision.wanted is not None:
            ours = self._pulled(link, incident, decision.wanted)
            done.pulled += 1
        elif decision.move is Move.PUSH:
            theirs = self._pushed(link, incident, mapping)
            done.pushed += 1
        return msgspec.structs.replace(
            link, incident=incident.id, ours=ours, theirs=theirs, synced_at=self._clock.now(), trouble=""
        )

    def _pulled(self, link: TicketLink, incident: Incident, wanted: IncidentState) -> IncidentState:
        patch = IncidentPatch(
            status=wanted.status if wanted.status is not incident.status else None,
            classification=wanted.classification if wanted.classification is not incident.classification else None,
        )
        changed = self._casework.change_incident(
            incident.id, patch, by=f"{link.connection} {link.number or link.ticket}", revision=incident.revision
        )
        return _state(changed)

    def _pushed(self, link: TicketLink, incident: Incident, mapping: TicketMapping) -> TicketState:
        """The state that the ticket then has."""
        status = mapping.outgoing.get(incident.status)
        if status is None:
            return link.theirs
        inputs: dict[str, Any] = {"id": link.ticket, "status": status}
        if incident.status is IncidentStatus.RESOLVED:
            resolution = mapping.resolutions.get(incident.classification)
            inputs |= {"resolution": resolution} if resolution else {}
        actions = {action.id for action in self._connectors.metas()[link.connection].actions}
        if "transition" in actions:
            if status == link.theirs.status:
                return link.theirs
            inputs["transition"] = self._transition(link, status)
            return self._sent(link, incident, "transition", inputs)
        if incident.status is IncidentStatus.RESOLVED:
            inputs["note"] = incident.resolving_comment or f"Incident {incident.id} was resolved in Gatewatch."
        return self._sent(link, incident, "update_incident", inputs)

    def _sent(self, link: TicketLink, incident: Incident, action: str, inputs: Mapping[str, Any]) -> TicketState:
        about = f"{link.ticket}{incident.revision}{inputs['status']}"
        result = self._call(link.connection, action, inputs, about)
        if result.outcome is not Outcome.SUCCEEDED:
            raise InputError(f"the ticket did not follow: {result.error or result.outcome.value}")
        values = result.values
        if action == "transition":
            # Workflows set resolutions of their own; what is not read now would look like a change of theirs.
            values = self._call(link.connection, "get_issue", {"id": link.ticket}, about).values
        return TicketState(
            status=str(values.get("status") or inputs["status"]),
            resolution=str(values.get("resolution") or inputs.get("resolution", "")),
        )

    def _transition(self, link: TicketLink, status: str) -> str:
        result = self._call(link.connection, "list_transitions", {"id": link.ticket}, link.ticket)
        if result.outcome is not Outcome.SUCCEEDED:
            raise InputError(f"the ways of ticket {link.number or link.ticket} can't be read: {result.error}")
        for way in result.values.get("transitions", []):
            if way.get("to") == status:
                return str(way["id"])
        raise InputError(f"no way leads ticket {link.number or link.ticket} to {status}")

    def _call(self, connection: str, action: str, inputs: Mapping[str, Any], about: str) -> ActionResult:
        key = blake2b(f"{connection}\0{action}\0{about}".encode(), digest_size=16).hexdigest()
        call = ActionCall(connection=connection, action=action, inputs=dict(inputs), key=key)
        result = self._connectors.perform(call)
        return self._connectors.read_back(call) if result.outcome is Outcome.UNKNOWN else result

    def _living(self, number: int) -> Incident:
        """The incident, or the one that it was merged into."""
        incident = self._cases.incident(number)
        for _ in range(_MOST_HOPS):
            if incident.status is not IncidentStatus.REDIRECTED:
                break
            incident = self._cases.incident(incident.redirect_to)
        return incident

    def _note_conflict(self, link: TicketLink, incident: Incident, theirs: TicketState, decision: Decision) -> None:
        name, at = link.number or link.ticket, self._clock.now()
        won = f"ticket {name}" if decision.move is Move.PULL else "incident"
        text = (
            f"The incident ({incident.status.value}) and ticket {name} ({theirs.status}) were both changed; "
            f"the later change, of the {won}, stays."
        )
        entry = Activity(
            at=at,
            origin=Origin.SYSTEM,
            by=link.connection,
            subject=Subject.INCIDENT,
            subject_id=str(incident.id),
            incident=incident.id,
            action="ticket-conflict",
            text=text,
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])


def _state(incident: Incident) -> IncidentState:
    return IncidentState(status=incident.status, classification=incident.classification)


def _tickets(given: list[dict[str, Any]]) -> Iterator[tuple[str, _Theirs]]:
    for one in given:
        state = TicketState(status=str(one.get("status", "")), resolution=str(one.get("resolution") or ""))
        yield str(one.get("id", "")), _Theirs(state, moment(str(one.get("updated_at", ""))))
