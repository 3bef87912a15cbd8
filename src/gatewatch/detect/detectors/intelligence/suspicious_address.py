"""Access from an address that threat intelligence lists."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.detect.detector import DetectorMeta
from gatewatch.detect.detectors.intelligence._listed import REMEDIATION, ListedAddressDetector
from gatewatch.model.alert import OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["SuspiciousAddress"]


class SuspiciousAddress(ListedAddressDetector):
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
        remediation=REMEDIATION,
        references=("reference/microsoft.md 1.1",),
    )
    constants: ClassVar = {"list": "threat"}
    who = "an address that threat intelligence lists"
