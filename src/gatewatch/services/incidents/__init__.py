"""Alerts become incidents, and people work on them."""

from __future__ import annotations

from gatewatch.services.incidents.casework import Casework
from gatewatch.services.incidents.correlating import Correlating, Correlation
from gatewatch.services.incidents.dossier import Dossiers
from gatewatch.services.incidents.suppressing import Suppressing

__all__ = ["Casework", "Correlating", "Correlation", "Dossiers", "Suppressing"]
