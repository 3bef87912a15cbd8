"""One address calls one endpoint far more than it, or anybody, does."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, count, ratio
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["TrafficSpike"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    calls: Annotated[int, count("Least calls in 5 minutes.", least=10)] = 200
    deviation: Annotated[float, ratio("Times the usual.")] = 8.0
    peers: Annotated[int, count("Addresses needed to judge without history.", least=2)] = 5
    history_days: Annotated[int, count("History.", most=30, unit="days")] = 7


class TrafficSpike(Detector):
    """One address calls one endpoint far more than it, or anybody, does."""

    meta = DetectorMeta(
        id="volume.traffic_spike",
        title="Suspicious spike in API traffic from a single IP address to an API endpoint",
        alert_type="API_SpikeInAPITraffic",
        owasp=OwaspApi.RESOURCE_CONSUMPTION,
        tactic=Tactic.IMPACT,
        severity=Severity.INFORMATIONAL,
        needs=Evidence.PATH | Evidence.CLIENT_ADDRESS,
        description=(
            "Calls of one address to one endpoint in 5 minutes against its own busiest hour, the endpoint's "
            "other callers and the whole."
        ),
        known_misses=(
            "Growth slower than the factor; an address without history on an endpoint that hardly anybody calls."
        ),
        remediation=("Rate-limit the address on that endpoint.", "Look at what it was answered."),
        references=("reference/microsoft.md 1.1",),
    )
    settings = _Settings
    identity = ("client_ip", "endpoint_id")
    query = sql("volume/traffic_spike.sql")
    trigger = sql("volume/traffic_spike.trigger.sql")
    window_s = 300

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        return Explanation(
            sentence=(
                f"{row['client_ip']} made {number(row, 'count'):.0f} calls in 5 minutes; usual are "
                f"{number(row, 'calls_usual'):.1f}, other callers make {number(row, 'calls_peers'):.1f}."
            ),
            measures=(
                Measure(name="calls", observed=number(row, "count"), baseline=number(row, "calls_usual")),
                Measure(name="calls of others", observed=number(row, "calls_peers")),
                Measure(name="hours of history", observed=number(row, "hours_known")),
            ),
        )
