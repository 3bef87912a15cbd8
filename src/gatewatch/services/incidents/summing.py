"""Incidents brought up to what their alerts say: counts, severity, name, priority."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import msgspec

from gatewatch.correlate.priority import Record, scored
from gatewatch.correlate.summing import name_of, summed
from gatewatch.correlate.verdicts import compromised
from gatewatch.model.correlation import EntityKind
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.inventory import Endpoint
from gatewatch.ports.cases import CaseUnit

__all__ = ["Summing"]

_LOOKED_AT = 50
"""Earliest alerts read for the name and for what was compromised."""
_NAMED = 200

Endpoints = Callable[[Collection[str]], Mapping[str, Endpoint]]
"""Labels `METHOD host template` -> what the inventory knows of them."""


class Summing:
    """Used in every transaction that changes an incident's alerts."""

    def __init__(self, endpoints: Endpoints, records: Callable[[], dict[str, Record]]) -> None:
        """`records`: what people concluded about each detector's alerts."""
        self._endpoints, self._records = endpoints, records

    def refresh(self, unit: CaseUnit, numbers: Collection[int], at: float) -> None:
        """Write what has changed of these incidents."""
        totals = unit.totals(numbers)
        records = self._records() if numbers else {}
        for number, known in sorted(unit.incidents(numbers).items()):
            if known.status is IncidentStatus.REDIRECTED:
                continue
            new = _ended(self._named(unit, summed(known, totals[number]), records), at)
            if new != known:
                unit.put_incident(msgspec.structs.replace(new, updated_at=at, revision=known.revision + 1))

    def _named(self, unit: CaseUnit, incident: Incident, records: dict[str, Record]) -> Incident:
        first = unit.alerts_of(incident.id, limit=_LOOKED_AT)
        if not first:
            return incident
        entities = [(one.kind, one.value) for one in unit.entities_of(incident.id, _NAMED)]
        labels = [value for kind, value in entities if kind == EntityKind.ENDPOINT]
        name = incident.name if incident.named else name_of(incident, first, entities)
        renamed = msgspec.structs.replace(incident, name=name)
        found = self._endpoints(labels).values()
        return scored(renamed, found, records, compromised=compromised(first))


def _ended(incident: Incident, at: float) -> Incident:
    """An incident is over when all its alerts are, and not before."""
    if not incident.status.open or incident.open_alerts:
        return incident
    return msgspec.structs.replace(incident, status=IncidentStatus.RESOLVED, resolved_at=at)
