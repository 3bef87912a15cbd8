"""Remediation from evidence: what is fixed, what has come back, what is complete, what is exempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.remediation import (
    SYSTEM_CONFIRMATION,
    CompletionMethod,
    Exposure,
    RemediationActivity,
    RemediationException,
    RemediationStatus,
    Target,
)

__all__ = ["completed", "exempted", "exposures", "judged_target", "progressed"]

_GONE = "the endpoint is gone from the inventory"


def judged_target(target: Target, finding: Finding | None, *, living: bool, now: float) -> Target:
    """The target after its evidence; itself when that says nothing new.

    Healthy is fixed, and so is an endpoint that is no more. Not applicable tells nothing. Unhealthy again is a
    recurrence, unless an exception holds.
    """
    if not target.finding:
        return target
    if finding is None:
        return target if living or target.fixed else _fixed(target, _GONE, now)
    if finding.status is FindingStatus.HEALTHY and not target.fixed:
        return _fixed(target, finding.cause, now)
    if finding.status is FindingStatus.UNHEALTHY and target.fixed:
        return msgspec.structs.replace(
            target, fixed=False, changed_at=now, recurrences=target.recurrences + 1, why=finding.cause
        )
    return target


def _fixed(target: Target, why: str, now: float) -> Target:
    return msgspec.structs.replace(target, fixed=True, changed_at=now, why=why)


def progressed(activity: RemediationActivity, *, fixed: int, recurred: bool, now: float) -> RemediationActivity:
    """The activity after its targets: completed by the last one that is fixed, opened again by one that recurred.

    What a person completed stays so while targets are not fixed that never were: that was the person's word.
    """
    known = msgspec.structs.replace(activity, fixed=fixed)
    if known.status is RemediationStatus.COMPLETED:
        return _reopened(known, now) if recurred else known
    if not known.by_person and known.targeted and known.fixed == known.targeted:
        return completed(known, SYSTEM_CONFIRMATION, now)
    return known


def completed(activity: RemediationActivity, by: str, now: float) -> RemediationActivity:
    """By SYSTEM_CONFIRMATION or by a person, which makes it a manual one."""
    automatic = by == SYSTEM_CONFIRMATION
    return msgspec.structs.replace(
        activity,
        status=RemediationStatus.COMPLETED,
        changed_at=now,
        completed_at=now,
        completed_by=by,
        completion=CompletionMethod.AUTOMATIC if automatic else CompletionMethod.MANUAL,
    )


def _reopened(activity: RemediationActivity, now: float) -> RemediationActivity:
    return msgspec.structs.replace(
        activity,
        status=RemediationStatus.ACTIVE,
        changed_at=now,
        completed_at=None,
        completed_by="",
        completion=CompletionMethod.MANUAL if activity.by_person else CompletionMethod.AUTOMATIC,
        reopened=activity.reopened + 1,
    )


def exempted(
    findings: Iterable[Finding],
    exceptions: Sequence[RemediationException],
    collection_of: Callable[[str], str],
    now: float,
) -> list[Finding]:
    """Unhealthy findings under an exception as exempt; the others as they are. `collection_of` an endpoint's id."""
    known: dict[tuple[str, str, str], RemediationException] = {}
    for one in exceptions:
        if one.in_force(now):
            known.setdefault((one.recommendation, one.scope.collection_id, one.scope.endpoint_id), one)
    if not known:
        return list(findings)
    return [_under(finding, known, collection_of) for finding in findings]


def _under(
    finding: Finding,
    known: Mapping[tuple[str, str, str], RemediationException],
    collection_of: Callable[[str], str],
) -> Finding:
    if finding.status is not FindingStatus.UNHEALTHY:
        return finding
    places = (("", finding.endpoint_id), (collection_of(finding.endpoint_id), ""), ("", ""))
    for collection, endpoint in places:
        one = known.get((finding.recommendation, collection, endpoint))
        if one is not None:
            return msgspec.structs.replace(finding, status=FindingStatus.EXEMPT, exception=one.id)
    return finding


def exposures(
    counts: Iterable[tuple[str, FindingStatus, str, int]],
    titles: Mapping[str, str],
    exceptions: Mapping[str, RemediationException],
) -> list[Exposure]:
    """By recommendation; `counts` of findings by recommendation, status and exception."""
    found = {name: Exposure(recommendation=name, title=title, before=0, exempt=0) for name, title in titles.items()}
    for name, status, exception, number in counts:
        if status not in (FindingStatus.UNHEALTHY, FindingStatus.EXEMPT):
            continue
        known = found.get(name) or Exposure(recommendation=name, title=name, before=0, exempt=0)
        exempt = number if status is FindingStatus.EXEMPT else 0
        why = exceptions.get(exception)
        found[name] = msgspec.structs.replace(
            known,
            before=known.before + number,
            exempt=known.exempt + exempt,
            mitigated=known.mitigated + (exempt if why is not None and why.justification.lowers_exposure else 0),
        )
    return sorted(found.values(), key=lambda one: one.recommendation)
