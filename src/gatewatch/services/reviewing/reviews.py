"""Reviews: drafted by rule, written by people, signed; every change in the audit log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from gatewatch.correlate.reviewing import computed, questions
from gatewatch.errors import ConflictError, InputError, StaleError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.dossier import Dossier
from gatewatch.model.finding import Finding
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.review import FollowUp, Proposal, Review, ReviewFacts, SignOff, content_digest
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.containment import Containments
from gatewatch.services.incidents.dossier import Dossiers
from gatewatch.services.reviewing.proposing import ProposalChange, Proposing

__all__ = ["ReviewChange", "Reviews"]

_MOST_TEXT, _MOST_ITEMS, _MOST_PROPOSALS = 30_000, 100, 20
_TEXTS = ("root_cause", "impact")
_LISTS = ("contributing_factors", "worked", "failed")


class ReviewChange(msgspec.Struct, frozen=True, kw_only=True):
    """What a person says; None leaves it."""

    root_cause: str | None = None
    impact: str | None = None
    contributing_factors: tuple[str, ...] | None = None
    worked: tuple[str, ...] | None = None
    failed: tuple[str, ...] | None = None
    follow_ups: tuple[FollowUp, ...] | None = None
    proposals: tuple[ProposalChange, ...] | None = None


class Reviews:
    """`by` is the name of who asks; `revision` the one that was read, None to change whatever is there."""

    def __init__(
        self,
        cases: CaseStore,
        dossiers: Dossiers,
        proposing: Proposing,
        containments: Containments,
        now: Callable[[], float],
    ) -> None:
        """`now` in Unix seconds."""
        self._cases, self._dossiers, self._proposing = cases, dossiers, proposing
        self._containments, self._now = containments, now

    def get(self, incident_id: int) -> Review:
        """As signed; else with facts of this moment, also when nobody has kept one yet. Raises NotFoundError."""
        kept = self._cases.review(incident_id)
        if kept is not None and kept.sign_off is not None:
            return kept
        return self._current(self._dossiers.dossier(incident_id), kept)

    def draft(self, incident_id: int, *, by: str) -> Review:
        """Proposals by rule with their evidence, follow-ups from tasks and findings; what people wrote stays.

        Raises NotFoundError; ConflictError for an incident that was merged away.
        """
        dossier = self._open(incident_id)
        before = self._cases.review(incident_id)
        base = self._current(dossier, before)
        decided = {one.id: one.decision for one in base.proposals}
        fresh = {
            one.id: msgspec.structs.replace(one, decision=decided.get(one.id, one.decision))
            for one in self._proposing.by_rule(dossier)
        }
        proposals = {one.id: one for one in base.proposals if not one.by_rule or one.id in fresh} | fresh
        follow_ups = {one.id: one for one in _suggested(dossier, self._proposing.findings(dossier))}
        follow_ups |= {one.id: one for one in base.follow_ups}
        new = msgspec.structs.replace(
            base,
            proposals=tuple(proposals.values())[:_MOST_PROPOSALS],
            follow_ups=tuple(follow_ups.values())[:_MOST_ITEMS],
        )
        text = f"{len(fresh)} proposals by rule; {len(new.follow_ups)} follow-ups."
        return self._keep(dossier, before, new, "review_drafted", text, by)

    def put(self, incident_id: int, change: ReviewChange, *, by: str, revision: int | None = None) -> Review:
        """Raises NotFoundError, StaleError, InputError; ConflictError for an incident that was merged away."""
        dossier = self._open(incident_id)
        before = self._cases.review(incident_id)
        _check_revision(incident_id, before.revision if before else 0, revision)
        base = self._current(dossier, before)
        given = {field: getattr(change, field) for field in change.__struct_fields__}
        values = {field: _checked(field, value) for field, value in given.items() if value is not None}
        if change.follow_ups is not None:
            values["follow_ups"] = _still_done(change.follow_ups, base.follow_ups)
        if change.proposals is not None:
            values["proposals"] = self._measured(change.proposals, dossier, base)
        new = msgspec.structs.replace(base, **values)
        fields = [field for field in values if getattr(new, field) != getattr(base, field)]
        if not fields and before is not None:
            return base
        text = f"Written: {', '.join(field.replace('_', ' ') for field in fields) or 'nothing new'}."
        return self._keep(dossier, before, new, "review_changed", text, by)

    def sign_off(self, incident_id: int, *, by: str, revision: int | None = None) -> Review:
        """Freeze it as it is. Raises ConflictError while questions are open, or when it is signed already."""
        dossier = self._open(incident_id)
        before = self._cases.review(incident_id)
        if before is None:
            raise ConflictError("nobody has written this review", cure="Draft it, answer its questions, then sign.")
        if before.sign_off is not None:
            raise ConflictError(f"{before.sign_off.by} has signed it", cure="A change reopens it.")
        _check_revision(incident_id, before.revision, revision)
        open_ = questions(before, dossier)
        if open_:
            raise ConflictError(
                f"{len(open_)} questions are open, the first: {open_[0].text}", cure="Answer them in the review."
            )
        review = self._current(dossier, before)
        digest, at = content_digest(review), self._now()
        signed = msgspec.structs.replace(
            review, sign_off=SignOff(by=by, at=at, digest=digest, incident_revision=dossier.incident.revision)
        )
        return self._keep(dossier, before, signed, "review_signed", f"Signed content {digest}.", by)

    def _open(self, incident_id: int) -> Dossier:
        dossier = self._dossiers.dossier(incident_id)
        if dossier.incident.status is IncidentStatus.REDIRECTED:
            into = dossier.incident.redirect_to
            raise ConflictError(f"incident {incident_id} was merged into {into}", cure=f"Review {into}.")
        return dossier

    def _current(self, dossier: Dossier, kept: Review | None) -> Review:
        """With facts of now and without a signature."""
        number = dossier.incident.id
        empty = ReviewFacts(computed_at=0.0, incident_revision=0)
        review = kept or Review(incident=number, facts=empty, proposals=tuple(self._proposing.postures(dossier)))
        return self._with_facts(msgspec.structs.replace(review, sign_off=None), dossier)

    def _with_facts(self, review: Review, dossier: Dossier) -> Review:
        number = dossier.incident.id
        facts = computed(
            review,
            dossier,
            self._dossiers.activities(number),
            self._containments.of(number),
            self._proposing.findings(dossier),
            at=self._now(),
        )
        return msgspec.structs.replace(review, facts=facts)

    def _measured(self, wanted: Sequence[ProposalChange], dossier: Dossier, base: Review) -> tuple[Proposal, ...]:
        if len({one.id for one in wanted}) != len(wanted) or len(wanted) > _MOST_PROPOSALS:
            raise InputError(f"proposals need different ids, at most {_MOST_PROPOSALS}")
        known = {one.id: one for one in base.proposals}
        return tuple(self._proposing.measured(one, dossier, known.get(one.id)) for one in wanted)

    def _keep(self, dossier: Dossier, before: Review | None, new: Review, action: str, text: str, by: str) -> Review:
        """Write unless somebody else has meanwhile: evidence takes seconds, too long for a transaction."""
        at, number = self._now(), dossier.incident.id
        expected = before.revision if before else 0
        if new.sign_off is None:
            new = self._with_facts(new, dossier)
        new = msgspec.structs.replace(new, revision=expected + 1, updated_at=at, updated_by=by)
        entries = [_entry(number, action, text, by, at)]
        if before is not None and before.sign_off is not None:
            lost = f"The signature of {before.sign_off.by} over {before.sign_off.digest} does not cover the new text."
            entries.insert(0, _entry(number, "review_reopened", lost, by, at))
        with self._cases.unit(at) as unit:
            there = unit.review(number)
            _check_revision(number, there.revision if there else 0, expected)
            if new.sign_off is not None and unit.incident(number).revision != new.sign_off.incident_revision:
                raise StaleError(f"incident {number} has changed meanwhile", cure="Read the review again, then sign.")
            unit.put_review(new)
            unit.record(entries)
        return new


def _suggested(dossier: Dossier, findings: Sequence[Finding]) -> list[FollowUp]:
    """Open tasks go on; every open finding of an attacked endpoint is something to do."""
    tasks = [
        FollowUp(id=f"task-{one.id}"[:64], title=one.title, owner=one.assigned_to, due_at=one.due_at)
        for one in dossier.incident.tasks
        if not one.done
    ]
    return tasks + [
        FollowUp(id=f"finding-{one.id}"[:64], title=f"{one.title}: {one.endpoint}"[:500]) for one in findings
    ]


def _still_done(wanted: Sequence[FollowUp], known: Sequence[FollowUp]) -> tuple[FollowUp, ...]:
    """What was done before was not done now."""
    done = {one.id: one.done_at for one in known if one.done}
    return tuple(
        msgspec.structs.replace(one, done_at=done.get(one.id, one.done_at)) if one.done else one for one in wanted
    )


def _checked(field: str, value: object) -> object:
    if field in _TEXTS:
        text = str(value).strip()
        if len(text) > _MOST_TEXT:
            raise InputError(f"{field} has more than {_MOST_TEXT} characters", cure="Shorten it, or link to the rest.")
        return text
    assert isinstance(value, tuple)
    if len(value) > _MOST_ITEMS:
        raise InputError(f"{field} has more than {_MOST_ITEMS} items")
    if field in _LISTS:
        return tuple(str(item).strip() for item in value if str(item).strip())
    if len({item.id for item in value}) != len(value):
        raise InputError(f"two {field} have the same id")
    return value


def _check_revision(incident_id: int, current: int, wanted: int | None) -> None:
    if wanted is not None and wanted != current:
        raise StaleError(
            f"the review of incident {incident_id} is at revision {current}, not {wanted}",
            cure="Read it again, then decide.",
        )


def _entry(incident: int, action: str, text: str, by: str, at: float) -> Activity:
    return Activity(
        at=at,
        origin=Origin.PERSON,
        by=by,
        subject=Subject.INCIDENT,
        subject_id=str(incident),
        incident=incident,
        action=action,
        text=text,
    )
