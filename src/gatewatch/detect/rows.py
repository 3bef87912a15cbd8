"""Rows of a detector's query as detections."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import cast

from gatewatch.detect.detector import Detector, Row, number
from gatewatch.model.alert import Detection, EvidenceItem
from gatewatch.model.observation import Actor, ActorKind

__all__ = ["MOST_EVIDENCE", "MOST_NAMES", "digest", "rows_to_detections"]

MOST_EVIDENCE = 10
"""Evidence items of one alert; the earliest are kept, so that overlapping judgements agree."""
MOST_NAMES = 100
"""Actors, addresses or endpoints named by one alert."""
_SUMMARY_CHARACTERS = 200


def digest(*parts: str) -> str:
    """32 hex digits over parts that can't run into each other."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def rows_to_detections(detector: Detector, rows: Iterable[Row]) -> list[Detection]:
    """Every row as a detection, in order of window and key."""
    found = [_detection(detector, row) for row in rows]
    return sorted(found, key=lambda d: (d.window_start, d.key))


def _detection(detector: Detector, row: Row) -> Detection:
    meta = detector.meta
    return Detection(
        detector=meta.id,
        key=digest(*(str(row[name]) for name in detector.identity)),
        alert_type=meta.alert_type,
        title=meta.title,
        severity=detector.severity(row),
        tactic=meta.tactic,
        owasp=meta.owasp,
        first_seen=number(row, "first_seen"),
        last_seen=number(row, "last_seen"),
        detected_at=number(row, "detected_at"),
        actors=_actors(row),
        client_ips=_texts(row, "client_ips"),
        endpoints=_texts(row, "endpoints"),
        count=int(number(row, "count")),
        explanation=detector.explain(row),
        evidence=_evidence(row),
        window_start=number(row, "window_start"),
    )


def _list(row: Row, name: str) -> Sequence[object]:
    value = row.get(name)
    return cast("Sequence[object]", value) if isinstance(value, list | tuple) else ()


def _texts(row: Row, name: str) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in _list(row, name) if value and value != "::"})[:MOST_NAMES])


def _actors(row: Row) -> tuple[Actor, ...]:
    pairs = {(str(kind), str(name)) for kind, name in cast("Sequence[tuple[str, str]]", _list(row, "actors"))}
    return tuple(Actor(ActorKind(kind), name) for kind, name in sorted(pairs)[:MOST_NAMES])


def _evidence(row: Row) -> tuple[EvidenceItem, ...]:
    triples = cast("Sequence[tuple[float, str, str]]", _list(row, "evidence"))
    items = [
        EvidenceItem(observation_id=str(name), ts=float(ts), summary=str(summary)[:_SUMMARY_CHARACTERS])
        for ts, name, summary in triples
    ]
    return tuple(sorted(items, key=lambda item: (item.ts, item.observation_id))[:MOST_EVIDENCE])
