"""Access from a Tor exit node."""

from __future__ import annotations

from typing import ClassVar

from gatewatch.detect.detector import DetectorMeta
from gatewatch.detect.detectors.intelligence._listed import REMEDIATION, ListedAddressDetector
from gatewatch.model.alert import OwaspApi, Severity, Tactic
from gatewatch.model.observation import Evidence

__all__ = ["TorExitNode"]


class TorExitNode(ListedAddressDetector):
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
        remediation=REMEDIATION,
        references=("reference/microsoft.md 1.1",),
    )
    constants: ClassVar = {"list": "tor"}
    who = "a Tor exit node"
