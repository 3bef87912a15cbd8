"""Detections into alerts: episodes, deterministic ids, no window counted twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from gatewatch.detect.rows import MOST_EVIDENCE, MOST_NAMES, digest
from gatewatch.model.alert import Alert, AlertStatus, Detection, EvidenceItem, WindowCount
from gatewatch.model.observation import Actor

__all__ = ["DEFAULT_GAP_S", "fold", "group_by_key"]

DEFAULT_GAP_S = 86_400.0
"""Quiet event time after which the same key is a new alert: one working day of an analyst."""
_WINDOWS_KEPT = 96
"""More than any overlap re-judges: 8 hours of 5-minute windows, 4 days of hourly ones."""


def group_by_key(detections: Iterable[Detection]) -> dict[tuple[str, str], list[Detection]]:
    """Detections by (detector, key), what `fold` takes at a time."""
    groups: dict[tuple[str, str], list[Detection]] = {}
    for detection in detections:
        groups.setdefault((detection.detector, detection.key), []).append(detection)
    return groups


def fold(existing: Alert | None, detections: Sequence[Detection], *, gap_s: float = DEFAULT_GAP_S) -> list[Alert]:
    """Alerts to upsert, oldest first: the existing one when it changed, and one per new episode.

    `existing` is the latest alert of the key; all detections have that key. A window judged again replaces its part of
    the count, so the result does not depend on how time was cut into runs. A resolved alert whose condition starts
    again in a window that begins after the resolution opens a new episode; a dismissed one only after the gap. A
    detection that is older than the existing alert's first window and within the gap of it belongs to what is
    already told and is left out.
    """
    current, changed = existing, dict[str, Alert]()
    for detection in sorted(detections, key=lambda d: (d.window_start, d.first_seen)):
        if current is not None and _too_old(current, detection):
            if current.first_seen - detection.last_seen > gap_s:
                earlier = _opened(detection)
                changed[earlier.id] = earlier
            continue
        if current is None or _is_new_episode(current, detection, gap_s):
            current = _opened(detection)
            changed[current.id] = current
            continue
        merged = _merged(current, detection)
        if merged != current:
            current = msgspec.structs.replace(merged, revision=current.revision + 1)
            changed[current.id] = current
    return sorted(changed.values(), key=lambda alert: (alert.first_seen, alert.id))


def _too_old(alert: Alert, detection: Detection) -> bool:
    start = alert.windows[0].start if alert.windows else alert.first_seen
    return detection.window_start < start and detection.last_seen < alert.first_seen


def _is_new_episode(alert: Alert, detection: Detection, gap_s: float) -> bool:
    known = {window.start for window in alert.windows}
    if detection.window_start in known:
        return False
    if alert.status is AlertStatus.RESOLVED and detection.first_seen > alert.updated_at:
        return True
    return detection.first_seen - alert.last_seen > gap_s


def _opened(detection: Detection) -> Alert:
    return Alert(
        id=digest(detection.detector, detection.key, f"{detection.first_seen:.3f}"),
        detector=detection.detector,
        key=detection.key,
        alert_type=detection.alert_type,
        title=detection.title,
        severity=detection.severity,
        tactic=detection.tactic,
        owasp=detection.owasp,
        status=AlertStatus.NEW,
        first_seen=detection.first_seen,
        last_seen=detection.last_seen,
        detected_at=detection.detected_at,
        updated_at=detection.last_seen,
        actors=detection.actors,
        client_ips=detection.client_ips,
        endpoints=detection.endpoints,
        count=detection.count,
        explanation=detection.explanation,
        evidence=detection.evidence,
        windows=(WindowCount(start=detection.window_start, count=detection.count),),
    )


def _merged(alert: Alert, detection: Detection) -> Alert:
    counts = {window.start: window.count for window in alert.windows}
    oldest = min(counts, default=None)
    if oldest is not None and len(counts) >= _WINDOWS_KEPT and detection.window_start < oldest:
        return alert  # settled long ago; its part can no longer be told apart
    settled = alert.count - sum(counts.values())
    counts[detection.window_start] = detection.count
    kept = sorted(counts.items())[-_WINDOWS_KEPT:]
    speaks = detection.severity.rank > alert.severity.rank or (
        detection.severity is alert.severity and (oldest is None or detection.window_start >= max(counts))
    )
    last_seen = max(alert.last_seen, detection.last_seen)
    return msgspec.structs.replace(
        alert,
        severity=max(alert.severity, detection.severity, key=lambda s: s.rank),
        first_seen=min(alert.first_seen, detection.first_seen),
        last_seen=last_seen,
        detected_at=min(alert.detected_at, detection.detected_at),
        updated_at=max(alert.updated_at, last_seen),
        actors=_united_actors(alert.actors, detection.actors),
        client_ips=tuple(sorted({*alert.client_ips, *detection.client_ips})[:MOST_NAMES]),
        endpoints=tuple(sorted({*alert.endpoints, *detection.endpoints})[:MOST_NAMES]),
        count=settled + sum(counts.values()),
        explanation=detection.explanation if speaks else alert.explanation,
        evidence=_united_evidence(alert.evidence, detection.evidence),
        windows=tuple(WindowCount(start=start, count=number) for start, number in kept),
    )


def _united_actors(left: tuple[Actor, ...], right: tuple[Actor, ...]) -> tuple[Actor, ...]:
    return tuple(sorted({*left, *right}, key=lambda actor: (actor.kind, actor.id))[:MOST_NAMES])


def _united_evidence(left: tuple[EvidenceItem, ...], right: tuple[EvidenceItem, ...]) -> tuple[EvidenceItem, ...]:
    items = {item.observation_id: item for item in (*left, *right)}
    return tuple(sorted(items.values(), key=lambda item: (item.ts, item.observation_id))[:MOST_EVIDENCE])
