"""How the detectors did in one incident."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from gatewatch.model.alert import Alert
from gatewatch.model.review import DetectionQuality
from gatewatch.model.rule import Rule
from gatewatch.model.verdict import Classification

__all__ = ["quality"]


def quality(alerts: Sequence[Alert], rules: Sequence[Rule]) -> tuple[DetectionQuality, ...]:
    """One per detector that raised alerts, most alerts first."""
    known = {rule.id: rule for rule in rules}
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        groups.setdefault(alert.detector, []).append(alert)
    return tuple(
        _judged(detector, group, known.get(detector))
        for detector, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    )


def _judged(detector: str, alerts: Sequence[Alert], rule: Rule | None) -> DetectionQuality:
    def said(classification: Classification) -> int:
        return sum(alert.classification is classification for alert in alerts)

    return DetectionQuality(
        detector=detector,
        title=rule.title if rule else alerts[0].title,
        alerts=len(alerts),
        true=said(Classification.TRUE_POSITIVE),
        expected=said(Classification.EXPECTED),
        false=said(Classification.FALSE_POSITIVE),
        unclassified=said(Classification.UNKNOWN),
        to_detect_s=median(max(0.0, alert.detected_at - alert.first_seen) for alert in alerts),
        known_misses=rule.known_misses if rule else "",
    )
