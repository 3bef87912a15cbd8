"""Which spans to judge next, and what can't be judged for lack of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gatewatch.detect.detector import Detector
from gatewatch.model.observation import Evidence

__all__ = ["JUST_AFTER_S", "Blindness", "Span", "coverage", "spans"]

_JOINED_S = 1200.0
"""Spans closer than the widest window share its work."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """[start, end) in Unix seconds of event time."""

    start: float
    end: float


JUST_AFTER_S = 0.0015
"""Added to the last event of a span: queries cut to whole milliseconds, and 1 ms more may be cut off again."""


def spans(arrived: Sequence[tuple[float, float]], *, oldest: float) -> list[Span]:
    """Spans that hold every event of `arrived` (first and last time of some events each), newest first.

    What lies before `oldest` is left out. An event far from the others gets a span of its own, so that one clock that
    stands wrong does not make everybody's traffic be judged again.
    """
    found: list[Span] = []
    for first, last in sorted(arrived):
        end = last + JUST_AFTER_S
        if end <= oldest:
            continue
        start = max(first, oldest)
        if found and start <= found[-1].end + _JOINED_S:
            found[-1] = Span(start=found[-1].start, end=max(found[-1].end, end))
        else:
            found.append(Span(start=start, end=end))
    return found[::-1]


class Blindness(msgspec.Struct, frozen=True, kw_only=True):
    """A detector that can't see something because its source does not carry the evidence."""

    detector: str
    subject: str
    """Source or endpoint, as the caller named it."""
    missing: tuple[str, ...]
    """Names of `Evidence`."""


def coverage(detectors: Sequence[Detector], evidence_seen: Mapping[str, int]) -> list[Blindness]:
    """Blind pairs of detector and source (or endpoint), in order of both; `evidence_seen` holds `Evidence` bits."""
    return [
        Blindness(detector=detector.meta.id, subject=subject, missing=missing)
        for detector in sorted(detectors, key=lambda d: d.meta.id)
        for subject in sorted(evidence_seen)
        if (missing := _missing(detector.meta.needs, evidence_seen[subject]))
    ]


def _missing(needs: Evidence, seen: int) -> tuple[str, ...]:
    return tuple(bit.name.lower() for bit in Evidence if bit.name and bit in needs and not bit & seen)
