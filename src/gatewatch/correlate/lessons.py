"""What the data says went well, went badly, and made the incident possible."""

from __future__ import annotations

from collections.abc import Sequence

from gatewatch.correlate.impact import attacked
from gatewatch.knowledge.durations import lasting
from gatewatch.model.dossier import Dossier
from gatewatch.model.finding import Finding
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.review import ActionTaken, DetectionQuality
from gatewatch.model.verdict import Classification

__all__ = ["factors", "failed", "worked"]


def worked(dossier: Dossier, quality: Sequence[DetectionQuality]) -> tuple[str, ...]:
    """Only what a number carries; how good that is, people judge."""
    timing, incident = dossier.timing, dossier.incident
    proofs = {item.observation_id for alert in dossier.alerts for item in alert.evidence}
    found = [f"The first alert's condition was true {lasting(timing.to_detect_s)} after the first call."]
    if timing.to_acknowledge_s is not None:
        found.append(f"A person took it {lasting(timing.to_acknowledge_s)} after it was opened.")
    if incident.resolved_at is not None:
        found.append(f"It was resolved {lasting(timing.to_resolve_s)} after it was opened.")
    for one in quality:
        if one.true and not one.false and not one.unclassified:
            which = f"all {one.alerts} alerts were" if one.alerts > 1 else "its alert was"
            found.append(f"{one.title}: {which} real.")
    if proofs:
        found.append(f"{len(proofs)} stored calls are linked to its alerts as evidence.")
    return tuple(found)


def failed(
    dossier: Dossier, quality: Sequence[DetectionQuality], containments: Sequence[ActionTaken]
) -> tuple[str, ...]:
    """The same for what is missing or was wrong."""
    incident, found = dossier.incident, list[str]()
    for one in quality:
        if one.false:
            found.append(f"{one.title}: {one.false} of {_many(one.alerts, 'alert')} false.")
    if incident.acknowledged_at is None:
        found.append("Nobody has taken it.")
    if not containments:
        found.append("No containment is recorded.")
    rolled = [one for one in containments if one.rolled_back_at is not None]
    if rolled:
        found.append(f"{len(rolled)} of {_many(len(containments), 'containment')} rolled back.")
    if incident.status is IncidentStatus.RESOLVED and incident.classification is Classification.UNKNOWN:
        found.append("It was resolved without saying whether it was real.")
    if incident.reopened:
        found.append(f"It was opened again {_many(incident.reopened, 'time')}.")
    return tuple(found)


def factors(dossier: Dossier, findings: Sequence[Finding]) -> tuple[str, ...]:
    """Weak points that were there before: open findings of what was attacked, what OWASP calls the alerts."""
    found = []
    titles: dict[str, set[str]] = {}
    for finding in findings:
        titles.setdefault(finding.title, set()).add(finding.endpoint)
    for title, where in sorted(titles.items()):
        shown = ", ".join(sorted(where)[:3]) + (f" and {len(where) - 3} more" if len(where) > 3 else "")
        found.append(f"Open finding “{title}” at {shown}.")
    outside = [one for one in attacked(dossier) if one.external_last_seen is not None]
    if outside:
        found.append(f"{len(outside)} of the attacked endpoints can be reached from outside.")
    items = sorted({alert.owasp.value for alert in dossier.alerts if alert.owasp.value})
    if items:
        found.append(f"Its alerts belong to OWASP API Security {', '.join(items)}.")
    return tuple(found)


def _many(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
