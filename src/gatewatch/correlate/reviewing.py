"""The computed part of a review: summary, impact, times, quality of detection, and what only people can say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gatewatch.correlate.chronicle import actions, milestones
from gatewatch.correlate.impact import attacked, impact, information_types
from gatewatch.correlate.kill_chain import title
from gatewatch.correlate.lessons import factors, failed, worked
from gatewatch.correlate.quality import quality
from gatewatch.correlate.verdicts import compromised
from gatewatch.knowledge.durations import lasting
from gatewatch.model.activity import Activity
from gatewatch.model.correlation import EntityKind
from gatewatch.model.dossier import Dossier
from gatewatch.model.finding import Finding
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.review import ActionTaken, Decision, Question, Review, ReviewFacts
from gatewatch.model.verdict import Classification, Determination

__all__ = ["computed", "questions"]


def computed(
    review: Review,
    dossier: Dossier,
    activities: Sequence[Activity],
    containments: Sequence[ActionTaken],
    findings: Sequence[Finding],
    *,
    at: float,
) -> ReviewFacts:
    """`activities` oldest first; `findings` open ones of attacked endpoints. Same input, same facts."""
    detectors = quality(dossier.alerts, dossier.rules)
    taken, left_out = actions(activities, containments)
    return ReviewFacts(
        computed_at=at,
        incident_revision=dossier.incident.revision,
        summary=_summary(review, dossier, taken, containments),
        impact=impact(dossier),
        timeline=milestones(dossier.incident, containments),
        quality=detectors,
        actions=taken,
        actions_left_out=left_out,
        observed_worked=worked(dossier, detectors),
        observed_failed=failed(dossier, detectors, containments),
        observed_factors=factors(dossier, findings),
        questions=questions(review, dossier),
    )


def questions(review: Review, dossier: Dossier) -> tuple[Question, ...]:
    """What nobody has answered; a review with open questions can not be signed."""
    incident, found = dossier.incident, list[Question]()

    def ask(field: str, text: str) -> None:
        found.append(Question(field=field, text=text))

    if incident.classification is Classification.UNKNOWN:
        ask("classification", "Was it real? The incident has no classification.")
    if incident.status is not IncidentStatus.RESOLVED:
        ask("status", "When is it over? The incident is not resolved.")
    if not review.root_cause:
        ask("root_cause", "What was the root cause?")
    if not review.impact:
        ask("impact", "What did it mean for customers and the business?")
    if not review.worked:
        ask("worked", "What worked, in the view of those who responded?")
    if not review.failed:
        ask("failed", "What did not work, in the view of those who responded?")
    for one in review.follow_ups:
        missing = [name for name, given in (("owner", one.owner), ("due date", one.due_at)) if not given]
        if missing and not one.done:
            ask("follow_ups", f"The follow-up “{one.title}” has no {' and no '.join(missing)}.")
    for proposal in review.proposals:
        if proposal.decision is Decision.OPEN:
            ask("proposals", f"Is the proposal for {proposal.subject} accepted or rejected?")
    return tuple(found)


def _summary(
    review: Review, dossier: Dossier, taken: Sequence[ActionTaken], containments: Sequence[ActionTaken]
) -> tuple[str, ...]:
    return (
        _happened(dossier),
        _reached(dossier),
        _detected(dossier),
        _done(dossier, taken, containments),
        _next(review),
    )


def _happened(dossier: Dossier) -> str:
    incident = dossier.incident
    counts = {kind: sum(one.entity.kind is kind for one in dossier.entities) for kind in EntityKind}
    who = _count(counts[EntityKind.ACTOR], "identified actor") if counts[EntityKind.ACTOR] else "Unidentified callers"
    stages = ", ".join(title(tactic).lower() for tactic in incident.tactics) or "no known stage"
    return (
        f"{who} from {_count(counts[EntityKind.ADDRESS], 'address', 'addresses')} made {incident.calls:,} suspicious"
        f" calls against {_count(counts[EntityKind.ENDPOINT], 'endpoint')} within {lasting(dossier.timing.lasted_s)},"
        f" beginning {_moment(incident.first_activity)} ({stages})."
    )


def _reached(dossier: Dossier) -> str:
    endpoints = attacked(dossier)
    types = information_types(endpoints)
    accounts = compromised(dossier.alerts)
    if types:
        handled = f"The attacked endpoints handle {', '.join(types)}"
    elif endpoints:
        handled = "No sensitive data was seen at the attacked endpoints"
    else:
        handled = "The inventory does not know the attacked endpoints"
    taken = (
        f"{_count(accounts, 'account is', 'accounts are')} likely compromised"
        if accounts
        else "no account is known to be compromised"
    )
    return f"{handled}; {taken}."


def _detected(dossier: Dossier) -> str:
    timing = dossier.timing
    taken = (
        f"a person took it {lasting(timing.to_acknowledge_s)} later"
        if timing.to_acknowledge_s is not None
        else "nobody has taken it"
    )
    return (
        f"Detection took {lasting(timing.to_detect_s)} from the first call; the incident was opened"
        f" {_moment(dossier.incident.created_at)} and {taken}."
    )


def _done(dossier: Dossier, taken: Sequence[ActionTaken], containments: Sequence[ActionTaken]) -> str:
    incident = dossier.incident
    contained = (
        f"of which {_count(len(containments), 'was a containment', 'were containments')}"
        if containments
        else "with no containment recorded"
    )
    if incident.resolved_at is not None and incident.status is IncidentStatus.RESOLVED:
        state = f"it was resolved {_moment(incident.resolved_at)}"
    else:
        state = f"it is {incident.status.value.replace('_', ' ')}"
    concluded = {
        Classification.TRUE_POSITIVE: "concluded to be real",
        Classification.EXPECTED: "concluded to be real but allowed",
        Classification.FALSE_POSITIVE: "concluded to be a false alarm",
        Classification.UNKNOWN: "not concluded yet",
    }[incident.classification]
    what = incident.determination
    named = "" if what is Determination.UNKNOWN else f" ({what.value.replace('_', ' ')})"
    return f"{_count(len(taken), 'action is', 'actions are')} on record, {contained}; {state} and {concluded}{named}."


def _next(review: Review) -> str:
    due = [one for one in review.follow_ups if not one.done]
    lacking = sum(not one.owner or one.due_at is None for one in due)
    undecided = sum(one.decision is Decision.OPEN for one in review.proposals)
    if not due and not undecided:
        return "No follow-up is open."
    unowned = f", {lacking} of them without owner or due date" if lacking else ", all with owner and due date"
    parts = [f"{_count(len(due), 'follow-up')} open{unowned}"] if due else []
    parts += [f"{_count(undecided, 'proposed change')} to be decided"] if undecided else []
    return f"Next: {'; '.join(parts)}."


def _count(number: int, word: str, plural: str = "") -> str:
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("on %d %B %Y at %H:%M UTC")
