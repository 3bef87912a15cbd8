"""The secure score: how much of what is recommended is done, as points (reference/microsoft.md 11.3)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from gatewatch.model.finding import FindingStatus

__all__ = [
    "OVERALL",
    "CollectionScore",
    "ControlScore",
    "Judgement",
    "ScoreEntry",
    "SecureScore",
    "entries",
    "percentage",
]

OVERALL = "overall"
"""Name of the whole among the names of controls."""


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """Of a finding what counts for the score."""

    endpoint_id: str
    recommendation: str
    status: FindingStatus


class ControlScore(msgspec.Struct, frozen=True, kw_only=True):
    """One control: recommendations that share one sum of points."""

    control: str
    title: str
    recommendations: tuple[str, ...]
    """Ids."""
    max: float
    """Points when every endpoint is healthy."""
    healthy: int
    """Endpoints that meet all recommendations of the control that apply to them."""
    unhealthy: int
    """Endpoints that fail at least one."""
    not_applicable: int
    """Endpoints to which none of them applies; they do not count."""

    @property
    def current(self) -> float:
        """Points: `max / (healthy + unhealthy) x healthy`."""
        return self.max * self.healthy / (self.healthy + self.unhealthy)

    @property
    def potential_increase(self) -> float:
        """Points that the unhealthy endpoints would bring."""
        return self.max * self.unhealthy / (self.healthy + self.unhealthy)


class CollectionScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one API collection alone."""

    collection_id: str
    current: float
    max: float
    healthy: int
    unhealthy: int

    @property
    def weight(self) -> int:
        """What it counts beside other collections: its judged endpoints, once per control."""
        return self.healthy + self.unhealthy


class SecureScore(msgspec.Struct, frozen=True, kw_only=True):
    """The whole at a moment."""

    number: int = 0
    """Of the snapshot, ascending; 0 when it was not kept."""
    at: float
    """Unix seconds."""
    controls: tuple[ControlScore, ...]
    """Most points to gain first. Controls with nothing to judge are not among them."""
    told: Mapping[str, float] = {}
    """Per control, and for OVERALL, the value that followers were told last: small steps add up to one that is told."""

    @property
    def current(self) -> float:
        """Points of all controls."""
        return sum(control.current for control in self.controls)

    @property
    def max(self) -> float:
        """Points that there are."""
        return sum(control.max for control in self.controls)

    @property
    def percentage(self) -> float | None:
        """0 to 100; None when nothing that has points was judged."""
        return percentage(self.current, self.max)

    @property
    def healthy(self) -> int:
        """Over all controls."""
        return sum(control.healthy for control in self.controls)

    @property
    def unhealthy(self) -> int:
        """Over all controls."""
        return sum(control.unhealthy for control in self.controls)


class ScoreEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The whole, or one control, of one snapshot: what followers are told."""

    name: str
    """OVERALL, or the control."""
    title: str
    number: int
    """Of the snapshot."""
    at: float
    """Unix seconds."""
    current: float
    max: float
    healthy: int
    unhealthy: int
    not_applicable: int
    recommendations: tuple[str, ...]

    @property
    def percentage(self) -> float | None:
        """0 to 100; None without points."""
        return percentage(self.current, self.max)


def entries(score: SecureScore) -> dict[str, ScoreEntry]:
    """By name: the whole, then its controls."""
    whole = ScoreEntry(
        name=OVERALL,
        title="Secure score",
        number=score.number,
        at=score.at,
        current=score.current,
        max=score.max,
        healthy=score.healthy,
        unhealthy=score.unhealthy,
        not_applicable=sum(one.not_applicable for one in score.controls),
        recommendations=tuple(name for one in score.controls for name in one.recommendations),
    )
    controls = (
        ScoreEntry(
            name=one.control,
            title=one.title,
            number=score.number,
            at=score.at,
            current=one.current,
            max=one.max,
            healthy=one.healthy,
            unhealthy=one.unhealthy,
            not_applicable=one.not_applicable,
            recommendations=one.recommendations,
        )
        for one in score.controls
    )
    return {entry.name: entry for entry in (whole, *controls)}


def percentage(current: float, most: float) -> float | None:
    """0 to 100; None without points."""
    return 100.0 * current / most if most else None
