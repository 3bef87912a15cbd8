"""Remediation from evidence, and recovery from minutes of traffic, as tables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gatewatch.model.alert import Severity
from gatewatch.model.containment import Expectation, RecoveryVerdict
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.remediation import (
    SYSTEM_CONFIRMATION,
    Category,
    CompletionMethod,
    Coverage,
    ExceptionScope,
    ExceptionState,
    Justification,
    Priority,
    RemediationActivity,
    RemediationException,
    RemediationStatus,
    RemediationType,
    Target,
)
from gatewatch.respond.recovery import Minute, Watched, recovery_of
from gatewatch.respond.remediating import completed, exempted, exposures, judged_target, progressed
from gatewatch.testing.alerts import NOON

H, U, N, E = FindingStatus.HEALTHY, FindingStatus.UNHEALTHY, FindingStatus.NOT_APPLICABLE, FindingStatus.EXEMPT


def finding(status: FindingStatus = U, endpoint: str = "e1", recommendation: str = "r") -> Finding:
    return Finding(
        id=f"{recommendation}-{endpoint}",
        recommendation=recommendation,
        title="Title",
        severity=Severity.HIGH,
        status=status,
        cause=f"it is {status.value}",
        remediation="Mend it.",
        endpoint_id=endpoint,
        endpoint=f"GET shop/{endpoint}",
        evaluated_at=NOON,
    )


def activity(**changes: Any) -> RemediationActivity:
    made = RemediationActivity(
        id="a",
        title="Mend it",
        requester="ann",
        type=RemediationType.REQUIRE_AUTHENTICATION,
        category=Category.SECURITY_CONFIGURATION,
        priority=Priority.HIGH,
        created_at=NOON,
        changed_at=NOON,
        targeted=3,
    )
    return msgspec.structs.replace(made, **changes)


FIXED, OPEN = (
    Target(endpoint_id="e1", endpoint="GET shop/e1", finding="r-e1", fixed=True),
    Target(endpoint_id="e1", endpoint="GET shop/e1", finding="r-e1"),
)
TARGETS: dict[str, tuple[Target, FindingStatus | None, bool, bool, int]] = {
    # target, finding, living -> fixed, recurrences
    "healthy is fixed": (OPEN, H, True, True, 0),
    "unhealthy stays open": (OPEN, U, True, False, 0),
    "not applicable tells nothing": (OPEN, N, True, False, 0),
    "an exception is no fix": (OPEN, E, True, False, 0),
    "gone is fixed": (OPEN, None, False, True, 0),
    "not judged yet tells nothing": (OPEN, None, True, False, 0),
    "unhealthy again": (FIXED, U, True, False, 1),
    "fixed and healthy": (FIXED, H, True, True, 0),
    "fixed and then gone": (FIXED, None, False, True, 0),
    "fixed and without data": (FIXED, N, True, True, 0),
    "unhealthy again, but excepted": (FIXED, E, True, True, 0),
    "only a person can tell": (msgspec.structs.replace(OPEN, finding=""), None, False, False, 0),
}


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_follows_its_evidence(name: str) -> None:
    target, status, living, fixed, recurrences = TARGETS[name]
    seen = judged_target(target, finding(status) if status else None, living=living, now=NOON + 5)
    assert (seen.fixed, seen.recurrences) == (fixed, recurrences)
    if seen != target:
        assert seen.changed_at == NOON + 5
        assert seen.why


DONE = completed(activity(fixed=3), SYSTEM_CONFIRMATION, NOON)
BY_HAND = completed(activity(fixed=1), "ann", NOON)
PROGRESS: dict[str, tuple[RemediationActivity, int, bool, RemediationStatus, str, int]] = {
    "some are fixed": (activity(), 2, False, RemediationStatus.ACTIVE, "", 0),
    "all are fixed": (activity(), 3, False, RemediationStatus.COMPLETED, SYSTEM_CONFIRMATION, 0),
    "a person has to say so": (
        activity(completion=CompletionMethod.MANUAL, by_person=True),
        3,
        False,
        RemediationStatus.ACTIVE,
        "",
        0,
    ),
    "one came back": (DONE, 2, True, RemediationStatus.ACTIVE, "", 1),
    "completed by hand stays": (BY_HAND, 1, False, RemediationStatus.COMPLETED, "ann", 0),
    "completed by hand, one came back": (BY_HAND, 0, True, RemediationStatus.ACTIVE, "", 1),
    "one came back while it is open": (activity(fixed=2), 1, True, RemediationStatus.ACTIVE, "", 0),
}


@pytest.mark.parametrize("name", PROGRESS)
def test_an_activity_follows_its_targets(name: str) -> None:
    known, fixed, recurred, status, by, reopened = PROGRESS[name]
    new = progressed(known, fixed=fixed, recurred=recurred, now=NOON + 9)
    assert (new.fixed, new.status, new.completed_by, new.reopened) == (fixed, status, by, reopened)
    assert (new.completed_at is None) is (status is RemediationStatus.ACTIVE)


def test_what_a_person_has_to_complete_stays_so_when_it_is_opened_again() -> None:
    by_person = completed(activity(completion=CompletionMethod.MANUAL, by_person=True, fixed=3), "ann", NOON)
    for known, method in ((by_person, CompletionMethod.MANUAL), (BY_HAND, CompletionMethod.AUTOMATIC)):
        assert progressed(known, fixed=0, recurred=True, now=NOON).completion is method


def test_progress_and_overdue() -> None:
    assert activity(fixed=1).progress == pytest.approx(1 / 3)
    assert activity(type=RemediationType.ATTENTION_REQUIRED).progress is None
    assert activity(due_at=NOON).overdue(NOON + 1)
    assert not activity().overdue(NOON + 1)
    assert not msgspec.structs.replace(DONE, due_at=NOON - 9).overdue(NOON)


def exception(number: int, scope: ExceptionScope | None = None, **changes: Any) -> RemediationException:
    made = RemediationException(
        id=f"x{number}",
        recommendation="r",
        scope=scope or ExceptionScope(),
        justification=Justification.RISK_ACCEPTED,
        context="because",
        created_at=NOON,
        created_by="ann",
        expires_at=NOON + 100,
    )
    return msgspec.structs.replace(made, **changes)


EXEMPTED = {
    "nothing": ([], NOON, ["", "", ""]),
    "everywhere": ([exception(1)], NOON, ["x1", "x1", ""]),
    "a collection": ([exception(1, ExceptionScope(collection_id="c2"))], NOON, ["", "x1", ""]),
    "an endpoint": ([exception(1, ExceptionScope(endpoint_id="e1"))], NOON, ["x1", "", ""]),
    "the narrowest": ([exception(1), exception(2, ExceptionScope(endpoint_id="e1"))], NOON, ["x2", "x1", ""]),
    "expired": ([exception(1)], NOON + 100, ["", "", ""]),
    "cancelled": ([exception(1, ended_at=NOON, ended_by="ann")], NOON + 1, ["", "", ""]),
    "of another": ([exception(1, recommendation="s")], NOON, ["", "", ""]),
}


@pytest.mark.parametrize("name", EXEMPTED)
def test_exceptions_exempt_what_is_unhealthy(name: str) -> None:
    given, now, wanted = EXEMPTED[name]
    judged = [finding(endpoint="e1"), finding(endpoint="e2"), finding(H, endpoint="e3")]
    shown = exempted(judged, given, {"e1": "c1", "e2": "c2", "e3": "c2"}.__getitem__, now)
    assert [one.exception for one in shown] == wanted
    assert [one.status is E for one in shown] == [bool(one) for one in wanted]
    assert [one.judged for one in shown] == [U, U, H], "what was judged is not lost"


def test_an_exception_ends_by_itself_or_is_cancelled() -> None:
    one = exception(1)
    assert [one.state(at) for at in (NOON, NOON + 100)] == [ExceptionState.ACTIVE, ExceptionState.EXPIRED]
    assert exception(1, ended_at=NOON, ended_by="ann").state(NOON) is ExceptionState.CANCELLED
    assert exception(1, ended_at=NOON + 100, ended_by=SYSTEM_CONFIRMATION).state(NOON + 200) is ExceptionState.EXPIRED


def test_exposure_before_and_after() -> None:
    control = exception(1, justification=Justification.THIRD_PARTY_CONTROL)
    counts = [("r", U, "", 2), ("r", E, "x1", 3), ("r", E, "x2", 1), ("r", H, "", 9), ("s", E, "x2", 4)]
    found = exposures(counts, {"r": "R", "s": "S", "t": "T"}, {"x1": control, "x2": exception(2)})
    assert [(one.before, one.exempt, one.mitigated, one.after, one.coverage) for one in found] == [
        (6, 4, 3, 2, Coverage.PARTIAL),
        (4, 4, 0, 0, Coverage.FULL),
        (0, 0, 0, 0, Coverage.ACTIVE),
    ]


def minutes(count: int, normal: int, attack: int = 0) -> list[Minute]:
    return [Minute(normal, attack, normal + attack)] * count


BURSTS = [Minute(one, 0, one) for one in (0, 60, 0, 0, 0, 0, 0, 60, 0, 0)]
RECOVERIES: dict[str, tuple[list[Minute], list[Minute], list[Minute], bool, tuple[str, ...], RecoveryVerdict]] = {
    # usual, attacked, after, over, alerts
    "back": (minutes(10, 20), minutes(10, 20, 50), minutes(10, 19), True, (), RecoveryVerdict.RECOVERED),
    "too early": (minutes(10, 20), minutes(10, 20, 50), minutes(3, 20), False, (), RecoveryVerdict.WATCHING),
    "attacked again": (
        minutes(10, 20),
        minutes(10, 20, 50),
        minutes(3, 20, 40),
        False,
        (),
        RecoveryVerdict.STILL_ATTACKED,
    ),
    "alerts say so": (
        minutes(10, 20),
        minutes(10, 0, 50),
        minutes(3, 20),
        False,
        ("a",),
        RecoveryVerdict.STILL_ATTACKED,
    ),
    "the owner of a stolen key again": (
        minutes(10, 20),
        minutes(10, 20, 500),
        minutes(10, 20, 2),
        True,
        (),
        RecoveryVerdict.RECOVERED,
    ),
    "nobody comes back": (minutes(10, 20), minutes(10, 20, 50), minutes(10, 4), True, (), RecoveryVerdict.NOT_BACK),
    "nothing is seen": (minutes(10, 20), minutes(10, 20, 50), minutes(10, 0), True, (), RecoveryVerdict.NO_TRAFFIC),
    "nothing is seen yet": (minutes(10, 20), minutes(10, 0, 50), minutes(2, 0), False, (), RecoveryVerdict.WATCHING),
    "bursts are no proof": (BURSTS, minutes(10, 12, 50), minutes(10, 6), True, (), RecoveryVerdict.RECOVERED),
    "only the attacker was in scope": (
        minutes(10, 0),
        minutes(10, 0, 50),
        [Minute(0, 0, 9)] * 10,
        True,
        (),
        RecoveryVerdict.RECOVERED,
    ),
}


@pytest.mark.parametrize("name", RECOVERIES)
def test_recovery(name: str) -> None:
    usual, attacked, after, over, alerts, verdict = RECOVERIES[name]
    seen = Watched(
        since=NOON,
        until=NOON + 60.0 * len(after),
        over=over,
        usual=usual,
        attacked=attacked,
        after=after,
        alerts=alerts,
    )
    found = recovery_of(seen, Expectation())
    assert found.verdict is verdict
    if found.back is not None:
        assert found.back_low is not None
        assert found.back_high is not None
        assert found.back_low <= found.back_high
