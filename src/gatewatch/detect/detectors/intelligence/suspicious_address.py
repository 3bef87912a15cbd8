"""Access from an address that threat intelligence lists."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["SuspiciousAddress"]


class SuspiciousAddress(Detector):
    """Access from an address that threat intelligence lists."""

    meta = DetectorMeta(
        id="intelligence.suspicious_address",
        title="API endpoint access from suspicious IP",
        alert_type="API_AccessFromSuspiciousIP",
        owasp=OwaspApi.NONE,
        tactic=Tactic.PRE_ATTACK,
        severity=Severity.HIGH,
        needs=Evidence.CLIENT_ADDRESS,
        description="An endpoint was called from an address that threat intelligence lists.",
        known_misses="Addresses that the list does not have yet; nothing at all without a list.",
        remediation=(
            "Look at the evidence and what the calls were answered.",
            "Block or rate-limit the address at the gateway.",
            "Check what data the accepted calls returned.",
        ),
        references=("reference/microsoft.md 1.1",),
    )
    identity = ("client_ip",)
    query = sql("intelligence/listed_address.sql")
    trigger = sql("intelligence/listed_address.trigger.sql")
    window_s = 300
    constants: ClassVar = {"list": "threat"}

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        sentence = (
            f"{row['client_ip']} is an address that threat intelligence lists ("
            f"{row['label'] or 'no label'}) and made {number(row, 'count'):.0f} calls; "
            f"{number(row, 'accepted'):.0f} were answered with success."
        )
        return Explanation(
            sentence=sentence,
            measures=(
                Measure(name="calls", observed=number(row, "count")),
                Measure(name="calls accepted", observed=number(row, "accepted")),
            ),
        )
