"""Access from a Tor exit node."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.detect.detector import Detector, DetectorMeta, Row, number, sql
from gatewatch.model.alert import Explanation, Measure, OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["TorExitNode"]


class TorExitNode(Detector):
    """Access from a Tor exit node."""

    meta = DetectorMeta(
        id="intelligence.tor_exit_node",
        title="Access from a Tor exit node to an API endpoint",
        alert_type="API_AccessFromTorExitNode",
        owasp=OwaspApi.NONE,
        tactic=Tactic.PRE_ATTACK,
        severity=Severity.MEDIUM,
        needs=Evidence.CLIENT_ADDRESS,
        description="An endpoint was called from a Tor exit node.",
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
    constants: ClassVar = {"list": "tor"}

    def explain(self, row: Row) -> Explanation:
        """What was seen, beside what is usual."""
        sentence = (
            f"{row['client_ip']} is a Tor exit node ({row['label'] or 'no label'}) and made "
            f"{number(row, 'count'):.0f} calls; "
            f"{number(row, 'accepted'):.0f} were answered with success."
        )
        return Explanation(
            sentence=sentence,
            measures=(
                Measure(name="calls", observed=number(row, "count")),
                Measure(name="calls accepted", observed=number(row, "accepted")),
            ),
        )
