"""A detector with other settings, run over stored traffic and compared with what it said. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

import msgspec

from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.detect.folding import fold, group_by_key
from gatewatch.detect.planning import Span
from gatewatch.detect.settings import SettingValue
from gatewatch.errors import InputError, NotFoundError
from gatewatch.model.alert import Alert, Detection
from gatewatch.model.backtest import Backtest, JudgedAlert, VerdictChange
from gatewatch.model.verdict import Classification
from gatewatch.ports.control import AlertFilter, ControlStore

__all__ = ["LONGEST_S", "Backtesting", "Judge"]

LONGEST_S = 31 * 86_400.0
"""One query judges a month; raw traffic is kept as long by default."""
_PAGE, _MOST_STORED, _MOST_SHOWN, _MOST_SUBJECTS = 500, 10_000, 50, 5
_DAY_S = 86_400.0

Judge = Callable[[Detector, Span], Sequence[Detection]]
"""`DetectionRun.judge`: what a detector says about a span; read only."""


class Backtesting:
    """Thread-safe; every run reads the stores as they are."""

    def __init__(
        self, judge: Judge, control: ControlStore, now: Callable[[], float], begin: Callable[[], float]
    ) -> None:
        """`now` and `begin`, when stored traffic begins, in Unix seconds."""
        self._judge, self._control, self._now, self._begin = judge, control, now, begin

    def run(self, detector_id: str, settings: Mapping[str, SettingValue], *, since: float, until: float) -> Backtest:
        """Settings that are not given stay as they are; what lies before stored traffic begins is left out.

        Raises NotFoundError for an unknown detector, DefinitionError for settings that can't be, InputError for a
        stretch that is empty or longer than LONGEST_S.
        """
        if not 0 <= since < until or until - since > LONGEST_S:
            most = int(LONGEST_S // _DAY_S)
            raise InputError(
                "that is no stretch of time to test", cure=f"Give since before until, at most {most} days."
            )
        since = min(max(since, self._begin()), until)
        days = max(1.0, (until - since) / _DAY_S)
        current, tried = self._detectors(detector_id, settings)
        stored = self.stored(detector_id, since=since, until=until)
        span = Span(start=since, end=until)
        again, after = self._alerts(current, span), self._alerts(tried, span)
        told = {name: value for name, value in settings.items() if name != "enabled"}
        values = msgspec.structs.asdict(current.values)
        return _compared(
            stored,
            again,
            after,
            Backtest(
                detector=detector_id,
                settings=dict(told),
                current={name: values[name] for name in told},
                since=since,
                until=until,
                run_at=self._now(),
                stored=len(stored),
                reproduced=0,
                found=len(after),
                gained=0,
                lost=0,
                unchanged=0,
                verdicts=(),
                alerts_per_day_before=len(stored) / days,
                alerts_per_day_after=len(after) / days,
                to_detect_before_s=None,
                to_detect_after_s=None,
            ),
        )

    def stored(self, detector_id: str, *, since: float, until: float) -> list[Alert]:
        """Alerts of a detector that touch a stretch, newest first. Raises InputError when they are too many."""
        found: list[Alert] = []
        where, cursor = AlertFilter(detector=(detector_id,), since=since, until=until), ""
        while True:
            page, cursor = self._control.alerts(where, cursor=cursor, limit=_PAGE)
            found += page
            if not cursor:
                return found
            if len(found) >= _MOST_STORED:
                raise InputError(f"more than {_MOST_STORED} alerts to compare with", cure="Test a shorter stretch.")

    def judged(self, detector_id: str, settings: Mapping[str, SettingValue], span: Span) -> list[Alert]:
        """Alerts that a detector with changed settings gives for a span."""
        return self._alerts(self._detectors(detector_id, settings)[1], span)

    def detector(self, detector_id: str) -> Detector:
        """One detector with its settings as they stand. Raises NotFoundError."""
        return self._detectors(detector_id, {})[0]

    def _detectors(self, detector_id: str, settings: Mapping[str, SettingValue]) -> tuple[Detector, Detector]:
        overrides = self._control.detector_settings().get(detector_id, {})
        standing = {name: value for name, value in overrides.items() if name != "enabled"}
        for detector in all_detectors({detector_id: standing}):
            if detector.meta.id == detector_id:
                changed = {name: value for name, value in settings.items() if name != "enabled"}
                return detector, type(detector)({**standing, **changed})
        raise NotFoundError(f"no detector {detector_id}")

    def _alerts(self, detector: Detector, span: Span) -> list[Alert]:
        groups = group_by_key(self._judge(detector, span))
        return [alert for group in groups.values() for alert in fold(None, group)]


def covered(alerts: Sequence[Alert], others: Sequence[Alert]) -> dict[str, Alert]:
    """Ids of alerts -> the one among the others with the same key that touches it in time."""
    by_key: dict[str, list[Alert]] = {}
    for other in others:
        by_key.setdefault(other.key, []).append(other)
    found: dict[str, Alert] = {}
    for alert in alerts:
        for other in by_key.get(alert.key, ()):
            if other.first_seen <= alert.last_seen and alert.first_seen <= other.last_seen:
                found[alert.id] = other
                break
    return found


def _compared(stored: Sequence[Alert], again: Sequence[Alert], after: Sequence[Alert], run: Backtest) -> Backtest:
    kept = covered(stored, after)
    gained = [alert for alert in after if alert.id not in covered(after, stored)]
    lost = [alert for alert in stored if alert.id not in kept]
    starts = {alert.id: min(alert.first_seen, kept[alert.id].first_seen) for alert in stored if alert.id in kept}
    waits = [
        (max(0.0, alert.detected_at - starts[alert.id]), max(0.0, kept[alert.id].detected_at - starts[alert.id]))
        for alert in stored
        if alert.id in kept
    ]
    return msgspec.structs.replace(
        run,
        reproduced=len(covered(stored, again)),
        gained=len(gained),
        lost=len(lost),
        unchanged=len(kept),
        verdicts=_verdicts(stored, kept),
        to_detect_before_s=median(before for before, _ in waits) if waits else None,
        to_detect_after_s=median(later for _, later in waits) if waits else None,
        gained_first=tuple(map(_shown, sorted(gained, key=_order)[:_MOST_SHOWN])),
        lost_first=tuple(map(_shown, sorted(lost, key=_order)[:_MOST_SHOWN])),
    )


def _verdicts(stored: Sequence[Alert], kept: Mapping[str, Alert]) -> tuple[VerdictChange, ...]:
    found = []
    for classification in Classification:
        ids = [alert.id for alert in stored if alert.classification is classification]
        if ids:
            still = sum(one in kept for one in ids)
            found.append(VerdictChange(classification=classification, before=len(ids), after=still))
    return tuple(found)


def _order(alert: Alert) -> tuple[float, str]:
    return alert.first_seen, alert.id


def _shown(alert: Alert) -> JudgedAlert:
    subjects = [f"{actor.kind.value}:{actor.id}" for actor in alert.actors]
    subjects += [address for address in alert.client_ips if f"address:{address}" not in subjects]
    return JudgedAlert(
        id=alert.id,
        title=alert.title,
        first_seen=alert.first_seen,
        last_seen=alert.last_seen,
        detected_at=alert.detected_at,
        subjects=tuple(subjects[:_MOST_SUBJECTS]),
        endpoints=alert.endpoints[:_MOST_SUBJECTS],
        calls=alert.count,
        classification=alert.classification,
    )
