"""API endpoints that are unused should be disabled and removed."""

from __future__ import annotations

from gatewatch.model.alert import Severity
from gatewatch.model.finding import FindingStatus
from gatewatch.model.inventory import Activity, Endpoint
from gatewatch.model.remediation import RemediationType
from gatewatch.posture.recommendation import Recommendation, RecommendationMeta

__all__ = ["UnusedEndpoints"]

_DAY_S = 86_400


class UnusedEndpoints(Recommendation):
    """No traffic for 30 days (reference/microsoft.md 2.1)."""

    meta = RecommendationMeta(
        id="endpoint_unused",
        title="Unused API endpoints should be disabled and removed",
        severity=Severity.LOW,
        description="An endpoint that nobody calls is attack surface that nobody watches.",
        remediation="Ask its owner, disable the route on the gateway, and remove it when nobody misses it.",
        control="security_configurations",
        asks=RemediationType.REMOVE_ENDPOINT,
        references=("OWASP API9:2023", "Microsoft 4e8c00a2-e8bc-42a8-9e12-99584a51ad10"),
    )

    def judge(self, endpoint: Endpoint, now: float) -> tuple[FindingStatus, str]:
        """Follows the endpoint's activity column."""
        days = int((now - endpoint.last_called) // _DAY_S)
        if endpoint.activity is Activity.AWAITING_DATA:
            return FindingStatus.NOT_APPLICABLE, "no traffic was seen yet"
        if endpoint.activity is Activity.INACTIVE:
            return FindingStatus.UNHEALTHY, f"last called {days} days ago"
        return FindingStatus.HEALTHY, f"last called {days} days ago"
