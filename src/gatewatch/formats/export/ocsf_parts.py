"""What all OCSF events share: classification, metadata, attacks, resources."""

from __future__ import annotations

from collections.abc import Iterable

from gatewatch.formats.export.format import Context
from gatewatch.formats.records import Record
from gatewatch.knowledge.attack import ATTACK_VERSION, TACTIC_IDS, TECHNIQUE_NAMES, technique_url
from gatewatch.model.alert import Severity, Tactic
from gatewatch.model.export import ExportItem
from gatewatch.model.finding import FindingStatus

__all__ = ["OCSF_VERSION", "attacks", "classified", "milliseconds", "resources"]

OCSF_VERSION = "1.5.0"
_SEVERITIES = {
    Severity.INFORMATIONAL: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
}
_CATEGORIES = {2: "Findings", 6: "Application Activity"}


def milliseconds(ts: float) -> int:
    """OCSF's `timestamp_t`: Unix milliseconds."""
    return round(ts * 1000)


def classified(
    item: ExportItem, context: Context, *, class_uid: int, class_name: str, activity: tuple[int, str], message: str
) -> Record:
    """The head of every event; `activity` is (id, name)."""
    category = class_uid // 1000
    severity_id, severity = _SEVERITIES[item.severity]
    if item.status == FindingStatus.HEALTHY:
        severity_id, severity = _SEVERITIES[Severity.INFORMATIONAL]
    return {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": category,
        "category_name": _CATEGORIES[category],
        "class_uid": class_uid,
        "class_name": class_name,
        "type_uid": class_uid * 100 + activity[0],
        "type_name": f"{class_name}: {activity[1]}",
        "time": milliseconds(item.at),
        "severity_id": severity_id,
        "severity": severity,
        "message": message,
        "metadata": _metadata(item, context),
    }


def _metadata(item: ExportItem, context: Context) -> Record:
    found: Record = {
        "version": OCSF_VERSION,
        "uid": item.event_id,
        "event_code": item.kind.value,
        "log_provider": context.host,
        "product": {"name": "Gatewatch", "vendor_name": "Gatewatch", "version": context.version},
    }
    if item.snapshot:
        found["labels"] = ["snapshot", item.snapshot]
    return found


def attacks(tactics: Iterable[Tactic], techniques: Iterable[str]) -> list[Record]:
    """A tactic each; the techniques go with the first."""
    known = [_tactic(tactic) for tactic in tactics]
    first = known[0] if known else {}
    named = [{"version": ATTACK_VERSION, **({"tactic": first} if first else {}), **_technique(t)} for t in techniques]
    return named + [{"version": ATTACK_VERSION, "tactic": tactic} for tactic in known[1 if named else 0 :]]


def _tactic(tactic: Tactic) -> Record:
    uid, name = TACTIC_IDS[tactic.value]
    return {"uid": uid, "name": name, "src_url": f"https://attack.mitre.org/tactics/{uid}/"}


def _technique(technique: str) -> Record:
    parent, _, child = technique.partition(".")
    found: Record = {"technique": _named(parent)}
    if child:
        found["sub_technique"] = _named(technique)
    return found


def _named(technique: str) -> Record:
    return {
        "uid": technique,
        "name": TECHNIQUE_NAMES.get(technique, technique),
        "src_url": technique_url(technique),
    }


def resources(endpoints: Iterable[str]) -> list[Record]:
    """Endpoints as resources; `METHOD host template`."""
    return [{"name": endpoint, "uid": endpoint, "type": "API Endpoint"} for endpoint in endpoints]
