"""Containment on gateways: judged, carried out, reconciled, measured."""

from __future__ import annotations

from gatewatch.services.containing.desk import ContainmentDesk
from gatewatch.services.containing.measuring import Measuring
from gatewatch.services.containing.reconciling import GatewayHealth, Reconciling

__all__ = ["ContainmentDesk", "GatewayHealth", "Measuring", "Reconciling"]
