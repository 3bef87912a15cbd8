"""Recommendations' results."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gatewatch.model.alert import Severity

__all__ = ["Finding", "FindingStatus"]


class FindingStatus(StrEnum):
    """Microsoft's assessment codes (reference/microsoft.md 2.1)."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NOT_APPLICABLE = "not_applicable"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One recommendation judged for one endpoint."""

    id: str
    recommendation: str
    title: str
    severity: Severity
    status: FindingStatus
    cause: str
    """Why this status, with the numbers that decided."""
    remediation: str
    endpoint_id: str
    endpoint: str
    """`METHOD host template`."""
    evaluated_at: float
