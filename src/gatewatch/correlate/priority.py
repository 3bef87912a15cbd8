"""The 0 to 100 score that says which incident to look at first, with every point explained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gatewatch.correlate.kill_chain import stage, title
from gatewatch.model.alert import Severity, Tactic
from gatewatch.model.incident import Incident, PriorityFactor
from gatewatch.model.inventory import Authentication, Endpoint

__all__ = ["Record", "scored"]

_SEVERITY = {Severity.HIGH: 45.0, Severity.MEDIUM: 28.0, Severity.LOW: 12.0, Severity.INFORMATIONAL: 4.0}
_LATE = (Tactic.COLLECTION, Tactic.EXFILTRATION, Tactic.IMPACT, Tactic.PRIVILEGE_ESCALATION)
_LISTED = "intelligence."
_ENOUGH = 5
"""Verdicts of people on one detector before they count."""
_GROWING = (10, 100, 1000)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What people concluded about alerts of one detector."""

    true: int = 0
    """True positives and expected activity: something was there."""
    false: int = 0


def scored(
    incident: Incident, endpoints: Iterable[Endpoint], records: dict[str, Record], *, compromised: int = 0
) -> Incident:
    """The incident with its score and factors. `endpoints`: those it names, as the inventory knows them."""
    factors = [factor for factor in _factors(incident, list(endpoints), records, compromised) if factor.points]
    total = round(max(0.0, min(100.0, sum(factor.points for factor in factors))))
    return msgspec.structs.replace(incident, priority=total, factors=tuple(factors))


def _factors(
    incident: Incident, endpoints: Sequence[Endpoint], records: dict[str, Record], compromised: int
) -> list[PriorityFactor]:
    severity = incident.severity
    return [
        PriorityFactor(name="severity", points=_SEVERITY[severity], reason=f"Its severity is {severity.value}."),
        _chain(incident),
        _sensitivity(endpoints),
        _exposure(endpoints),
        _intelligence(incident),
        PriorityFactor(
            name="compromise",
            points=15.0 if compromised else 0.0,
            reason=f"{compromised} accounts are likely compromised.",
        ),
        _volume(incident),
        _experience(incident, records),
        PriorityFactor(
            name="recurrence",
            points=min(6.0, 3.0 * incident.reopened),
            reason=f"It came back {incident.reopened} time{'' if incident.reopened == 1 else 's'}.",
        ),
    ]


def _chain(incident: Incident) -> PriorityFactor:
    steps = sorted(set(incident.tactics), key=stage)
    points = min(12.0, 4.0 * (len(steps) - 1)) if steps else 0.0
    late = [tactic for tactic in steps if tactic in _LATE]
    reason = " to ".join(title(tactic) for tactic in steps)
    return PriorityFactor(name="kill chain", points=points + (8.0 if late else 0.0), reason=f"It went from {reason}.")


def _sensitivity(endpoints: Sequence[Endpoint]) -> PriorityFactor:
    types = sorted({fact.type for endpoint in endpoints for fact in endpoint.information_types})
    return PriorityFactor(
        name="data", points=min(12.0, 4.0 * len(types)), reason=f"Its endpoints carry {', '.join(types[:5])}."
    )


def _exposure(endpoints: Sequence[Endpoint]) -> PriorityFactor:
    bare = [endpoint for endpoint in endpoints if endpoint.authentication is Authentication.UNAUTHENTICATED]
    return PriorityFactor(
        name="exposure",
        points=6.0 if bare else 0.0,
        reason=f"{len(bare)} of its {len(endpoints)} endpoints answer without a credential.",
    )


def _intelligence(incident: Incident) -> PriorityFactor:
    listed = any(detector.startswith(_LISTED) for detector in incident.detectors)
    return PriorityFactor(
        name="threat intelligence", points=8.0 if listed else 0.0, reason="An address of it is on a threat list."
    )


def _volume(incident: Incident) -> PriorityFactor:
    points = 2.0 * sum(incident.calls >= size for size in _GROWING)
    return PriorityFactor(name="volume", points=points, reason=f"Its alerts count {incident.calls} calls.")


def _experience(incident: Incident, records: dict[str, Record]) -> PriorityFactor:
    """Detectors that were often wrong here weigh less; only when all of them were."""
    rates = []
    for detector in incident.detectors:
        record = records.get(detector, Record())
        if record.true + record.false < _ENOUGH:
            return PriorityFactor(name="experience", points=0.0, reason="")
        rates.append(record.true / (record.true + record.false))
    best = max(rates, default=1.0)
    return PriorityFactor(
        name="experience",
        points=-30.0 * (1 - best),
        reason=f"Of alerts of its detectors at best {best:.0%} were real so far.",
    )
