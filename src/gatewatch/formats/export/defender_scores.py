"""Secure scores as Defender for Cloud's REST models."""

from __future__ import annotations

from gatewatch.formats.export.defender_parts import NO_SUBSCRIPTION
from gatewatch.formats.records import Record, rfc3339
from gatewatch.model.export import ExportItem
from gatewatch.model.score import OVERALL, ScoreEntry

__all__ = ["score_resource"]

_SCORES = f"/subscriptions/{NO_SUBSCRIPTION}/providers/Microsoft.Security/secureScores"
_NAME = "gatewatch"


def score_resource(item: ExportItem, entry: ScoreEntry) -> Record:
    """`secureScores` for the whole, `secureScoreControls` for a control (reference/microsoft.md 11.3)."""
    properties: Record = {
        "displayName": entry.title,
        "score": {
            "max": entry.max,
            "current": round(entry.current, 2),
            # Microsoft: a ratio, rounded to four digits.
            "percentage": round((entry.percentage or 0.0) / 100.0, 4),
        },
        "weight": entry.healthy + entry.unhealthy,
        "additionalData": {
            "Gatewatch event id": item.event_id,
            "evaluatedAt": rfc3339(entry.at),
            **({"IsSnapshot": "true"} if item.snapshot else {}),
        },
    }
    if entry.name == OVERALL:
        return {
            "id": f"{_SCORES}/{_NAME}",
            "name": _NAME,
            "type": "Microsoft.Security/secureScores",
            "properties": properties,
        }
    properties |= {
        "healthyResourceCount": entry.healthy,
        "unhealthyResourceCount": entry.unhealthy,
        "notApplicableResourceCount": entry.not_applicable,
        "definition": _definition(entry),
    }
    return {
        "id": f"{_SCORES}/{_NAME}/secureScoreControls/{entry.name}",
        "name": entry.name,
        "type": "Microsoft.Security/secureScores/secureScoreControls",
        "properties": properties,
    }


def _definition(entry: ScoreEntry) -> Record:
    assessments = "/providers/Microsoft.Security/assessmentMetadata"
    return {
        "id": f"/providers/Microsoft.Security/secureScoreControlDefinitions/{entry.name}",
        "name": entry.name,
        "type": "Microsoft.Security/secureScoreControlDefinitions",
        "properties": {
            "displayName": entry.title,
            "maxScore": entry.max,
            "source": {"sourceType": "Custom"},
            "assessmentDefinitions": [{"id": f"{assessments}/{name}"} for name in entry.recommendations],
        },
    }
