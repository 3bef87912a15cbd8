"""A user agent that carries an attack or names an attack tool."""

from __future__ import annotations

from typing import Annotated

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.detect.settings import Settings, fraction
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["SuspiciousUserAgent"]


class _Settings(Settings, frozen=True, kw_only=True):
    """Changeable numbers; defaults measured in benchmarks/results/detection_quality.md."""

    confidence: Annotated[float, fraction("Least confidence of an indicator.")] = 0.5


class SuspiciousUserAgent(Detector):
    """A user agent that carries an attack or names an attack tool."""

    meta = DetectorMeta(
        id="indicator.suspicious_user_agent",
        title="Suspicious user agent detected",
        alert_type="API_AccessFromSuspiciousUserAgent",
        owasp=OwaspApi.MISCONFIGURATION,
        tactic=Tactic.EXECUTION,
        severity=Severity.MEDIUM,
        needs=Evidence.USER_AGENT,
        description="The User-Agent header contains values typical of an attack, or names a tool made for attacks.",
        known_misses="Tools that pretend to be a browser.",
        remediation=(
            "Look at the evidence and what the calls were answered.",
            "Block or rate-limit the address at the gateway.",
            "Check what data the accepted calls returned.",
        ),
        references=("MITRE ATT&CK T1595", "reference/microsoft.md 1.1"),
    )
    settings = _Settings
    identity = ("client_ip", "indicator")
    query = sql("indicator/suspicious_user_agent.sql")
    window_s = 300

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        sentence = (
            f"{row['client_ip']} sent {number(row, 'count'):.0f} calls whose user agent matches {row['indicator']}; "
            f"{number(row, 'accepted'):.0f} were answered with success."
        )
        return Explanation(
            sentence=sentence,
            measures=(
                Measure(name="calls", observed=number(row, "count")),
                Measure(name="calls accepted", observed=number(row, "accepted")),
                Measure(name="confidence", observed=number(row, "strongest")),
            ),
        )
