"""A small search over a detector's numbers: what keeps the real alerts of a stretch and drops the false ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from gatewatch.detect.detector import Detector
from gatewatch.detect.planning import Span
from gatewatch.detect.settings import SettingField, SettingValue, fields
from gatewatch.model.alert import Alert
from gatewatch.model.verdict import Classification
from gatewatch.services.backtesting import Backtesting, covered

__all__ = ["Tried", "better_setting"]

_FACTORS = (1.5, 2.0, 3.0, 5.0)
"""Small steps first: of settings that do equally well the nearest is taken."""
_SHARES = (0.1, 0.2, 0.3)
"""Steps of a setting that is a share of 1."""
_MOST_RUNS = 40
"""A run costs tens to hundreds of milliseconds."""
_REAL = (Classification.TRUE_POSITIVE, Classification.EXPECTED)


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """One setting that would have done better."""

    settings: dict[str, SettingValue]
    false_dropped: int
    real_kept: int


def better_setting(backtesting: Backtesting, detector_id: str, *, since: float, until: float) -> Tried | None:
    """The single change that drops most false alerts of the stretch and no real one; None when there is none.

    Alerts that nobody classified count neither way, and every number of the detector is tried by itself.
    """
    alerts = backtesting.stored(detector_id, since=since, until=until)
    false = [alert for alert in alerts if alert.classification is Classification.FALSE_POSITIVE]
    real = [alert for alert in alerts if alert.classification in _REAL]
    best: Tried | None = None
    if not false:
        return None
    for settings in list(_candidates(backtesting.detector(detector_id)))[:_MOST_RUNS]:
        found = backtesting.judged(detector_id, settings, Span(start=since, end=until))
        dropped = len(false) - len(covered(false, found))
        if dropped and _keeps(real, found) and (best is None or dropped > best.false_dropped):
            best = Tried(settings=dict(settings), false_dropped=dropped, real_kept=len(real))
        if best is not None and best.false_dropped == len(false):
            return best
    return best


def _keeps(real: Sequence[Alert], found: Sequence[Alert]) -> bool:
    return len(covered(real, found)) == len(real)


def _candidates(detector: Detector) -> Iterator[dict[str, SettingValue]]:
    """Nearest values first, over all numbers of the detector but the length of its history."""
    numbers = [one for one in fields(detector.settings) if one.type in ("int", "float") and one.unit != "days"]
    values = msgspec.structs.asdict(detector.values)
    for step in range(len(_FACTORS)):
        for field in numbers:
            for value in _moved(field, values[field.name], step):
                yield {field.name: value}


def _moved(field: SettingField, value: SettingValue, step: int) -> list[SettingValue]:
    """Up and down by the n-th step, within the range."""
    assert isinstance(value, int | float)
    if field.unit == "share":
        ways = [value + _SHARES[step], value - _SHARES[step]] if step < len(_SHARES) else []
    else:
        ways = [value * _FACTORS[step], value / _FACTORS[step]]
    kept: list[SettingValue] = []
    for way in ways:
        rounded: float = round(way) if field.type == "int" else round(way, 4)
        low, high = field.minimum, field.maximum
        if rounded != value and (low is None or rounded >= low) and (high is None or rounded <= high):
            kept.append(rounded)
    return kept
