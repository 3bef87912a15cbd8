"""Second part: the story with its evidence, who took part, how detection did, the alerts, the log."""

from __future__ import annotations

from collections.abc import Iterator

from gatewatch.formats.review.blocks import Block, Column, Grid, Heading, Items, Paragraph
from gatewatch.formats.review.chart import picture
from gatewatch.formats.review.moments import Moments
from gatewatch.knowledge.durations import lasting
from gatewatch.model.alert import Alert
from gatewatch.model.dossier import KnownEntity, Step
from gatewatch.model.evidence import CaseFile

__all__ = ["analyst_blocks"]

_MOST_ALERTS = 100
"""Microsoft's export has as many evidence items (reference/microsoft.md 7.3)."""
_MOST_STEPS, _MOST_ENTITIES, _MOST_LOG = 60, 100, 300
_MOST_NAMED = 3
_NO_LINK = "nothing: it began this incident, or one that was merged into it"


def analyst_blocks(case: CaseFile, moments: Moments) -> Iterator[Block]:
    """Bounded; the bundle has everything."""
    yield Heading(level=1, text="For analysts")
    yield from _story(case, moments)
    yield from _entities(case, moments)
    yield from _quality(case)
    yield from _alerts(case, moments)
    yield from _log(case, moments)


def _story(case: CaseFile, moments: Moments) -> Iterator[Block]:
    story = case.dossier.story
    yield Heading(level=2, text="Attack story")
    yield Paragraph(text=story.summary)
    yield picture(story, case.review.facts.timeline, moments)
    left = _MOST_STEPS
    for chapter in story.chapters:
        if left <= 0:
            break
        span = f"{moments.full(chapter.first_seen)} to {moments.full(chapter.last_seen)}"
        yield Heading(level=3, text=chapter.title)
        yield Paragraph(text=f"{span}; {len(chapter.steps)} alert{'' if len(chapter.steps) == 1 else 's'}.", quiet=True)
        yield Items(items=tuple(_step(step, moments) for step in chapter.steps[:left]))
        left -= len(chapter.steps)
    missing = sum(len(chapter.steps) for chapter in story.chapters) - _MOST_STEPS + story.left_out
    if missing > 0:
        yield Paragraph(text=f"{missing} more steps are in story.json of the evidence bundle.", quiet=True)


def _step(step: Step, moments: Moments) -> str:
    who = _some(step.actors) or _some(step.addresses) or "unknown"
    where = _some(step.endpoints) or "no known endpoint"
    dismissed = " Dismissed." if step.dismissed else ""
    return (
        f"{moments.full(step.at)}: {step.title}. {step.sentence} By {who}, at {where}; {step.calls:,} calls,"
        f" {len(step.evidence)} kept as evidence.{dismissed}"
    )


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown


def _entities(case: CaseFile, moments: Moments) -> Iterator[Block]:
    entities = case.dossier.entities
    yield Heading(level=2, text="Who took part and what was attacked")
    yield Grid(
        columns=(
            Column(title="Kind", share=0.09),
            Column(title="Entity", share=0.37, kind="code"),
            Column(title="Verdict, or what is known", share=0.28),
            Column(title="Seen", share=0.26),
        ),
        rows=tuple(
            (
                one.entity.kind.value,
                one.entity.value,
                _known(one),
                f"{moments.full(one.first_seen)} to {moments.full(one.last_seen)}",
            )
            for one in entities[:_MOST_ENTITIES]
        ),
    )
    if len(entities) > _MOST_ENTITIES:
        yield Paragraph(text=f"{len(entities) - _MOST_ENTITIES} more are in graph.json of the bundle.", quiet=True)


def _known(one: KnownEntity) -> str:
    if one.verdict is not None:
        return one.verdict.value
    if one.endpoint is None:
        return "not in the inventory"
    types = sorted({fact.type for fact in one.endpoint.information_types})
    return f"{one.endpoint.authentication.value}" + (f"; handles {', '.join(types)}" if types else "")


def _quality(case: CaseFile) -> Iterator[Block]:
    yield Heading(level=2, text="Detection quality")
    yield Grid(
        columns=(
            Column(title="Detector", share=0.34),
            Column(title="Alerts", share=0.08, kind="number"),
            Column(title="Real", share=0.08, kind="number"),
            Column(title="Expected", share=0.1, kind="number"),
            Column(title="False", share=0.08, kind="number"),
            Column(title="Not said", share=0.1, kind="number"),
            Column(title="Time to detect (median)", share=0.22),
        ),
        rows=tuple(
            (
                one.title,
                str(one.alerts),
                str(one.true),
                str(one.expected),
                str(one.false),
                str(one.unclassified),
                lasting(one.to_detect_s),
            )
            for one in case.review.facts.quality
        ),
    )
    yield Heading(level=3, text="What these detectors are known to miss")
    yield Items(
        items=tuple(f"{one.title}: {one.known_misses}" for one in case.review.facts.quality if one.known_misses)
    )


def _alerts(case: CaseFile, moments: Moments) -> Iterator[Block]:
    yield Heading(level=2, text="Alerts")
    total = len(case.alerts) + case.alerts_left_out
    if total > _MOST_ALERTS:
        yield Paragraph(text=f"The first {_MOST_ALERTS} of {total}; alerts.ndjson of the bundle has all.", quiet=True)
    yield Grid(
        columns=(
            Column(title="Severity", share=0.15, kind="severity"),
            Column(title="When", share=0.2),
            Column(title="Alert, and why it was raised", share=0.39),
            Column(title="Why it belongs here", share=0.26),
        ),
        rows=tuple(_alert(alert, moments) for alert in case.alerts[:_MOST_ALERTS]),
    )


def _alert(alert: Alert, moments: Moments) -> tuple[str, ...]:
    said = alert.classification.value.replace("_", " ")
    status = alert.status.value.replace("_", " ").capitalize()
    reasons = "; ".join(f"{link.reason.value}: {link.subject}" for link in alert.links) or _NO_LINK
    return (
        alert.severity.value,
        f"{moments.full(alert.first_seen)}, {alert.count:,} calls",
        f"{alert.title} ({alert.id[:12]}). {alert.explanation.sentence} {status}, {said}.",
        reasons,
    )


def _log(case: CaseFile, moments: Moments) -> Iterator[Block]:
    entries = [one.entry for one in case.activities]
    yield Heading(level=2, text="Activity log")
    if len(entries) > _MOST_LOG:
        yield Paragraph(text=f"The newest {_MOST_LOG} of {len(entries)} entries; the bundle has all.", quiet=True)
    yield Grid(
        columns=(
            Column(title="No.", share=0.07, kind="number"),
            Column(title="When", share=0.24),
            Column(title="Who", share=0.14),
            Column(title="What", share=0.55),
        ),
        rows=tuple(
            (
                str(one.number),
                moments.full(one.at),
                f"{one.by} ({one.origin.value})",
                f"{one.subject.value} {one.subject_id[:12]}: {one.action.replace('_', ' ')}. {one.text}",
            )
            for one in entries[-_MOST_LOG:]
        ),
    )
