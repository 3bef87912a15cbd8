"""What is thought of who took part, from the alerts that name them."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.correlate.entities import entities_of
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.correlation import Entity
from gatewatch.model.incident import EntityVerdict, Incident
from gatewatch.model.verdict import Classification

__all__ = ["compromised", "verdict_of"]

_COMPROMISED = "accounts likely compromised"
_SEVERAL = 2


def verdict_of(entity: Entity, incident: Incident, alerts: Sequence[Alert]) -> EntityVerdict:
    """A person's word first; else malicious for a high alert or two of medium, suspicious for any that stands."""
    said = incident.verdicts.get(f"{entity.kind.value} {entity.value}")
    if said is not None:
        return said
    standing = [alert for alert in alerts if _stands(alert) and entity in entities_of(alert)]
    if not standing:
        return EntityVerdict.CLEAN if alerts else EntityVerdict.UNKNOWN
    serious = [alert for alert in standing if alert.severity.rank >= Severity.MEDIUM.rank]
    if any(alert.severity is Severity.HIGH for alert in serious) or len(serious) >= _SEVERAL:
        return EntityVerdict.MALICIOUS
    return EntityVerdict.SUSPICIOUS


def compromised(alerts: Sequence[Alert]) -> int:
    """Accounts that detectors call likely compromised, at most in one alert."""
    found = [
        measure.observed
        for alert in alerts
        if _stands(alert)
        for measure in alert.explanation.measures
        if measure.name == _COMPROMISED
    ]
    return int(max(found, default=0.0))


def _stands(alert: Alert) -> bool:
    refused = (Classification.FALSE_POSITIVE, Classification.EXPECTED)
    return alert.status is not AlertStatus.DISMISSED and alert.classification not in refused
