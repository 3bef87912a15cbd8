"""Remediation: asked for, followed by evidence, and what is knowingly left."""

from __future__ import annotations

from gatewatch.services.remediating.desk import RemediationDesk
from gatewatch.services.remediating.excepting import Excepting
from gatewatch.services.remediating.following import Following
from gatewatch.services.remediating.requesting import RemediationPatch, RemediationRequest, Requesting

__all__ = ["Excepting", "Following", "RemediationDesk", "RemediationPatch", "RemediationRequest", "Requesting"]
