"""The subject of an event as rules see it, read again after a rule changed it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import msgspec

from gatewatch.correlate.entities import entities_of
from gatewatch.errors import NotFoundError
from gatewatch.model.alert import Alert
from gatewatch.model.automation import About
from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.ports.automation import AutomationUnit
from gatewatch.ports.cases import Sighting
from gatewatch.respond.conditions import Facts
from gatewatch.respond.context import (
    alert_facts,
    change_facts,
    entity_list,
    finding_facts,
    incident_facts,
    now_facts,
)
from gatewatch.respond.rules import Event

__all__ = ["Scene", "Sight", "UnitSight"]

_MOST_ENTITIES = 100


class Sight(Protocol):
    """Where subjects are read: a transaction, or the store."""

    def incident(self, incident_id: int) -> Incident:
        """Raises NotFoundError."""
        ...

    def alert(self, alert_id: str) -> Alert:
        """Raises NotFoundError."""
        ...

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Most recent first."""
        ...

    def finding(self, finding_id: str) -> Finding:
        """Raises NotFoundError."""
        ...


class UnitSight:
    """A transaction as scenes read it."""

    def __init__(self, unit: AutomationUnit) -> None:
        """Findings are read once; rules do not change them."""
        self._unit = unit
        self._findings: dict[str, Finding] = {}

    def prepare(self, findings: Collection[str]) -> None:
        """Read these findings together."""
        self._findings |= self._unit.findings(findings) if findings else {}

    def status_of(self, finding_id: str) -> str:
        """Of a finding that was prepared; '' for one that is no more."""
        found = self._findings.get(finding_id)
        return found.status.value if found is not None else ""

    def incident(self, incident_id: int) -> Incident:
        """Raises NotFoundError."""
        return self._unit.cases.incident(incident_id)

    def alert(self, alert_id: str) -> Alert:
        """Raises NotFoundError."""
        return self._unit.cases.alert(alert_id)

    def entities_of(self, incident: int, limit: int) -> list[Sighting]:
        """Most recent first."""
        return self._unit.cases.entities_of(incident, limit)

    def finding(self, finding_id: str) -> Finding:
        """Raises NotFoundError."""
        if finding_id not in self._findings:
            self.prepare([finding_id])
        if finding_id not in self._findings:
            raise NotFoundError(f"no finding {finding_id}")
        return self._findings[finding_id]


class Scene:
    """What conditions see of one event. Reads only what some condition names."""

    def __init__(self, sight: Sight, event: Event, roots: frozenset[str], at: float) -> None:
        """`roots`: variables that rules name; `at` in Unix seconds."""
        self._sight, self.event, self._roots, self._at = sight, event, roots, at
        self.gone = ""
        """Why there is nothing to run rules on."""
        self.quiet = False
        """A suppression put it aside: nobody is to be bothered."""
        self.incident = 0
        """Number of the incident that it has to do with."""
        self._plain: dict[str, Any] = {}
        self._facts: dict[str, tuple[Facts, Mapping[str, Any]]] = {}
        self.look()

    def look(self) -> None:
        """Read everything again."""
        self._facts.clear()
        self._plain = {}
        try:
            if self.event.about is About.INCIDENT:
                self._see_incident(int(self.event.subject))
            elif self.event.about is About.ALERT:
                self._see_alert()
            elif self.event.about is About.FINDING:
                self._plain["finding"] = finding_facts(self._sight.finding(self.event.subject))
        except NotFoundError as error:
            self.gone = f"{error.message}."
        if self.event.about in (About.INCIDENT, About.FINDING):
            self._plain["changed"] = change_facts(self.event.difference)
        self._plain = msgspec.to_builtins(self._plain)

    def facts(self, zone: str) -> tuple[Facts, Mapping[str, Any]]:
        """For a rule in this time zone: what expressions see, and the same as plain data."""
        if zone not in self._facts:
            plain = {**self._plain, "now": msgspec.to_builtins(now_facts(self._at, zone))}
            self._facts[zone] = Facts(plain), plain
        return self._facts[zone]

    def _see_incident(self, number: int) -> None:
        incident = self._sight.incident(number)
        self.incident = number
        if incident.status is IncidentStatus.REDIRECTED:
            self.gone = f"Incident {number} was merged into {incident.redirect_to}."
        self.quiet = "Suppressed" in incident.system_tags
        self._plain["incident"] = incident_facts(incident)
        if "entities" in self._roots:
            seen = self._sight.entities_of(number, _MOST_ENTITIES)
            self._plain["entities"] = entity_list(((one.kind, one.value) for one in seen), dict(incident.verdicts))

    def _see_alert(self) -> None:
        alert = self._sight.alert(self.event.subject)
        self.incident, self.quiet = alert.incident, bool(alert.suppressed_by)
        self._plain["alert"] = alert_facts(alert)
        if alert.incident and self._roots & {"incident", "entities"}:
            incident = self._sight.incident(alert.incident)
            self._plain["incident"] = incident_facts(incident)
            pairs = [(one.kind.value, one.value) for one in entities_of(alert)]
            self._plain["entities"] = entity_list(pairs, dict(incident.verdicts))
