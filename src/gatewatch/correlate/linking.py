"""How strongly an alert belongs to an incident, and why: weighed reasons, each with its subject.

Every reason is a belief between 0 and 1; together they are 1 - (1 - a)(1 - b)..., so that weak reasons add up
and none decides twice. What many share says little: an address behind which many actors stand, an endpoint or a network
that many incidents name. Measured in benchmarks/results/correlation_quality.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from gatewatch.correlate.entities import NETWORK, PRACTICE, RULE, network_of
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
_BURST_S, _SWARM, _STANDS_OUT = 600.0, 5, 5
"""A campaign: so many incidents with one practice in ten minutes, and so many times what the hour before had."""
_COLD_SWARM = 15
"""The same while nobody knows yet what is usual here."""
_PAUSE, _LEAST_PAUSE_S = 5.0, 60.0
"""A campaign is over after a pause of so many times what lay between its alerts."""
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
    alert: Alert,
    meetings: Sequence[Meeting],
    incidents: Mapping[int, Incident],
    crowds: Mapping[str, int],
    *,
    history_s: float,
) -> list[Match]:
    """Incidents by belief, highest first.

    `crowds`: address -> actors usually seen behind it; `history_s`: event time for which alerts have been known.
    """
    met: dict[int, list[Meeting]] = {}
    for meeting in meetings:
        met.setdefault(meeting.incident, []).append(meeting)
    found = [_match(alert, incidents[number], group, crowds, None) for number, group in met.items()]
    if all(match.belief < JOIN for match in found):
        # What its own ties place belongs there, however many do the same at the same time.
        campaign = _campaign(meetings, incidents, _SWARM if history_s > _HOUR else _COLD_SWARM)
        found = [_match(alert, incidents[number], group, crowds, campaign.get(number)) for number, group in met.items()]
    return sorted(found, key=lambda match: (-match.belief, match.incident))


def _match(
    alert: Alert, incident: Incident, group: Sequence[Meeting], crowds: Mapping[str, int], campaign: Link | None
) -> Match:
    # A network that holds a shared address says nothing more.
    told = {network_of(meeting.value) for meeting in group if meeting.kind == EntityKind.ADDRESS}
    fresh = [meeting for meeting in group if meeting.kind != NETWORK or meeting.value not in told]
    links = _strongest_target([link for meeting in fresh if (link := _shared(meeting, crowds)) is not None])
    gap = min(meeting.gap_s for meeting in group)
    if links and gap <= WINDOW_S:
        links += _circumstances(alert, incident, group, gap)
    if campaign is not None:
        links.append(campaign)
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


def _strongest_target(links: Sequence[Link]) -> list[Link]:
    """Of the shared endpoints only the one that says most.

    Two scanners that walk the same API share every endpoint; each further one says nothing new. With one, a target and
    its circumstances stay below JOIN: who did it, or from where, has to be shared too.
    """
    targets = [link for link in links if link.reason is CorrelationReason.SAME_TARGET]
    others = [link for link in links if link.reason is not CorrelationReason.SAME_TARGET]
    return others + sorted(targets, key=lambda link: (-link.weight, link.subject))[:1]


def _link(reason: CorrelationReason, meeting: Meeting, weight: float) -> Link:
    return Link(reason=reason, subject=meeting.value, weight=round(weight, 3))


def _circumstances(alert: Alert, incident: Incident, group: Sequence[Meeting], gap: float) -> list[Link]:
    """What counts only beside something shared."""
    links = []
    practice = next((meeting for meeting in group if meeting.kind == PRACTICE and meeting.gap_s <= _HOUR), None)
    who = any(meeting.kind in (EntityKind.ACTOR, EntityKind.ADDRESS) for meeting in group)
    if practice is not None or (who and alert.alert_type in incident.alert_types):
        links.append(Link(reason=CorrelationReason.SIMILAR_TECHNIQUE, subject=alert.alert_type, weight=0.25))
    earlier = [tactic for tactic in incident.tactics if stage(tactic) < stage(alert.tactic)]
    if earlier and alert.first_seen >= incident.first_activity and gap <= 2 * _HOUR:
        before = max(earlier, key=stage)
        subject = f"{before.value} then {alert.tactic.value}"
        links.append(Link(reason=CorrelationReason.EVENT_SEQUENCE, subject=subject, weight=0.25))
    if gap <= _NEAR_S:
        links.append(Link(reason=CorrelationReason.TIME, subject="within 15 minutes", weight=0.1))
    return links


def _campaign(meetings: Sequence[Meeting], incidents: Mapping[int, Incident], least: int) -> dict[int, Link]:
    """Incidents that are one campaign with the alert: a burst of sources that do one thing to one endpoint.

    A burst stands out from the hour before it: where many guess passwords all day, some of them at the same time say
    nothing.
    """
    practices: dict[str, list[Meeting]] = {}
    for meeting in meetings:
        if meeting.kind == PRACTICE:
            practices.setdefault(meeting.value, []).append(meeting)
    found: dict[int, Link] = {}
    for practice, group in practices.items():
        running = [meeting for meeting in group if _goes_on(meeting, practice, incidents[meeting.incident])]
        # An incident with more than this practice has a story of its own.
        lone = [meeting for meeting in group if len(incidents[meeting.incident].alert_types) == 1]
        near = [meeting for meeting in lone if meeting.gap_s <= _BURST_S]
        before = sum(_BURST_S < meeting.gap_s <= _HOUR for meeting in group)
        usual = before * _BURST_S / (_HOUR - _BURST_S)
        members = near if len(near) >= max(least, _STANDS_OUT * usual) else running
        for meeting in members:
            found[meeting.incident] = Link(reason=CorrelationReason.CAMPAIGN, subject=practice, weight=0.85)
    return found


def _goes_on(meeting: Meeting, practice: str, incident: Incident) -> bool:
    if practice not in incident.campaigns:
        return False
    between = (incident.last_activity - incident.first_activity) / max(1, incident.alerts - 1)
    return meeting.gap_s <= min(_BURST_S, max(_LEAST_PAUSE_S, _PAUSE * between))
