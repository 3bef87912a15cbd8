"""What a detector with other settings would have said, beside what was said."""

from __future__ import annotations

import msgspec

from gatewatch.model.verdict import Classification

__all__ = ["Backtest", "JudgedAlert", "VerdictChange"]


class JudgedAlert(msgspec.Struct, frozen=True, kw_only=True):
    """One alert of a back-test; `id` of the stored alert, or of the one that would have been raised."""

    id: str
    title: str
    first_seen: float
    last_seen: float
    detected_at: float
    subjects: tuple[str, ...]
    """Actors and addresses, bounded."""
    endpoints: tuple[str, ...]
    calls: int
    classification: Classification = Classification.UNKNOWN
    """What people said of the stored alert."""


class VerdictChange(msgspec.Struct, frozen=True, kw_only=True):
    """Stored alerts of one classification: how many there were, how many would still be."""

    classification: Classification
    before: int
    after: int


class Backtest(msgspec.Struct, frozen=True, kw_only=True):
    """One detector judged again over one stretch of stored traffic. Nothing was changed."""

    detector: str
    settings: dict[str, float | int | bool | str]
    """The changed settings that were tried."""
    current: dict[str, float | int | bool | str]
    """The same settings as they stood."""
    since: float
    """Unix seconds of event time; not before stored traffic begins."""
    until: float
    run_at: float
    stored: int
    """Alerts of the detector in the stretch."""
    reproduced: int
    """Of these found again with the settings as they stand; fewer than stored: traffic is gone or settings changed."""
    found: int
    """Alerts with the tried settings."""
    gained: int
    lost: int
    unchanged: int
    """Stored alerts that would still be raised, whatever their count of calls."""
    verdicts: tuple[VerdictChange, ...]
    alerts_per_day_before: float
    """A stretch shorter than a day counts as a day."""
    alerts_per_day_after: float
    to_detect_before_s: float | None
    """Median over the unchanged ones, from the first call of the episode to the condition; None without any."""
    to_detect_after_s: float | None
    gained_first: tuple[JudgedAlert, ...] = ()
    """Earliest first, bounded."""
    lost_first: tuple[JudgedAlert, ...] = ()

    def after(self, *classifications: Classification) -> int:
        """Stored alerts of these classifications that would still be."""
        return sum(one.after for one in self.verdicts if one.classification in classifications)

    def before(self, *classifications: Classification) -> int:
        """Stored alerts of these classifications."""
        return sum(one.before for one in self.verdicts if one.classification in classifications)
