"""What detectors of addresses on a list share: everything but the list and the words."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.detect.detector import Detector, Row, number, sql
from gatewatch.model.alert import Explanation, Measure

__all__ = ["REMEDIATION", "ListedAddressDetector"]

REMEDIATION = (
    "Look at the evidence and what the calls were answered.",
    "Block or rate-limit the address at the gateway.",
    "Check what data the accepted calls returned.",
)


class ListedAddressDetector(Detector):
    """One row per address on list `constants["list"]` that called; windows of 5 minutes."""

    identity = ("client_ip",)
    query = sql("intelligence/listed_address.sql")
    trigger = sql("intelligence/listed_address.trigger.sql")
    window_s = 300
    who: ClassVar[str]
    """What an address on the list is, for the explanation."""

    def explain(self, row: Row) -> Explanation:
        """Which address, what the list calls it, what it was answered."""
        calls, accepted = number(row, "count"), number(row, "accepted")
        return Explanation(
            sentence=(
                f"{row['client_ip']} is {self.who} ({row['label'] or 'no label'}) and made {calls:.0f} calls; "
                f"{accepted:.0f} were answered with success."
            ),
            measures=(Measure(name="calls", observed=calls), Measure(name="calls accepted", observed=accepted)),
        )
