"""Keeps incidents and tickets in step: tickets that playbooks open are linked, a thread follows both sides."""

from __future__ import annotations

from gatewatch.bootstrap.connections import ticketing
from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionResult
from gatewatch.model.activity import Origin
from gatewatch.model.run import Run
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.leases import Turn
from gatewatch.respond.tickets import JIRA, SERVICENOW, TicketMapping
from gatewatch.services.incidents import Casework
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.repeating import Repeating
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["Tickets"]

_EVERY_S = 30.0
_MAPPINGS: dict[str, TicketMapping] = {"servicenow": SERVICENOW, "jira_cloud": JIRA, "jira_data_center": JIRA}
_OPENS = ("create_incident", "create_issue")
_LISTS = "list_changed"


class Tickets:
    """A thread when there is a connection to a ticket system, nothing without."""

    def __init__(
        self, connectors: Connectors, control: SqlControlStore, summing: Summing, clock: Clock, log: Log, turn: Turn
    ) -> None:
        """Nothing runs yet."""
        casework = Casework(control.cases, summing, clock.now, Origin.SYSTEM)
        self._ticketing, self._log = ticketing(connectors, control, casework, clock), log
        self._systems = {
            name: _MAPPINGS[meta.id]
            for name, meta in connectors.metas().items()
            if meta.id in _MAPPINGS and any(action.id == _LISTS for action in meta.actions)
        }
        self._thread = Repeating("tickets", self.turn, _EVERY_S, log, turn=turn)

    @property
    def failing(self) -> str:
        """Why the last turn failed."""
        return self._thread.failing

    def start(self) -> None:
        """Begin, if there is anything to follow."""
        if self._systems:
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._thread.stop()

    def turn(self) -> None:
        """All ticket systems once; one that can't be followed keeps no other back. Raises its GatewatchError then."""
        failed: list[GatewatchError] = []
        for name, mapping in self._systems.items():
            try:
                self._ticketing.turn(name, mapping)
            except GatewatchError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def created(self, run: Run, call: ActionCall, result: ActionResult) -> None:
        """A playbook opened a ticket: it stands for the run's incident."""
        ticket = str(result.values.get("id") or result.values.get("key") or "")
        if call.connection not in self._systems or call.action not in _OPENS or not run.incident or not ticket:
            return
        try:
            self._ticketing.link(
                connection=call.connection,
                ticket=ticket,
                number=str(result.values.get("number") or result.values.get("key") or ""),
                url=result.link,
                status=str(result.values.get("status") or ""),
                incident=run.incident,
            )
        except GatewatchError as error:
            self._log.warning("ticket_not_linked", connection=call.connection, why=error.message)
