"""What leaves Gatewatch for other systems: one thing at one revision, with an id that receivers can tell repeats by."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert, Severity
from gatewatch.model.finding import Finding
from gatewatch.model.incident import Incident
from gatewatch.model.score import ScoreEntry

__all__ = ["ExportItem", "ExportKind", "Exported", "Shape", "export_item"]

Exported = Alert | Incident | Finding | Activity | ScoreEntry


class ExportKind(StrEnum):
    """What a target can ask for."""

    ALERT = "alert"
    INCIDENT = "incident"
    FINDING = "finding"
    AUDIT = "audit"
    SCORE = "score"


class Shape(StrEnum):
    """What one rendered item is."""

    JSON = "json"
    """One JSON object."""
    LINE = "line"
    """One line of text without a line feed."""


class ExportItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as it is now."""

    event_id: str
    """`kind:subject:revision`, and `:2026-W47` behind it in a snapshot. The same state has the same id for ever."""
    kind: ExportKind
    subject: str
    """Id of the alert, incident or finding; number of the activity; `overall` or a control of the score."""
    at: float
    """Unix seconds of the change that led to this revision."""
    value: Exported
    snapshot: str = ""
    """ISO week (`2026-W47`) of the weekly snapshot that it belongs to; '' for a change as it happened."""

    @property
    def severity(self) -> Severity:
        """Of the thing; entries of the audit log and scores are informational."""
        return Severity.INFORMATIONAL if isinstance(self.value, Activity | ScoreEntry) else self.value.severity

    @property
    def status(self) -> str:
        """Of the thing; '' for entries of the audit log and scores."""
        return "" if isinstance(self.value, Activity | ScoreEntry) else self.value.status.value

    @property
    def detectors(self) -> tuple[str, ...] | None:
        """Detectors behind it; None where there can be none."""
        if isinstance(self.value, Alert):
            return (self.value.detector,)
        return self.value.detectors if isinstance(self.value, Incident) else None


def export_item(value: Exported, *, snapshot: str = "") -> ExportItem:
    """The item of a thing. A finding has no revision: the moment it last changed stands for one."""
    kind, subject, revision, at = _facts(value)
    event_id = f"{kind.value}:{subject}:{revision}" + (f":{snapshot}" if snapshot else "")
    return ExportItem(event_id=event_id, kind=kind, subject=subject, at=at, value=value, snapshot=snapshot)


def _facts(value: Exported) -> tuple[ExportKind, str, int, float]:
    match value:
        case Alert():
            return ExportKind.ALERT, value.id, value.revision, value.changed_at or value.updated_at
        case Incident():
            return ExportKind.INCIDENT, str(value.id), value.revision, value.updated_at
        case Finding():
            return ExportKind.FINDING, value.id, round(value.evaluated_at * 1000), value.evaluated_at
        case Activity():
            return ExportKind.AUDIT, str(value.number), 1, value.at
        case ScoreEntry():
            return ExportKind.SCORE, value.name, value.number, value.at
