"""Recommendations' results."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b

import msgspec

from gatewatch.model.alert import Severity

__all__ = ["Finding", "FindingStatus", "finding_id"]


class FindingStatus(StrEnum):
    """Microsoft's assessment codes (reference/microsoft.md 2.1)."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    NOT_APPLICABLE = "not_applicable"
    EXEMPT = "exempt"
    """Unhealthy, and under an exception; `Finding.judged` has what was judged."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One recommendation judged for one endpoint.

    Defaults are left out when it is written, so that digests of reviews from before exceptions still hold.
    """

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
    exception: str = ""
    """Id of the exception that makes an unhealthy one exempt."""

    @property
    def judged(self) -> FindingStatus:
        """The status without exceptions."""
        return FindingStatus.UNHEALTHY if self.status is FindingStatus.EXEMPT else self.status


def finding_id(recommendation: str, endpoint_id: str) -> str:
    """The id of what one recommendation says of one endpoint; 24 hex digits."""
    return blake2b(f"{recommendation}\0{endpoint_id}".encode(), digest_size=12).hexdigest()
