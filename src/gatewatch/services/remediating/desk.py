"""What the REST API needs of remediation."""

from __future__ import annotations

from dataclasses import dataclass

from gatewatch.ports.remediation import RemediationStore
from gatewatch.services.remediating.excepting import Excepting
from gatewatch.services.remediating.requesting import Requesting

__all__ = ["RemediationDesk"]


@dataclass(frozen=True, slots=True)
class RemediationDesk:
    """The parts."""

    store: RemediationStore
    requesting: Requesting
    excepting: Excepting
