"""Continuous export: one thread per target follows the change log and hands over what changed."""

from __future__ import annotations

from gatewatch.services.exporting.service import Exporting
from gatewatch.services.exporting.targets import Target, targets_of

__all__ = ["Exporting", "Target", "targets_of"]
