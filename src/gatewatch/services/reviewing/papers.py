"""Puts everything on record about an incident together, and writes it as a document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from hashlib import sha256

import msgspec

from gatewatch.detect.detector import Detector, all_detectors
from gatewatch.formats.evidence import fingerprint
from gatewatch.formats.review import Moments, render_markdown, render_page, render_pdf, review_blocks
from gatewatch.model.activity import Subject
from gatewatch.model.alert import Alert
from gatewatch.model.evidence import CaseFile, DetectorState
from gatewatch.model.review import content_digest
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.control import ControlStore
from gatewatch.ports.signing import Signer
from gatewatch.services.incidents.dossier import Dossiers
from gatewatch.services.reviewing.reviews import Reviews

__all__ = ["PaperFormat", "Papers"]

_MOST_ALERTS, _PAGE = 5000, 500


class PaperFormat(StrEnum):
    """What a document is written as."""

    MARKDOWN = "md"
    HTML = "html"
    PDF = "pdf"


class Papers:
    """Reads only."""

    def __init__(
        self,
        *,
        cases: CaseStore,
        control: ControlStore,
        dossiers: Dossiers,
        reviews: Reviews,
        signer: Signer,
        software: str,
        now: Callable[[], float],
    ) -> None:
        """`software` is this version; `now` in Unix seconds."""
        self._cases, self._control, self._dossiers, self._reviews = cases, control, dossiers, reviews
        self._signer, self._software, self._now = signer, software, now

    def case_file(self, incident_id: int, *, by: str) -> CaseFile:
        """Everything on record. Raises NotFoundError."""
        dossier = self._dossiers.dossier(incident_id)
        review = self._reviews.get(incident_id)
        alerts = self._alerts(incident_id)
        told = [incident_id, *self._cases.merged_into(incident_id)]
        activities, number, digest = self._cases.activity_chain(incidents=told)
        states = self._detectors(dossier.incident.detectors)
        names = [one.id for one in states]
        changes, _, _ = self._cases.activity_chain(subject=Subject.DETECTOR.value, subject_ids=names)
        return CaseFile(
            made_at=self._now(),
            made_by=by,
            software=self._software,
            fingerprint=fingerprint(self._signer.public_key),
            dossier=dossier,
            alerts=alerts,
            alerts_left_out=max(0, dossier.incident.alerts - len(alerts)),
            review=review,
            review_digest=content_digest(review),
            activities=activities,
            log_number=number,
            log_digest=digest,
            detectors=states,
            # The log may have grown between the two readings; what is newer than its head is left to the next bundle.
            detector_changes=[one for one in changes if one.entry.number <= number],
        )

    def document(self, incident_id: int, kind: PaperFormat, *, zone: str, by: str) -> bytes:
        """The review document. Raises NotFoundError; InputError for an unknown time zone."""
        moments = Moments(zone)
        case = self.case_file(incident_id, by=by)
        blocks = review_blocks(case, moments)
        if kind is PaperFormat.MARKDOWN:
            return render_markdown(blocks).encode()
        if kind is PaperFormat.HTML:
            return render_page(blocks).encode()
        title = f"Post-incident review, incident {incident_id}"
        return render_pdf(blocks, title=title, author=f"Gatewatch {self._software}")

    def _alerts(self, incident_id: int) -> list[Alert]:
        found: list[Alert] = []
        cursor = ""
        while True:
            page, cursor = self._cases.alerts_of(incident_id, cursor=cursor, limit=_PAGE)
            found += page
            if not cursor or len(found) >= _MOST_ALERTS:
                return found[:_MOST_ALERTS]

    def _detectors(self, names: Sequence[str]) -> list[DetectorState]:
        stored = self._control.detector_settings()
        overrides = {
            detector: {name: value for name, value in values.items() if name != "enabled"}
            for detector, values in stored.items()
        }
        return [
            _state(one, enabled=stored.get(one.meta.id, {}).get("enabled", True) is not False)
            for one in all_detectors(overrides)
            if one.meta.id in names
        ]


def _state(detector: Detector, *, enabled: bool) -> DetectorState:
    values = msgspec.structs.asdict(detector.values)
    return DetectorState(
        id=detector.meta.id,
        title=detector.meta.title,
        enabled=enabled,
        settings={name: value for name, value in values.items() if name != "enabled"},
        query=detector.query,
        query_sha256=sha256(detector.query.encode()).hexdigest(),
    )
