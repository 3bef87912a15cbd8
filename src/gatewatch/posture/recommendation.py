"""The recommendation frame: one file per recommendation, judged per endpoint."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

import msgspec

from gatewatch.model.alert import Severity
from gatewatch.model.finding import Finding, FindingStatus, finding_id
from gatewatch.model.inventory import Endpoint
from gatewatch.model.remediation import RemediationType
from gatewatch.plugins import discover
from gatewatch.posture.controls import BEST_PRACTICES

__all__ = ["Recommendation", "RecommendationMeta", "all_recommendations", "judge"]


class RecommendationMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read."""

    id: str
    title: str
    severity: Severity
    description: str
    remediation: str
    control: str = BEST_PRACTICES
    """Whose points of the secure score it shares; `posture/controls.py`."""
    asks: RemediationType = RemediationType.FIX_CONFIGURATION
    """What a remediation activity asks for."""
    references: tuple[str, ...] = ()


class Recommendation(ABC):
    """Judges one endpoint at a moment."""

    meta: ClassVar[RecommendationMeta]

    @abstractmethod
    def judge(self, endpoint: Endpoint, now: float) -> tuple[FindingStatus, str]:
        """(status, cause with the numbers that decided)."""


def all_recommendations() -> list[Recommendation]:
    """Built-in ones and those of entry-point group `gatewatch.recommendations`."""
    kinds = discover("gatewatch.posture.recommendations", Recommendation, group="gatewatch.recommendations")
    return [kind() for kind in kinds]


def judge(endpoints: Iterable[Endpoint], recommendations: Iterable[Recommendation], now: float) -> list[Finding]:
    """A finding per endpoint and recommendation."""
    chosen = list(recommendations)
    return [_finding(endpoint, recommendation, now) for endpoint in endpoints for recommendation in chosen]


def _finding(endpoint: Endpoint, recommendation: Recommendation, now: float) -> Finding:
    meta = recommendation.meta
    status, cause = recommendation.judge(endpoint, now)
    operation = f" {endpoint.operation}" if endpoint.operation else ""
    return Finding(
        id=finding_id(meta.id, endpoint.id),
        recommendation=meta.id,
        title=meta.title,
        severity=meta.severity,
        status=status,
        cause=cause,
        remediation=meta.remediation,
        endpoint_id=endpoint.id,
        endpoint=f"{endpoint.method} {endpoint.host}{endpoint.template}{operation}",
        evaluated_at=now,
    )
