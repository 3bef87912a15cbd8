"""Containment on gateways: judged, carried out, reconciled, measured, recovered from."""

from __future__ import annotations

from gatewatch.services.containing.desk import ContainmentDesk
from gatewatch.services.containing.measuring import Measuring
from gatewatch.services.containing.reconciling import GatewayHealth, Reconciling
from gatewatch.services.containing.recovering import Recovering

__all__ = ["ContainmentDesk", "GatewayHealth", "Measuring", "Reconciling", "Recovering"]
