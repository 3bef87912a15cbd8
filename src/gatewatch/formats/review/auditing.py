"""Third part: what the document rests on, who signed what, and how to check it."""

from __future__ import annotations

from collections.abc import Iterator

from gatewatch.formats.review.blocks import Block, Column, Facts, Grid, Heading, Items, Paragraph
from gatewatch.formats.review.moments import Moments
from gatewatch.model.evidence import CaseFile

__all__ = ["auditor_blocks"]

_MOST_PROOFS = 200
_BUNDLE = (
    "This document alone proves nothing. The evidence bundle of the incident holds it beside what it was made from;"
    " its manifest has the SHA-256 of every file and is signed with Ed25519."
)
_COMMAND = (
    "gatewatch evidence verify BUNDLE --key FINGERPRINT checks the signature, every file, the digests of the activity"
    " log and the review's own digest, offline. README.txt in the bundle says how to check without Gatewatch."
)
_TRUST = "Take the fingerprint from the installation itself (GET /v1/signing-key), not from the bundle."
_LIMIT = (
    "The signing key and the audit log are kept by the same installation: what is signed proves that this installation"
    " said it at that time, not that nobody with access to the machine had changed it before."
)
_CHECKS = (_BUNDLE, _COMMAND, _TRUST, _LIMIT)


def auditor_blocks(case: CaseFile, moments: Moments) -> Iterator[Block]:
    """Digests, versions, signatures."""
    yield Heading(level=1, text="For auditors")
    yield Heading(level=2, text="Record")
    yield Facts(rows=tuple(_record(case, moments)))
    yield Heading(level=2, text="How to check this document")
    yield Items(items=_CHECKS)
    yield from _detectors(case)
    yield from _proofs(case, moments)


def _record(case: CaseFile, moments: Moments) -> Iterator[tuple[str, str, str]]:
    review, incident, signed = case.review, case.dossier.incident, case.review.sign_off
    yield "Gatewatch", case.software, "version that made this document"
    yield "Made", f"{moments.full(case.made_at)} by {case.made_by}", ""
    yield "Incident", f"{incident.id}, revision {incident.revision}", ""
    yield "Review", f"revision {review.revision}" if review.revision else "not kept, made for this document", ""
    yield (
        "Facts computed",
        moments.full(review.facts.computed_at),
        f"from incident revision {review.facts.incident_revision}",
    )
    yield "Review digest", case.review_digest, "SHA-256 of its content"
    if signed is None:
        yield "Signed off", "nobody has signed", ""
    else:
        state = "matches the content" if signed.digest == case.review_digest else "DOES NOT MATCH the content"
        yield "Signed off", f"{signed.by}, {moments.full(signed.at)}", f"with a token of that name; {state}"
    yield "Signing key", case.fingerprint, "fingerprint of the installation's key"
    yield "Audit log", f"{len(case.activities)} entries of this incident", "all in activities.ndjson"
    yield "Audit log, newest entry", f"{case.log_number}, digest {case.log_digest or 'none'}", "of the whole log"
    yield "Times", f"UTC{'' if moments.zone == 'UTC' else f', beside it {moments.zone}'}", ""


def _detectors(case: CaseFile) -> Iterator[Block]:
    yield Heading(level=2, text="Detectors as they stand")
    yield Paragraph(
        text="Settings and queries when this document was made; changes since then and before are in the audit log.",
        quiet=True,
    )
    yield Grid(
        columns=(
            Column(title="Detector", share=0.3, kind="code"),
            Column(title="Settings", share=0.4),
            Column(title="SHA-256 of its query", share=0.3, kind="code"),
        ),
        rows=tuple(
            (
                one.id,
                ", ".join(f"{name} {value}" for name, value in one.settings.items() if value != "")
                + ("" if one.enabled else "; switched off"),
                one.query_sha256,
            )
            for one in case.detectors
        ),
    )


def _proofs(case: CaseFile, moments: Moments) -> Iterator[Block]:
    items = [(alert, item) for alert in case.alerts for item in alert.evidence]
    yield Heading(level=2, text="Stored calls that prove the alerts")
    if len(items) > _MOST_PROOFS:
        yield Paragraph(text=f"The first {_MOST_PROOFS} of {len(items)}; the bundle has all.", quiet=True)
    yield Grid(
        columns=(
            Column(title="Call", share=0.22, kind="code"),
            Column(title="When", share=0.24),
            Column(title="Alert", share=0.14, kind="code"),
            Column(title="What", share=0.4),
        ),
        rows=tuple(
            (item.observation_id, moments.full(item.ts), alert.id[:12], item.summary)
            for alert, item in items[:_MOST_PROOFS]
        ),
        empty="No alert has stored calls as evidence.",
    )
