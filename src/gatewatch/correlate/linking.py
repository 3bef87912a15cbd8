"""How strongly an alert belongs to an incident, and why: weighed reasons, each with its subject.

Every reason is a belief between 0 and 1; together they are 1 - (1 - a)(1 - b)..., so that weak reasons add up
and none decides twice. What many share says little: an address behind which many actors stand, an endpoint or a network
that many incidents name. Measured in benchmarks/results/correlation_quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from gatewatch.correlate.entities import NETWORK, RULE
from gatewatch.correlate.kill_chain import stage
from gatewatch.model.alert import Alert
from gatewatch.model.correlation import CorrelationReason, EntityKind, Link
from gatewatch.model.incident import Incident

__all__ = ["JOIN", "MERGE", "WINDOW_S", "Match", "Meeting", "matches"]

JOIN = 0.7
"""Belief at which an alert joins an incident."""
MERGE = 0.8
"""Belief in both at which an alert makes one incident of two."""
WINDOW_S = 86_400.0
"""Event time between alert and incident beyond which only the same detection recurring links them."""
_HOUR = 3600.0
_NEAR_S = 900.0
_ALONE = 3
"""Actors behind an address that may well be one person."""
_SWARM = 4
"""Incidents on one endpoint with one technique at one time that make it a campaign."""
_MOST_LINKS = 12


class Meeting(msgspec.Struct, frozen=True, kw_only=True):
    """An incident and an alert share this."""

    incident: int
    kind: str
    value: str
    gap_s: float
    """Event time between them; 0 when they overlap."""
    shared_by: int
    """Open incidents that name it."""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """One incident that an alert may belong to."""

    incident: int
    belief: float
    links: tuple[Link, ...]
    """Strongest first."""
    recurs: bool
    """The same detection happened there before."""


def matches(
    alert: Alert, meetings: Sequence[Meeting], incidents: Mapping[int, Incident], crowds: Mapping[str, int]
) -> list[Match]:
    """Incidents by belief, highest first. `crowds`: address -> actors usually seen behind it."""
    met: dict[int, list[Meeting]] = {}
    for meeting in meetings:
        met.setdefault(meeting.incident, []).append(meeting)
    swarms = _swarms(alert, meetings, incidents)
    found = [_match(alert, incidents[number], group, crowds, swarms) for number, group in met.items()]
    return sorted(found, key=lambda match: (-match.belief, match.incident))


def _match(
    alert: Alert, incident: Incident, group: Sequence[Meeting], crowds: Mapping[str, int], swarms: frozenset[int]
) -> Match:
    links = [link for meeting in group if (link := _shared(meeting, crowds)) is not None]
    gap = min(meeting.gap_s for meeting in group)
    if links and gap <= WINDOW_S:
        links += _circumstances(alert, incident, gap)
        if incident.id in swarms:
            links.append(
                Link(reason=CorrelationReason.CAMPAIGN, subject="many sources, one target, one technique", weight=0.75)
            )
    links.sort(key=lambda link: (-link.weight, link.reason, link.subject))
    doubt = math.prod(1 - link.weight for link in links)
    return Match(
        incident=incident.id,
        belief=1 - doubt,
        links=tuple(links[:_MOST_LINKS]),
        recurs=any(link.reason is CorrelationReason.REPEATED_OCCURRENCE for link in links),
    )


def _shared(meeting: Meeting, crowds: Mapping[str, int]) -> Link | None:
    if meeting.kind == RULE:
        return Link(reason=CorrelationReason.REPEATED_OCCURRENCE, subject="the same detection", weight=0.95)
    if meeting.gap_s > WINDOW_S:
        return None
    age = max(0.0, meeting.gap_s - _HOUR) / (WINDOW_S - _HOUR)
    if meeting.kind == EntityKind.ACTOR:
        return _link(CorrelationReason.SAME_ACTOR, meeting, 0.88 - 0.15 * age)
    if meeting.kind == EntityKind.ADDRESS:
        lonely = min(1.0, _ALONE / max(1, crowds.get(meeting.value, 0)))
        return _link(CorrelationReason.SAME_SOURCE, meeting, (0.85 - 0.25 * age) * lonely)
    if meeting.kind == NETWORK and meeting.gap_s <= _HOUR:
        return _link(CorrelationReason.SAME_NETWORK, meeting, 0.4 / max(1, meeting.shared_by - 1))
    if meeting.kind == EntityKind.ENDPOINT and meeting.gap_s <= _HOUR:
        return _link(CorrelationReason.SAME_TARGET, meeting, 0.3 / math.sqrt(max(1, meeting.shared_by)))
    return None


def _link(reason: CorrelationReason, meeting: Meeting, weight: float) -> Link:
    return Link(reason=reason, subject=meeting.value, weight=round(weight, 3))


def _circumstances(alert: Alert, incident: Incident, gap: float) -> list[Link]:
    """What counts only beside something shared."""
    links = []
    if alert.alert_type in incident.alert_types:
        links.append(Link(reason=CorrelationReason.SIMILAR_TECHNIQUE, subject=alert.alert_type, weight=0.25))
    earlier = [tactic for tactic in incident.tactics if stage(tactic) < stage(alert.tactic)]
    if earlier and alert.first_seen >= incident.first_activity and gap <= 2 * _HOUR:
        before = max(earlier, key=stage)
        links.append(
            Link(
                reason=CorrelationReason.EVENT_SEQUENCE,
                subject=f"{before.value} then {alert.tactic.value}",
                weight=0.25,
            )
        )
    if gap <= _NEAR_S:
        links.append(Link(reason=CorrelationReason.TIME, subject="within 15 minutes", weight=0.1))
    return links


def _swarms(alert: Alert, meetings: Sequence[Meeting], incidents: Mapping[int, Incident]) -> frozenset[int]:
    """Incidents that with this alert are many sources doing one thing to one endpoint at one time."""
    near = {
        meeting.incident
        for meeting in meetings
        if meeting.kind == EntityKind.ENDPOINT
        and meeting.gap_s <= _NEAR_S
        and alert.alert_type in incidents[meeting.incident].alert_types
    }
    size = sum(max(1, incidents[number].alerts) for number in near)
    return frozenset(near) if size >= _SWARM else frozenset()
