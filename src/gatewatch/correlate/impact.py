"""What an incident reached, as far as stored traffic shows it."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.correlate.verdicts import compromised
from gatewatch.knowledge.durations import lasting
from gatewatch.model.alert import Alert, AlertStatus
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.dossier import Dossier
from gatewatch.model.incident import EntityVerdict
from gatewatch.model.inventory import Authentication, Endpoint
from gatewatch.model.review import Fact
from gatewatch.model.verdict import Classification

__all__ = ["attacked", "impact", "information_types"]

_READ, _LOGINS = "values read", "successful logins"
"""Measures of detectors that say what an attacker got."""


def attacked(dossier: Dossier) -> list[Endpoint]:
    """Endpoints that alerts name and the inventory knows."""
    return [one.endpoint for one in dossier.entities if one.endpoint is not None]


def information_types(endpoints: Sequence[Endpoint]) -> list[str]:
    """What the endpoints handle."""
    return sorted({fact.type for endpoint in endpoints for fact in endpoint.information_types})


def impact(dossier: Dossier) -> tuple[Fact, ...]:
    """Numbers with where they come from; nothing is said that no number carries."""
    incident, endpoints = dossier.incident, attacked(dossier)
    named = [one for one in dossier.entities if one.entity.kind is EntityKind.ENDPOINT]
    bare = sum(one.authentication is Authentication.UNAUTHENTICATED for one in endpoints)
    types = information_types(endpoints)
    found = [
        Fact(label="Duration", value=lasting(dossier.timing.lasted_s), source="first to last call of its alerts"),
        Fact(label="Calls", value=f"{incident.calls:,}", source="counted by its alerts"),
        Fact(label="Endpoints attacked", value=str(len(named)), source="named by its alerts"),
        Fact(
            label="Of these without credential",
            value=f"{bare} of {len(endpoints)} that the inventory knows",
            source="inventory, by accepted calls",
        ),
        Fact(
            label="Information these endpoints handle",
            value=", ".join(types) or "none seen",
            source="inventory; what they handle, not what was taken",
        ),
    ]
    found += _got(dossier.alerts)
    found += _verdicts(dossier)
    return tuple(found)


def _got(alerts: Sequence[Alert]) -> list[Fact]:
    standing = [alert for alert in alerts if _stands(alert)]
    found = []
    if accounts := compromised(alerts):
        found.append(Fact(label="Accounts likely compromised", value=str(accounts), source="most in one alert"))
    for label, name in (("Objects read by enumeration", _READ), ("Logins that succeeded", _LOGINS)):
        total = sum(m.observed for alert in standing for m in alert.explanation.measures if m.name == name)
        if total:
            source = f"measure “{name}” of its alerts, added up; alerts may overlap"
            found.append(Fact(label=label, value=f"{total:,.0f}", source=source))
    return found


def _verdicts(dossier: Dossier) -> list[Fact]:
    found = []
    for verdict in (EntityVerdict.COMPROMISED, EntityVerdict.MALICIOUS):
        names = [one.entity.value for one in dossier.entities if one.verdict is verdict]
        if names:
            said = any(f"{one.kind.value} {one.value}" in dossier.incident.verdicts for one in _of(dossier, verdict))
            source = "said by a person" if said else "by rule, from severity of its alerts"
            found.append(Fact(label=f"Called {verdict.value}", value=_some(names), source=source))
    return found


def _of(dossier: Dossier, verdict: EntityVerdict) -> list[Entity]:
    return [one.entity for one in dossier.entities if one.verdict is verdict]


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _stands(alert: Alert) -> bool:
    refused = (Classification.FALSE_POSITIVE, Classification.EXPECTED)
    return alert.status is not AlertStatus.DISMISSED and alert.classification not in refused
