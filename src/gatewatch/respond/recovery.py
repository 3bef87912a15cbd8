"""Whether normal use is back after a containment, and the attack is not: minutes of traffic to a verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from gatewatch.model.containment import Expectation, Recovery, RecoveryVerdict

__all__ = ["Minute", "Watched", "recovery_of"]

_Z = 1.96
_FEWEST_ATTACKS = 5
"""Calls of attackers that get through, below which nothing is said about the attack."""
_BACK = 0.8
"""Normal use is not back when it is surely below this share of what it was."""


class Minute(msgspec.Struct, frozen=True):
    """Calls of one minute."""

    normal: int
    """Of others, in scope, that got through."""
    attack: int
    """Of attackers, in scope, that got through."""
    calls: int
    """Everything that was seen."""


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared; times in Unix seconds."""

    since: float
    """When the containment was gone."""
    until: float
    over: bool
    """Whether it has been watched long enough."""
    usual: Sequence[Minute]
    """Before the attack."""
    attacked: Sequence[Minute]
    """Before the containment."""
    after: Sequence[Minute]
    alerts: tuple[str, ...] = ()
    """Alerts about the attackers since."""


def recovery_of(seen: Watched, expects: Expectation) -> Recovery:
    """The attack is said as soon as it is sure, everything else when the time is over."""
    after_s = max(0.0, seen.until - seen.since)
    normal = [one.normal for one in seen.usual]
    before, after = sum(normal), sum(one.normal for one in seen.after)
    attack_before, attack_after = sum(one.attack for one in seen.attacked), sum(one.attack for one in seen.after)
    back, low, high = _ratio(after, after_s, before, 60.0 * len(normal), _unevenness(normal))
    share, share_low, _ = _ratio(attack_after, after_s, attack_before, 60.0 * len(seen.attacked), 1.0)
    found = Recovery(
        at=seen.until,
        since=seen.since,
        before_s=60.0 * len(normal),
        after_s=after_s,
        normal_before=before,
        normal_after=after,
        back=back,
        back_low=low,
        back_high=high,
        attack_before=attack_before,
        attack_after=attack_after,
        attack_share=share,
        attack_low=share_low,
        calls_after=sum(one.calls for one in seen.after),
        alerts=seen.alerts,
    )
    return msgspec.structs.replace(found, verdict=_verdict(found, expects, over=seen.over))


def _verdict(found: Recovery, expects: Expectation, *, over: bool) -> RecoveryVerdict:
    returned = found.attack_after >= _FEWEST_ATTACKS and (found.attack_low or 0.0) > 1 - expects.attack_falls_by
    if returned or found.alerts:
        return RecoveryVerdict.STILL_ATTACKED
    if not over:
        return RecoveryVerdict.WATCHING
    if not found.calls_after:
        return RecoveryVerdict.NO_TRAFFIC
    if found.back_high is not None and found.back_high < _BACK:
        return RecoveryVerdict.NOT_BACK
    return RecoveryVerdict.RECOVERED


def _ratio(
    after: int, after_s: float, before: int, before_s: float, unevenness: float
) -> tuple[float | None, float | None, float | None]:
    """(rate after as a share of the rate before, 95 % interval); None when there is nothing to compare with."""
    if not before or not after_s or not before_s:
        return None, None, None
    # Half a call more on both sides: an interval also where nothing is left.
    centre = math.log(((after + 0.5) / after_s) / ((before + 0.5) / before_s))
    spread = _Z * math.sqrt(unevenness * (1 / (after + 0.5) + 1 / (before + 0.5)))
    return (after / after_s) / (before / before_s), math.exp(centre - spread), math.exp(centre + spread)


def _unevenness(minutes: Sequence[int]) -> float:
    """Variance of the minutes by their mean: people come in bursts, so that plain counting would be too sure."""
    if len(minutes) < 2 or not sum(minutes):
        return 1.0
    mean = sum(minutes) / len(minutes)
    return max(1.0, sum((one - mean) ** 2 for one in minutes) / (len(minutes) - 1) / mean)
