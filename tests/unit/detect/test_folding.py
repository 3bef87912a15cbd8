"""Detections become alerts: once per episode, no window twice."""

from __future__ import annotations

import msgspec

from gatewatch.detect.folding import DEFAULT_GAP_S, fold
from gatewatch.model.alert import AlertStatus, Detection, Explanation, OwaspApi, Severity, Tactic


def detection(
    window: float, *, first: float = 1, last: float = 200, count: int = 5, severity: Severity = Severity.LOW
) -> Detection:
    return Detection(
        detector="d", key="k", alert_type="T", title="t", severity=severity, tactic=Tactic.DISCOVERY, owasp=OwaspApi.NONE,
        first_seen=window + first, last_seen=window + last, detected_at=window + first, actors=(), client_ips=("192.0.2.1",),
        endpoints=(), count=count, explanation=Explanation(sentence=f"{count} at {window}"), window_start=window,
    )  # fmt: skip


def test_the_same_window_judged_again_replaces_its_count() -> None:
    (alert,) = fold(None, [detection(0, count=5)])
    (again,) = fold(alert, [detection(0, count=8)])
    assert (again.id, again.count, again.revision) == (alert.id, 8, 2)
    assert fold(again, [detection(0, count=8)]) == []


def test_windows_add_up() -> None:
    (alert,) = fold(None, [detection(300), detection(0), detection(600)])
    assert (alert.count, alert.first_seen, alert.last_seen) == (15, 1, 800)


def test_a_gap_opens_a_new_episode_with_an_id_of_its_own() -> None:
    first, second = fold(None, [detection(0), detection(DEFAULT_GAP_S + 900)])
    assert first.id != second.id
    assert (first.count, second.count) == (5, 5)


def test_what_recurs_after_resolution_is_a_new_alert_and_the_overlap_does_not_reopen() -> None:
    (alert,) = fold(None, [detection(0)])
    resolved = msgspec.structs.replace(alert, status=AlertStatus.RESOLVED, updated_at=250.0)
    assert fold(resolved, [detection(0)]) == []
    (new,) = fold(resolved, [detection(0), detection(300)])
    assert (new.id != alert.id, new.status, new.count) == (True, AlertStatus.NEW, 5)
    assert fold(new, [detection(0)]) == []


def test_a_dismissed_alert_goes_on_counting_quietly() -> None:
    (alert,) = fold(None, [detection(0)])
    dismissed = msgspec.structs.replace(alert, status=AlertStatus.DISMISSED, updated_at=250.0)
    (same,) = fold(dismissed, [detection(300)])
    assert (same.id, same.status, same.count) == (alert.id, AlertStatus.DISMISSED, 10)


def test_the_gravest_window_speaks() -> None:
    (alert,) = fold(None, [detection(0, severity=Severity.HIGH, count=7), detection(300)])
    assert (alert.severity, alert.explanation.sentence) == (Severity.HIGH, "7 at 0")


def test_long_episodes_keep_their_count_when_windows_settle() -> None:
    (alert,) = fold(None, [detection(300.0 * n, count=1) for n in range(500)])
    assert alert.count == 500
    assert len(alert.windows) < 500
    (more,) = fold(alert, [detection(300.0 * 499, count=4)])
    assert more.count == 503
