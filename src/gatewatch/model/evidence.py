"""What goes into the documents and the evidence bundle of an incident besides its review."""

from __future__ import annotations

import msgspec

from gatewatch.model.activity import ChainedActivity
from gatewatch.model.alert import Alert
from gatewatch.model.dossier import Dossier
from gatewatch.model.review import Review

__all__ = ["CaseFile", "DetectorState"]


class DetectorState(msgspec.Struct, frozen=True, kw_only=True):
    """A detector as it stands when the record is made."""

    id: str
    title: str
    enabled: bool
    settings: dict[str, float | int | bool | str]
    query: str
    """The SQL that decides."""
    query_sha256: str


class CaseFile(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is on record about one incident at one moment."""

    made_at: float
    made_by: str
    software: str
    """Version of Gatewatch."""
    fingerprint: str
    """Of the key that signs bundles here."""
    dossier: Dossier
    alerts: list[Alert]
    """All of them, in event order, as far as `alerts_left_out` says."""
    alerts_left_out: int
    review: Review
    review_digest: str
    activities: list[ChainedActivity]
    """Oldest first."""
    log_number: int
    """Number and digest of the newest entry of the whole audit log."""
    log_digest: str
    detectors: list[DetectorState]
    detector_changes: list[ChainedActivity] = []
    """Entries of the audit log about these detectors' settings."""
