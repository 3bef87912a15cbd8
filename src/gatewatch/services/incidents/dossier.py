"""Everything that is known of one incident, put together for who works on it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from gatewatch.correlate.chronicle import contained_at
from gatewatch.correlate.entity_graph import draw
from gatewatch.correlate.story import tell
from gatewatch.correlate.timing import timing_of
from gatewatch.correlate.verdicts import verdict_of
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.dossier import Dossier, KnownEntity
from gatewatch.model.incident import Incident, IncidentStatus
from gatewatch.model.inventory import Endpoint
from gatewatch.model.rule import Rule
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.containment import Containments

__all__ = ["Dossiers"]

_MOST_ALERTS, _MOST_ENTITIES, _MOST_SIMILAR = 500, 500, 10


class Dossiers:
    """Read only."""

    def __init__(
        self,
        cases: CaseStore,
        endpoints: Callable[[Collection[str]], Mapping[str, Endpoint]],
        rules: Callable[[], Mapping[str, Rule]],
        containments: Containments,
    ) -> None:
        """`endpoints` by label `METHOD host template`; `rules` by detector id."""
        self._cases, self._endpoints, self._rules = cases, endpoints, rules
        self._containments = containments

    def incident(self, incident_id: int) -> Incident:
        """One incident, also a redirected one. Raises NotFoundError."""
        return self._cases.incident(incident_id)

    def followed(self, incident_id: int) -> Incident:
        """The incident where the alerts of this one are now. Raises NotFoundError."""
        incident = self._cases.incident(incident_id)
        while incident.status is IncidentStatus.REDIRECTED:
            incident = self._cases.incident(incident.redirect_to)
        return incident

    def dossier(self, incident_id: int) -> Dossier:
        """All of it. Raises NotFoundError."""
        incident = self._cases.incident(incident_id)
        alerts = self.alerts(incident_id)
        entities = self.entities(incident, alerts)
        known = {one.entity.value: one.endpoint for one in entities if one.endpoint is not None}
        rules = self._rules()
        return Dossier(
            incident=incident,
            story=tell(incident, alerts),
            graph=draw(incident, alerts, known),
            entities=entities,
            alerts=alerts,
            rules=[rules[name] for name in incident.detectors if name in rules],
            similar=self._cases.similar(incident_id, _MOST_SIMILAR),
            timing=timing_of(incident, contained_at=contained_at(self._containments.of(incident_id))),
        )

    def alerts(self, incident_id: int) -> list[Alert]:
        """In event order, at most 500."""
        return self._cases.alerts_of(incident_id, limit=_MOST_ALERTS)[0]

    def entities(self, incident: Incident, alerts: Sequence[Alert]) -> list[KnownEntity]:
        """Most recent first."""
        seen = self._cases.entities_of(incident.id, _MOST_ENTITIES)
        labels = [one.value for one in seen if one.kind == EntityKind.ENDPOINT]
        known = self._endpoints(labels)
        records = []
        for one in seen:
            entity = Entity(EntityKind(one.kind), one.value)
            attacked = entity.kind is EntityKind.ENDPOINT
            records.append(
                KnownEntity(
                    entity=entity,
                    verdict=None if attacked else verdict_of(entity, incident, alerts),
                    first_seen=one.first_seen,
                    last_seen=one.last_seen,
                    endpoint=known.get(one.value) if attacked else None,
                )
            )
        return records

    def activities(self, incident_id: int) -> list[Activity]:
        """All of them, oldest first."""
        found: list[Activity] = []
        cursor = ""
        while True:
            page, cursor = self._cases.activities(incident=incident_id, cursor=cursor, limit=500)
            found += page
            if not cursor:
                return found[::-1]
