"""One address touches unusually many endpoints and is refused."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count, fraction, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["EndpointSpray"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    endpoints: Annotated[int, count("Distinct endpoints in 20 minutes.", least=3)] = 12
    unknown_calls: Annotated[int, count("Calls of paths that belong to no endpoint.", least=5)] = 40
    refused_share: Annotated[float, fraction("Share of calls refused or missing.")] = 0.3
    deviation: Annotated[float, ratio("Times what other addresses touch.")] = 3.0


class EndpointSpray(Detector):
    """One address touches unusually many endpoints and is refused."""

    meta = DetectorMeta(
        id="volume.endpoint_spray",
        title="API requests spray from a single IP address to many endpoints",
        alert_type="API_SprayInRequests",
        owasp=OwaspApi.INVENTORY,
        tactic=Tactic.DISCOVERY,
        severity=Severity.INFORMATIONAL,
        needs=Evidence.PATH | Evidence.CLIENT_ADDRESS,
        description=(
            "Distinct endpoints and unknown paths of one address in 20 minutes, against what all other addresses touch."
        ),
        known_misses="A scan that is answered with success everywhere; a scan from many addresses.",
        remediation=("Rate-limit or block the address.", "Retire endpoints that nobody should find."),
        references=("MITRE ATT&CK T1595.003", "reference/microsoft.md 1.1"),
    )
    settings = _Settings
    identity = ("client_ip",)
    query = sql("volume/endpoint_spray.sql")
    trigger = sql("volume/endpoint_spray.trigger.sql")
    window_s = 1200

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{row['client_ip']} touched {number(row, 'endpoints_touched'):.0f} endpoints and made "
                f"{number(row, 'unknown_paths'):.0f} calls of unknown paths; "
                f"{number(row, 'share_refused'):.0%} were refused or missing. "
                f"Other addresses touch about {number(row, 'peers_endpoints'):.1f} endpoints."
            ),
            measures=(
                Measure(
                    name="endpoints", observed=number(row, "endpoints_touched"), baseline=number(row, "peers_endpoints")
                ),
                Measure(name="calls of unknown paths", observed=number(row, "unknown_paths")),
                Measure(name="share refused", observed=number(row, "share_refused")),
            ),
        )
