"""An incident's own facts from those of its alerts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from gatewatch.correlate.kill_chain import stage, title
from gatewatch.model.alert import Alert, Severity, Tactic
from gatewatch.model.correlation import EntityKind
from gatewatch.model.incident import AlertTotal, Incident

__all__ = ["name_of", "summed"]

_MOST_NAMED = 2
_MOST_STAGES = 3


def summed(incident: Incident, totals: Sequence[AlertTotal]) -> Incident:
    """Counts, times, tactics and severity as the alerts say; what a person fixed stays."""
    if not totals:
        return msgspec.structs.replace(incident, alerts=0, open_alerts=0, calls=0)
    ordered = sorted(totals, key=lambda total: (total.first_seen, total.detector))
    # A spike beside an attack is a sign of it, not another stage.
    serious = [total for total in ordered if total.severity is not Severity.INFORMATIONAL] or ordered
    severity = max((total.severity for total in totals), key=lambda one: one.rank)
    return msgspec.structs.replace(
        incident,
        alerts=sum(total.alerts for total in totals),
        open_alerts=sum(total.alerts for total in totals if total.is_open),
        calls=sum(total.calls for total in totals),
        severity=incident.severity if incident.severity_fixed else severity,
        first_activity=ordered[0].first_seen,
        last_activity=max(total.last_seen for total in totals),
        first_detected=min(total.detected_at for total in totals),
        tactics=tuple(dict.fromkeys(total.tactic for total in serious)),
        alert_types=tuple(dict.fromkeys(total.alert_type for total in ordered)),
        detectors=tuple(dict.fromkeys(total.detector for total in ordered)),
    )


def name_of(incident: Incident, alerts: Sequence[Alert], entities: Sequence[tuple[str, str]]) -> str:
    """`alerts`: its earliest, at least one; `entities`: (kind, value), most recent first."""
    chain = sorted(set(incident.tactics), key=stage)
    if len(incident.alert_types) > 1 and (len(chain) > 1 or incident.severity is Severity.INFORMATIONAL):
        what = _attack(chain, incident.severity)
    else:
        what = max(alerts, key=lambda alert: (alert.severity.rank, -alert.first_seen)).title
    whom = _some([_person(value) for kind, value in entities if kind == EntityKind.ACTOR]) or _some(
        [value for kind, value in entities if kind == EntityKind.ADDRESS]
    )
    where = _where([value for kind, value in entities if kind == EntityKind.ENDPOINT])
    return what + (f" by {whom}" if whom else "") + (f" on {where}" if where else "")


def _attack(chain: Sequence[Tactic], severity: Severity) -> str:
    kind = "Unusual activity" if severity is Severity.INFORMATIONAL else "Multi-stage attack"
    steps = [title(tactic).lower() for tactic in (chain if len(chain) <= _MOST_STAGES else (chain[0], chain[-1]))]
    return f"{kind} ({' to '.join(steps)})" if len(steps) > 1 else f"{kind} ({steps[0]})"


def _some(values: Sequence[str]) -> str:
    shown = ", ".join(values[:_MOST_NAMED])
    return shown + (f" and {len(values) - _MOST_NAMED} more" if len(values) > _MOST_NAMED else "")


def _person(actor: str) -> str:
    return actor.partition(":")[2] or actor


def _where(endpoints: Sequence[str]) -> str:
    if len(endpoints) == 1:
        return endpoints[0]
    hosts = list(dict.fromkeys(endpoint.split(" ")[1] for endpoint in endpoints if endpoint.count(" ") > 1))
    return f"{len(endpoints)} endpoints of {_some(hosts)}" if endpoints else ""
