"""First part: what happened, what it meant, what was done, what comes next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gatewatch.formats.review.blocks import Block, Column, Facts, Grid, Heading, Items, Notice, Paragraph
from gatewatch.formats.review.moments import Moments
from gatewatch.formats.review.proposals import proposal_blocks
from gatewatch.knowledge.durations import lasting
from gatewatch.model.evidence import CaseFile
from gatewatch.model.review import Review

__all__ = ["deciding_blocks"]

_MOST_SHOWN_ACTIONS = 40


def deciding_blocks(case: CaseFile, moments: Moments) -> Iterator[Block]:
    """One or two pages when the incident is small."""
    review = case.review
    yield Heading(level=1, text="For decision makers")
    yield Heading(level=2, text="Summary")
    yield Items(items=review.facts.summary, numbered=True)
    yield Heading(level=2, text="Impact")
    yield Facts(rows=tuple((one.label, one.value, one.source) for one in review.facts.impact))
    yield from _said("What it meant for customers and the business", review.impact)
    yield from _cause(review)
    yield from _done(case, moments)
    yield from _lessons(review)
    yield from _next(review, moments)
    yield from proposal_blocks(review, moments)


def _said(title: str, text: str) -> Iterator[Block]:
    yield Heading(level=3, text=title)
    if not text:
        yield Notice(title="Open question: nobody has answered this.")
    for part in text.split("\n\n") if text else ():
        yield Paragraph(text=part)


def _cause(review: Review) -> Iterator[Block]:
    yield Heading(level=2, text="Root cause")
    yield from _said("In the words of who investigated", review.root_cause)
    yield Heading(level=3, text="Contributing factors")
    yield from _both(review.contributing_factors, review.facts.observed_factors)


def _both(people: Sequence[str], data: Sequence[str]) -> Iterator[Block]:
    """What people say and what the data says are never mixed."""
    if people:
        yield Paragraph(text="Said by people:", quiet=True)
        yield Items(items=tuple(people))
    if data:
        yield Paragraph(text="Seen in the data:", quiet=True)
        yield Items(items=tuple(data))
    if not people and not data:
        yield Paragraph(text="None recorded.", quiet=True)


def _done(case: CaseFile, moments: Moments) -> Iterator[Block]:
    facts = case.review.facts
    yield Heading(level=2, text="What was done")
    yield Grid(
        columns=(
            Column(title="Milestone", share=0.24),
            Column(title="When", share=0.42),
            Column(title="After the one before", share=0.34),
        ),
        rows=tuple(_milestones(case, moments)),
    )
    yield Heading(level=3, text="Actions and roll-backs")
    yield Grid(
        columns=(
            Column(title="When", share=0.27),
            Column(title="Who", share=0.13),
            Column(title="What", share=0.4),
            Column(title="Rolled back", share=0.2),
        ),
        rows=tuple(
            (
                moments.full(one.at),
                one.by,
                f"{one.kind}: {one.text}",
                f"{moments.full(one.rolled_back_at)} by {one.rolled_back_by}"
                if one.rolled_back_at is not None
                else ("no" if one.kind == "containment" else "not applicable"),
            )
            for one in facts.actions[:_MOST_SHOWN_ACTIONS]
        ),
        empty="No action is on record.",
    )
    more = len(facts.actions) - _MOST_SHOWN_ACTIONS + facts.actions_left_out
    if more > 0:
        yield Paragraph(text=f"{more} more actions are in the activity log.", quiet=True)


def _milestones(case: CaseFile, moments: Moments) -> Iterator[tuple[str, ...]]:
    last: float | None = None
    for one in case.review.facts.timeline:
        name = one.milestone.value.replace("_", " ").capitalize()
        waited = lasting(one.at - last) if one.at is not None and last is not None and one.at >= last else "-"
        yield name, moments.full(one.at, one.text), waited
        last = one.at if one.at is not None else last


def _lessons(review: Review) -> Iterator[Block]:
    yield Heading(level=2, text="What worked")
    yield from _both(review.worked, review.facts.observed_worked)
    yield Heading(level=2, text="What did not work")
    yield from _both(review.failed, review.facts.observed_failed)


def _next(review: Review, moments: Moments) -> Iterator[Block]:
    yield Heading(level=2, text="What comes next")
    yield Grid(
        columns=(
            Column(title="Follow-up", share=0.5),
            Column(title="Owner", share=0.2),
            Column(title="Due", share=0.15),
            Column(title="State", share=0.15),
        ),
        rows=tuple(
            (
                one.title,
                one.owner or "OPEN",
                moments.day(one.due_at, "OPEN"),
                f"done {moments.day(one.done_at, '')}".strip() if one.done else "to do",
            )
            for one in review.follow_ups
        ),
        empty="No follow-up was planned.",
    )
