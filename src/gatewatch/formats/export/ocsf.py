"""OCSF 1.5: Detection Finding, Incident Finding, Compliance Finding, API Activity."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gatewatch.formats.export.format import Context, Format, FormatMeta, Shape
from gatewatch.formats.export.ocsf_alerts import alert_event
from gatewatch.formats.export.ocsf_events import audit_event, finding_event, incident_event, score_event
from gatewatch.formats.records import Record
from gatewatch.model.activity import Activity
from gatewatch.model.alert import Alert
from gatewatch.model.export import ExportItem, ExportKind
from gatewatch.model.incident import Incident
from gatewatch.model.score import ScoreEntry

__all__ = ["Ocsf"]


class Ocsf(Format):
    """Classes 2004, 2005, 2003 and 6003 (reference/traffic-and-gateways.md B6)."""

    meta: ClassVar[FormatMeta] = FormatMeta(
        id="ocsf",
        title="Open Cybersecurity Schema Framework 1.5",
        description=(
            "Alerts as Detection Finding (2004), incidents as Incident Finding (2005), findings and scores as "
            "Compliance Finding (2003), the audit log as API Activity (6003). `metadata.uid` is the event id; "
            "snapshots carry the label `snapshot`."
        ),
        kinds=tuple(ExportKind),
        shape=Shape.JSON,
        content_type="application/json",
        references=("https://schema.ocsf.io/1.5.0/",),
    )

    def render(self, item: ExportItem, context: Context) -> bytes:
        """One event of the class that fits."""
        return msgspec.json.encode(_event(item, context))


def _event(item: ExportItem, context: Context) -> Record:
    match item.value:
        case Alert():
            return alert_event(item, item.value, context)
        case Incident():
            return incident_event(item, item.value, context)
        case Activity():
            return audit_event(item, item.value, context)
        case ScoreEntry():
            return score_event(item, item.value, context)
        case _:
            return finding_event(item, item.value, context)
