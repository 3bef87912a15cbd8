"""The review document in order: for who decides, for analysts, for auditors."""

from __future__ import annotations

from collections.abc import Iterator

from gatewatch.formats.review.analysing import analyst_blocks
from gatewatch.formats.review.auditing import auditor_blocks
from gatewatch.formats.review.blocks import Block, Cover, Notice
from gatewatch.formats.review.deciding import deciding_blocks
from gatewatch.formats.review.moments import Moments
from gatewatch.model.evidence import CaseFile

__all__ = ["CLASSIFICATION", "review_blocks"]

CLASSIFICATION = "Confidential"


def review_blocks(case: CaseFile, moments: Moments) -> list[Block]:
    """The whole document. Same input, same blocks."""
    return [_cover(case, moments), *_state(case), *deciding_blocks(case, moments), *_rest(case, moments)]


def _rest(case: CaseFile, moments: Moments) -> Iterator[Block]:
    yield from analyst_blocks(case, moments)
    yield from auditor_blocks(case, moments)


def _cover(case: CaseFile, moments: Moments) -> Cover:
    incident, signed = case.dossier.incident, case.review.sign_off
    conclusion = incident.classification.value.replace("_", " ")
    if incident.determination.value != "unknown":
        conclusion += f" ({incident.determination.value.replace('_', ' ')})"
    return Cover(
        classification=CLASSIFICATION,
        title="Post-incident review",
        subtitle=f"Incident {incident.id}: {incident.name}",
        facts=(
            ("Severity", incident.severity.value),
            ("Priority", f"{incident.priority} of 100"),
            ("Status", incident.status.value.replace("_", " ")),
            ("Conclusion", conclusion),
            ("Owner", incident.assigned_to or "nobody"),
            ("Signed off", f"by {signed.by}, {moments.full(signed.at)}" if signed else "not signed"),
            ("Made", f"{moments.full(case.made_at)} by {case.made_by}"),
        ),
    )


def _state(case: CaseFile) -> Iterator[Block]:
    signed, incident = case.review.sign_off, case.dossier.incident
    if signed is None:
        yield Notice(
            title="Draft: nobody has signed this review.",
            items=tuple(one.text for one in case.review.facts.questions),
        )
    elif signed.incident_revision != incident.revision:
        yield Notice(
            title=(
                f"The incident has changed since the review was signed: revision {signed.incident_revision} was"
                f" signed, it is at {incident.revision} now. Texts and numbers of the review are as signed; story,"
                " alerts and entities are as they are now."
            )
        )
