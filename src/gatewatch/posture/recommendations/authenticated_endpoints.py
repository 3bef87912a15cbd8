"""API endpoints should be authenticated."""

from __future__ import annotations

from gatewatch.model.alert import Severity
from gatewatch.model.finding import FindingStatus
from gatewatch.model.inventory import Authentication, Endpoint
from gatewatch.model.remediation import RemediationType
from gatewatch.posture.recommendation import Recommendation, RecommendationMeta

__all__ = ["AuthenticatedEndpoints"]

_STATUS = {
    Authentication.AUTHENTICATED: FindingStatus.HEALTHY,
    Authentication.UNAUTHENTICATED: FindingStatus.UNHEALTHY,
    Authentication.AWAITING_DATA: FindingStatus.NOT_APPLICABLE,
}


class AuthenticatedEndpoints(Recommendation):
    """Judged by what calls executed (reference/microsoft.md 2.1)."""

    meta = RecommendationMeta(
        id="endpoint_authentication",
        title="API endpoints should be authenticated",
        severity=Severity.HIGH,
        description="Accepted calls without any credential mean that everybody can use the endpoint.",
        remediation="Require a token, key or client certificate for this route; exempt it if it is public.",
        control="access_and_permissions",
        asks=RemediationType.REQUIRE_AUTHENTICATION,
        references=("OWASP API2:2023", "Microsoft 91af2040-7874-4659-abf0-578e1f8d07dc"),
    )

    def judge(self, endpoint: Endpoint, now: float) -> tuple[FindingStatus, str]:
        """Follows the endpoint's authentication column."""
        del now
        return _STATUS[endpoint.authentication], endpoint.authentication_why
