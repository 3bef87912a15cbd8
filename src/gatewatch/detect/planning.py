"""Which span to judge next, and what can't be judged for lack of evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from gatewatch.detect.detector import Detector
from gatewatch.model.observation import Evidence

__all__ = ["Blindness", "Span", "coverage", "plan"]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """[start, end) in Unix seconds of event time."""

    start: float
    end: float


def plan(*, watermark: float | None, now: float, overlap_s: float, earliest: float | None = None) -> Span | None:
    """The span of the next run: from `overlap_s` before the last run's end, so that late events are judged.

    `watermark` is the end of the last run; None before the first one, which starts at `earliest` (oldest stored
    event), or `overlap_s` ago without one. None: there is nothing to run, the clock stands or went back.
    """
    if watermark is None:
        start = now - overlap_s if earliest is None else earliest
    elif now <= watermark:
        return None
    else:
        start = watermark - overlap_s
    return Span(start=start, end=now) if start < now else None


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
