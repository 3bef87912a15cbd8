"""Proposed changes, each with what it would have done to stored alerts."""

from __future__ import annotations

from collections.abc import Iterator

from gatewatch.formats.review.blocks import Block, Column, Facts, Grid, Heading, Paragraph
from gatewatch.formats.review.moments import Moments
from gatewatch.knowledge.durations import lasting
from gatewatch.model.backtest import Backtest
from gatewatch.model.review import Proposal, Review, TrialResult
from gatewatch.model.suppression import Suppression

__all__ = ["proposal_blocks"]

_KINDS = {"detector_setting": "Detector setting", "suppression": "Suppression rule", "posture": "Posture"}


def proposal_blocks(review: Review, moments: Moments) -> Iterator[Block]:
    """One after the other."""
    yield Heading(level=2, text="Proposed changes")
    if not review.proposals:
        yield Paragraph(text="No change is proposed.", quiet=True)
    for number, proposal in enumerate(review.proposals, start=1):
        origin = "proposed by rule" if proposal.by_rule else "proposed by a person"
        yield Heading(level=3, text=f"{number}. {_KINDS[proposal.kind.value]}: {proposal.subject}")
        yield Paragraph(text=proposal.text)
        yield Paragraph(text=f"Decision: {proposal.decision.value}; {origin}.", quiet=True)
        yield from _evidence(proposal, moments)


def _evidence(proposal: Proposal, moments: Moments) -> Iterator[Block]:
    if proposal.backtest is not None:
        yield _backtest(proposal.backtest, moments)
    if proposal.trial is not None:
        rule = proposal.suppression
        yield Facts(rows=(*(_conditions(rule) if rule else ()), *_trial(proposal.trial, moments)))
    if proposal.findings:
        yield Grid(
            columns=(
                Column(title="Severity", share=0.15, kind="severity"),
                Column(title="Attacked endpoint", share=0.41, kind="code"),
                Column(title="Why it fails", share=0.44),
            ),
            rows=tuple((one.severity.value, one.endpoint, one.cause) for one in proposal.findings),
        )


def _backtest(test: Backtest, moments: Moments) -> Facts:
    settings = ", ".join(f"{name}: {test.current[name]} to {value}" for name, value in test.settings.items())
    verdicts = ", ".join(
        f"{one.classification.value.replace('_', ' ')} {one.before} to {one.after}" for one in test.verdicts
    )
    gone = test.stored - test.reproduced
    rows = [
        ("Settings", settings, ""),
        ("Tested on", f"{moments.full(test.since)} to {moments.full(test.until)}", "stored traffic"),
        ("Alerts", f"{test.stored} to {test.found}: {test.lost} lost, {test.gained} new, {test.unchanged} kept", ""),
        ("By what people concluded", verdicts or "none", "before to after"),
        ("Alerts per day", f"{test.alerts_per_day_before:.1f} to {test.alerts_per_day_after:.1f}", ""),
        (
            "Time to detect",
            f"{lasting(test.to_detect_before_s)} to {lasting(test.to_detect_after_s)}",
            "median over the alerts kept",
        ),
        ("Run", moments.full(test.run_at), ""),
    ]
    if gone:
        cause = "their traffic is gone, or settings were changed since"
        rows.append(("Not found again with today's settings", f"{gone} of {test.stored}", cause))
    return Facts(rows=tuple(rows))


def _conditions(rule: Suppression) -> Iterator[tuple[str, str, str]]:
    yield "Alert type", rule.alert_type, ""
    for condition in rule.conditions:
        shown = ", ".join(condition.values[:5])
        more = f" and {len(condition.values) - 5} more" if len(condition.values) > 5 else ""
        yield f"And {condition.field} is one of", shown + more, ""


def _trial(trial: TrialResult, moments: Moments) -> Iterator[tuple[str, str, str]]:
    looked = f"alerts seen since {moments.full(trial.since)}"
    yield "Would have dismissed", f"{trial.dismissed} of {trial.looked_at}", looked
    yield "Of these high severity", str(trial.high), ""
    yield "Of these called real by people", str(trial.true), "among the 50 newest"
    if trial.bounded:
        yield "Bounded", "yes", "there were more alerts than were looked at"
    yield "Run", moments.full(trial.run_at), ""
