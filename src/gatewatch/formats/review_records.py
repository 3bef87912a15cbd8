"""Reviews and back-tests as plain records."""

from __future__ import annotations

import msgspec

from gatewatch.formats.incident_records import suppression_record
from gatewatch.formats.records import Record, finding_record, rfc3339
from gatewatch.model.backtest import Backtest, JudgedAlert
from gatewatch.model.review import FollowUp, Proposal, Review, ReviewFacts, TrialResult

__all__ = ["backtest_record", "review_record"]


def _moment(ts: float | None) -> str | None:
    return None if ts is None else rfc3339(ts)


def backtest_record(test: Backtest) -> Record:
    """What other settings would have said."""
    plain: Record = msgspec.to_builtins(test)
    times = {name: rfc3339(getattr(test, name)) for name in ("since", "until", "run_at")}
    shown = {name: [_judged(one) for one in getattr(test, name)] for name in ("gained_first", "lost_first")}
    return {**plain, **times, **shown}


def _judged(one: JudgedAlert) -> Record:
    plain: Record = msgspec.to_builtins(one)
    return plain | {name: rfc3339(getattr(one, name)) for name in ("first_seen", "last_seen", "detected_at")}


def review_record(review: Review, digest: str) -> Record:
    """Body of `GET /v1/incidents/{id}/review`."""
    signed = review.sign_off
    return {
        "incident_id": review.incident,
        "root_cause": review.root_cause,
        "impact": review.impact,
        "contributing_factors": list(review.contributing_factors),
        "worked": list(review.worked),
        "failed": list(review.failed),
        "follow_ups": [_follow_up(one) for one in review.follow_ups],
        "proposals": [_proposal(one) for one in review.proposals],
        "facts": _facts(review.facts),
        "digest": digest,
        "sign_off": None
        if signed is None
        else {
            "by": signed.by,
            "at": rfc3339(signed.at),
            "digest": signed.digest,
            "incident_revision": signed.incident_revision,
        },
        "updated_at": _moment(review.updated_at or None),
        "updated_by": review.updated_by or None,
        "revision": review.revision,
    }


def _follow_up(one: FollowUp) -> Record:
    return {
        "id": one.id,
        "title": one.title,
        "owner": one.owner or None,
        "due_at": _moment(one.due_at),
        "done": one.done,
        "done_at": _moment(one.done_at),
    }


def _proposal(one: Proposal) -> Record:
    return {
        "id": one.id,
        "kind": one.kind.value,
        "subject": one.subject,
        "text": one.text,
        "settings": dict(one.settings),
        "suppression": suppression_record(one.suppression) if one.suppression else None,
        "backtest": backtest_record(one.backtest) if one.backtest else None,
        "trial": _trial(one.trial) if one.trial else None,
        "findings": [finding_record(finding) for finding in one.findings],
        "by_rule": one.by_rule,
        "decision": one.decision.value,
    }


def _trial(trial: TrialResult) -> Record:
    plain: Record = msgspec.to_builtins(trial)
    return {**plain, "since": rfc3339(trial.since), "run_at": rfc3339(trial.run_at)}


def _facts(facts: ReviewFacts) -> Record:
    plain: Record = msgspec.to_builtins(facts)
    actions = [
        {**msgspec.to_builtins(one), "at": rfc3339(one.at), "rolled_back_at": _moment(one.rolled_back_at)}
        for one in facts.actions
    ]
    timeline = [{"milestone": one.milestone.value, "at": _moment(one.at), "text": one.text} for one in facts.timeline]
    return {**plain, "computed_at": rfc3339(facts.computed_at), "actions": actions, "timeline": timeline}
