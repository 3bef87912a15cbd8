"""The attack story: what happened, in order, in kill-chain terms, every sentence with its evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gatewatch.correlate.entities import entities_of
from gatewatch.correlate.kill_chain import stage, title
from gatewatch.model.alert import Alert, AlertStatus
from gatewatch.model.correlation import Entity, EntityKind
from gatewatch.model.dossier import AttackStory, Chapter, Step
from gatewatch.model.incident import Incident

__all__ = ["tell"]

_MOST_STEPS = 200
_MOST_NAMED = 3
_MINUTES, _HOURS = 120, 48
"""Until here minutes, then hours, read better than the next unit."""


def tell(incident: Incident, alerts: Sequence[Alert]) -> AttackStory:
    """`alerts` of the incident. Same alerts, same story."""
    ordered = sorted(alerts, key=lambda alert: (alert.first_seen, stage(alert.tactic), alert.id))
    steps = [_step(alert) for alert in ordered[:_MOST_STEPS]]
    chapters: list[list[Step]] = []
    for step in steps:
        if chapters and chapters[-1][0].tactic is step.tactic:
            chapters[-1].append(step)
        else:
            chapters.append([step])
    return AttackStory(
        headline=incident.name,
        summary=_summary(incident, ordered),
        chapters=tuple(_chapter(group) for group in chapters),
        left_out=max(0, incident.alerts - len(steps)),
    )


def _step(alert: Alert) -> Step:
    named = entities_of(alert)
    return Step(
        alert=alert.id,
        at=alert.first_seen,
        until=alert.last_seen,
        tactic=alert.tactic,
        severity=alert.severity,
        title=alert.title,
        sentence=alert.explanation.sentence,
        actors=_of(named, EntityKind.ACTOR),
        addresses=_of(named, EntityKind.ADDRESS),
        endpoints=_of(named, EntityKind.ENDPOINT),
        calls=alert.count,
        evidence=alert.evidence,
        links=alert.links,
        dismissed=alert.status is AlertStatus.DISMISSED,
    )


def _chapter(steps: Sequence[Step]) -> Chapter:
    return Chapter(
        tactic=steps[0].tactic,
        title=title(steps[0].tactic),
        first_seen=min(step.at for step in steps),
        last_seen=max(step.until for step in steps),
        steps=tuple(steps),
    )


def _of(named: Sequence[Entity], kind: EntityKind) -> tuple[str, ...]:
    return tuple(entity.value for entity in named if entity.kind is kind)


def _summary(incident: Incident, alerts: Sequence[Alert]) -> str:
    if not alerts:
        return "No alerts are left in this incident."
    named = Counter(entity for alert in alerts for entity in entities_of(alert))
    minutes = max(1, round((incident.last_activity - incident.first_activity) / 60))
    sentences = [
        f"{_count(len(alerts), 'alert')} over {_span(minutes)}, {_count(sum(a.count for a in alerts), 'call')}.",
        _named("Acting", [e for e, _ in named.most_common() if e.kind is EntityKind.ACTOR]),
        _named("From", [e for e, _ in named.most_common() if e.kind is EntityKind.ADDRESS]),
        _named("Against", [e for e, _ in named.most_common() if e.kind is EntityKind.ENDPOINT]),
    ]
    stages = list(dict.fromkeys(title(alert.tactic) for alert in alerts))
    sentences.append(f"Stages in order: {', '.join(stages)}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _named(word: str, entities: Sequence[Entity]) -> str:
    if not entities:
        return ""
    shown = ", ".join(entity.value for entity in entities[:_MOST_NAMED])
    more = f" and {len(entities) - _MOST_NAMED} more" if len(entities) > _MOST_NAMED else ""
    return f"{word}: {shown}{more}."


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _span(minutes: int) -> str:
    if minutes < _MINUTES:
        return _count(minutes, "minute")
    hours = round(minutes / 60)
    return _count(hours, "hour") if hours < _HOURS else _count(round(hours / 24), "day")
