"""What a gateway has to have for a containment."""

from __future__ import annotations

from gatewatch.model.containment import Containment
from gatewatch.model.enforcement import Enforcement

__all__ = ["enforcement_of"]


def enforcement_of(one: Containment) -> Enforcement:
    """The entry under the containment's own id."""
    return Enforcement(
        id=one.id,
        scope=one.plan.scope,
        effect=one.plan.effect,
        calls=one.plan.calls,
        per_s=one.plan.per_s,
        expires_at=one.expires_at,
    )
