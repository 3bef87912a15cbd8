"""Whether a containment did what it promised: counts before and after to shares with intervals, and what follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from gatewatch.model.containment import Containment, ContainmentPlan, Effect, Evidence, Measured, ScopeKind, Verdict

__all__ = ["Counts", "evidence_of", "judged", "measured", "promised_fall"]

_Z = 1.96
_FEWEST_ATTEMPTS = 5
"""Attempts after, below which nothing is said about the attack."""
_SLACK = 1.5
"""Times its rate that a throttle may let through: gateways count in windows, and allow a burst."""
_FEWEST_REFUSED = 10
"""Refused calls of bystanders, below which nothing is said about collateral."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Calls counted from stored traffic."""

    before_s: float
    after_s: float
    attack_s: float
    """Of `before_s`, since the first call of the attack: one that had just begun is no slower for it."""
    attack_before: int
    """In scope, by those the plan is about, that got through."""
    attack_after: int
    attempts_after: int
    """With those that were refused."""
    others_after: int
    """All calls of everybody else, everywhere behind the gateway's sources."""
    refused_before: int
    """In scope, of everybody else, refused."""
    refused_after: int
    shut_out: int = 0
    """Actors: see Measured."""


def measured(counts: Counts, at: float) -> Measured:
    """Rate ratio with a log-normal interval; a share with Wilson's."""
    fell, low, high = _fell(counts)
    usual = counts.refused_before * counts.after_s / counts.before_s if counts.before_s else 0.0
    refused = max(0, round(counts.refused_after - usual))
    share_low, share_high = _wilson(refused, counts.others_after)
    return Measured(
        at=at,
        before_s=counts.before_s,
        after_s=counts.after_s,
        attack_before=counts.attack_before,
        attack_after=counts.attack_after,
        attempts_after=counts.attempts_after,
        fell_by=fell,
        fell_low=low,
        fell_high=high,
        bystander_calls=counts.others_after,
        refused=refused,
        collateral=refused / counts.others_after if counts.others_after else 0.0,
        collateral_low=share_low,
        collateral_high=share_high,
        shut_out=counts.shut_out,
    )


def judged(found: Measured, plan: ContainmentPlan, *, attack_s: float, over: bool) -> Verdict:
    """Collateral is said as soon as it is sure; the effect when the promised time is `over`.

    `attack_s`: how long the attack had lasted before, for its pace.
    """
    expects = plan.expects
    if found.refused >= _FEWEST_REFUSED and found.collateral_low > expects.collateral_at_most:
        return Verdict.COLLATERAL
    if plan.scope.kind.of_caller and found.shut_out > expects.bystanders_at_most:
        return Verdict.COLLATERAL
    if not over:
        return Verdict.MEASURING
    if found.fell_by is None or found.fell_low is None or found.fell_high is None:
        return Verdict.INCONCLUSIVE
    promised = promised_fall(plan, found, attack_s=attack_s)
    if found.fell_high < promised:
        return Verdict.NO_EFFECT if found.attack_after >= _FEWEST_ATTEMPTS else Verdict.INCONCLUSIVE
    # An interval that holds the promise as well as nothing at all says neither.
    surely = found.fell_by >= promised or found.fell_low > 0
    return Verdict.WORKED if surely else Verdict.INCONCLUSIVE


def evidence_of(containments: Iterable[Containment]) -> list[Evidence]:
    """By gateway, effect and kind of scope; of those that were measured."""
    kinds: dict[tuple[str, Effect, ScopeKind], list[Containment]] = {}
    for one in containments:
        if one.measured is not None:
            kinds.setdefault((one.plan.gateway, one.plan.effect, one.plan.scope.kind), []).append(one)
    return [_evidence(*kind, group) for kind, group in sorted(kinds.items())]


def _evidence(gateway: str, effect: Effect, scope: ScopeKind, group: Sequence[Containment]) -> Evidence:
    verdicts: dict[str, int] = {}
    falls, collateral = [], 0.0
    for one in group:
        verdicts[one.verdict.value] = verdicts.get(one.verdict.value, 0) + 1
        if one.measured is not None:
            collateral += one.measured.collateral
            if one.measured.fell_by is not None:
                falls.append(one.measured.fell_by)
    return Evidence(
        gateway=gateway,
        effect=effect,
        scope=scope,
        actions=len(group),
        verdicts=verdicts,
        mean_fall=sum(falls) / len(falls) if falls else None,
        mean_collateral=collateral / len(group),
    )


def promised_fall(plan: ContainmentPlan, found: Measured, *, attack_s: float) -> float:
    """Share by which the attack has to fall: what was expected, of a throttle no more than what it can do."""
    expected = plan.expects.attack_falls_by
    if plan.effect is not Effect.THROTTLE or plan.calls is None:
        return expected
    pace = found.attack_before / attack_s if attack_s else 0.0
    return min(expected, max(0.0, 1 - _SLACK * plan.calls / plan.per_s / pace)) if pace else 0.0


def _fell(counts: Counts) -> tuple[float | None, float | None, float | None]:
    if counts.attack_before == 0 or counts.attempts_after < _FEWEST_ATTEMPTS or not counts.after_s:
        return None, None, None
    before, after = counts.attack_before, counts.attack_after
    ratio = (after / counts.after_s) / (before / counts.attack_s)
    # Half a call more on both sides: an interval also where nothing gets through any more.
    centre = math.log(((after + 0.5) / counts.after_s) / ((before + 0.5) / counts.attack_s))
    spread = _Z * math.sqrt(1 / (after + 0.5) + 1 / (before + 0.5))
    return 1 - ratio, 1 - math.exp(centre + spread), 1 - math.exp(centre - spread)


def _wilson(hits: int, of: int) -> tuple[float, float]:
    if not of:
        return 0.0, 0.0
    share, square = hits / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    spread = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - spread), min(1.0, middle + spread)
