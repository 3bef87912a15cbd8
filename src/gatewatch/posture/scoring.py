"""The secure score from what was judged (reference/microsoft.md 11.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.score import OVERALL, CollectionScore, ControlScore, Judgement, SecureScore, percentage
from gatewatch.posture.controls import BEST_PRACTICES, CONTROLS
from gatewatch.posture.recommendation import Recommendation

__all__ = [
    "STEP",
    "Tally",
    "controls_of",
    "judgements",
    "moved",
    "score_collections",
    "score_controls",
    "tally",
    "weighted",
]

STEP = 0.01
"""The least change that is told: percent of the whole, points of a control."""
_ROUNDING = 1e-9

Tally = Mapping[str, Mapping[str, FindingStatus]]
"""Control -> endpoint id -> status over all recommendations of the control."""


def controls_of(recommendations: Iterable[Recommendation]) -> dict[str, str]:
    """Control of each recommendation by id; one that names an unknown control adds nothing to the score."""
    named = {one.meta.id: one.meta.control for one in recommendations}
    return {name: control if control in CONTROLS else BEST_PRACTICES for name, control in named.items()}


def judgements(findings: Iterable[Finding]) -> list[Judgement]:
    """Of findings what counts."""
    return [Judgement(one.endpoint_id, one.recommendation, one.status) for one in findings]


def tally(judged: Iterable[Judgement], controls: Mapping[str, str]) -> Tally:
    """What each endpoint is in each control: unhealthy as soon as one recommendation finds it so.

    Judgements of recommendations that are no more do not count; what is exempt is as if it were not applicable.
    """
    found: dict[str, dict[str, FindingStatus]] = {}
    for one in judged:
        control = controls.get(one.recommendation)
        if control is None:
            continue
        statuses = found.setdefault(control, {})
        known = statuses.get(one.endpoint_id, FindingStatus.NOT_APPLICABLE)
        status = FindingStatus.NOT_APPLICABLE if one.status is FindingStatus.EXEMPT else one.status
        if status is FindingStatus.UNHEALTHY or known is FindingStatus.NOT_APPLICABLE:
            statuses[one.endpoint_id] = status
    return found


def score_controls(counted: Tally, controls: Mapping[str, str]) -> tuple[ControlScore, ...]:
    """Controls with something to judge, most points to gain first."""
    found = []
    for name, statuses in counted.items():
        healthy, unhealthy = _counts(statuses.values())
        if healthy + unhealthy:
            score = ControlScore(
                control=name,
                title=CONTROLS[name].title,
                recommendations=tuple(sorted(one for one, control in controls.items() if control == name)),
                max=CONTROLS[name].points,
                healthy=healthy,
                unhealthy=unhealthy,
                not_applicable=len(statuses) - healthy - unhealthy,
            )
            found.append(score)
    return tuple(sorted(found, key=lambda one: (-one.potential_increase, -one.max, one.control)))


def score_collections(counted: Tally, place: Mapping[str, str]) -> list[CollectionScore]:
    """The score of each collection alone, by id; `place`: endpoint id -> collection id, of those that count."""
    counts: dict[str, dict[str, list[int]]] = {}
    for control, statuses in counted.items():
        for endpoint, status in statuses.items():
            if status is not FindingStatus.NOT_APPLICABLE and endpoint in place:
                pair = counts.setdefault(place[endpoint], {}).setdefault(control, [0, 0])
                pair[status is FindingStatus.UNHEALTHY] += 1
    return [_collection(name, counts[name]) for name in sorted(counts)]


def _collection(name: str, counts: Mapping[str, Sequence[int]]) -> CollectionScore:
    return CollectionScore(
        collection_id=name,
        current=sum(CONTROLS[control].points * pair[0] / sum(pair) for control, pair in counts.items()),
        max=sum(CONTROLS[control].points for control in counts),
        healthy=sum(pair[0] for pair in counts.values()),
        unhealthy=sum(pair[1] for pair in counts.values()),
    )


def weighted(collections: Iterable[CollectionScore]) -> float | None:
    """Several scores as one, 0 to 100: the sum of score times weight by the sum of weights; None without points."""
    scored = [(percentage(one.current, one.max), one.weight) for one in collections]
    counted = [(score, weight) for score, weight in scored if score is not None]
    return sum(score * weight for score, weight in counted) / sum(w for _, w in counted) if counted else None


def moved(before: SecureScore | None, now: SecureScore) -> tuple[SecureScore, tuple[str, ...]]:
    """`now` with what is told of it, and what has to be told: OVERALL and names of controls.

    A control that went away, or came, is told with the whole.
    """
    told = dict(before.told) if before is not None else {}
    values = {control.control: control.current for control in now.controls}
    if now.percentage is not None:
        values[OVERALL] = now.percentage
    changed = {name for name, value in values.items() if name not in told or _apart(told[name], value)}
    gone = told.keys() - values.keys()
    if gone or changed - told.keys():
        changed.add(OVERALL)
    kept = {name: values[name] if name in changed else told[name] for name in values}
    named = tuple(sorted(changed, key=lambda name: (name != OVERALL, name)))
    return msgspec.structs.replace(now, told=kept), named


def _apart(before: float, now: float) -> bool:
    return abs(now - before) >= STEP - _ROUNDING


def _counts(statuses: Iterable[FindingStatus]) -> tuple[int, int]:
    found = list(statuses)
    return found.count(FindingStatus.HEALTHY), found.count(FindingStatus.UNHEALTHY)
