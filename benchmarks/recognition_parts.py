"""What the parts of the recognition corpus draw from: one to tune on, one held out, one written after tuning."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.recognition_attacks import ATTACKS, DISGUISES, HELD_OUT_ATTACKS, HELD_OUT_DISGUISES, Disguise
from benchmarks.recognition_blind import (
    BLIND_ATTACKS,
    BLIND_DISGUISES,
    BLIND_HARMLESS,
    BLIND_LOOK_ALIKES,
    BLIND_SENSITIVE,
)
from benchmarks.recognition_harmless import HARMLESS, HELD_OUT_HARMLESS, Harmless
from benchmarks.recognition_values import LOOK_ALIKES, SENSITIVE, LookAlike, Sensitive

__all__ = ["PARTS", "Part"]


@dataclass(frozen=True)
class Part:
    """What one part of the corpus draws from."""

    name: str
    sensitive: tuple[Sensitive, ...]
    look_alikes: tuple[LookAlike, ...]
    attacks: dict[str, tuple[str, ...]]
    disguises: dict[str, tuple[Disguise, frozenset[str]]]
    harmless: tuple[Harmless, ...]


PARTS = {
    part.name: part
    for part in (
        Part(
            "tuning",
            tuple(s for s in SENSITIVE if not s.held_out),
            tuple(s for s in LOOK_ALIKES if not s.held_out),
            ATTACKS,
            DISGUISES,
            HARMLESS,
        ),
        Part(
            "held out",
            tuple(s for s in SENSITIVE if s.held_out),
            tuple(s for s in LOOK_ALIKES if s.held_out),
            HELD_OUT_ATTACKS,
            HELD_OUT_DISGUISES,
            HELD_OUT_HARMLESS,
        ),
        Part("blind", BLIND_SENSITIVE, BLIND_LOOK_ALIKES, BLIND_ATTACKS, BLIND_DISGUISES, BLIND_HARMLESS),
    )
}
