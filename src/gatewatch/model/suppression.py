"""Rules that dismiss alerts nobody needs to see (reference/microsoft.md 7.6 and 11.1)."""

from __future__ import annotations

import msgspec

__all__ = ["Condition", "Suppression"]


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One test of an alert; case is ignored, `*` stands for any characters."""

    field: str
    """`actor`, `address`, `endpoint`, `title`, `severity` or `detector`."""
    values: tuple[str, ...]
    """One of them has to fit; an address may be a network `10.0.0.0/8`."""


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. All conditions must hold; an alert that fits is dismissed and kept."""

    name: str
    alert_type: str
    """One type, or `*`."""
    conditions: tuple[Condition, ...]
    reason: str
    comment: str = ""
    enabled: bool = True
    expires_at: float | None = None
    created_at: float
    created_by: str
    incident: int = 0
    """The standing incident that holds what it dismissed."""
    dismissed: int = 0
