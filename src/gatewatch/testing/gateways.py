"""A gateway in memory, for tests of what is above gateways and for simulations; and invented enforcements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from gatewatch.gateways._desired import sorted_out
from gatewatch.model.containment import Effect, Scope, ScopeKind
from gatewatch.model.enforcement import Agreement, Enforcement, mark
from gatewatch.ports.gateways import Ability, Gateway, GatewayAwayError, GatewayMeta, Site

__all__ = ["MemoryGateway", "MemorySettings", "SetClock", "enforcement"]


class SetClock:
    """Tells what it is set to."""

    def __init__(self, now: float) -> None:
        """Unix seconds."""
        self.at = now

    def now(self) -> float:
        """As set."""
        return self.at


def enforcement(entry_id: str, kind: ScopeKind, value: str, effect: Effect, **more: Any) -> Enforcement:
    """With far end and no narrowing, unless `endpoint`, `calls`, `per_s` or `expires_at` say else."""
    scope = Scope(kind=kind, value=value, endpoint=more.pop("endpoint", ""))
    return Enforcement(id=entry_id, scope=scope, effect=effect, expires_at=more.pop("expires_at", 4e9), **more)


class MemorySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None."""


class MemoryGateway(Gateway):
    """Can do everything, forgets when told to, and is away when told to."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="memory",
        title="Memory",
        description="For tests.",
        abilities=tuple(
            Ability(
                effect=effect,
                scopes=tuple(ScopeKind),
                narrowed=tuple(ScopeKind),
                actors=("subject", "key", "session", "consumer", "certificate"),
            )
            for effect in Effect
        ),
        enforces="it does not",
        delay="none",
        after_restart="Nothing.",
    )
    settings: ClassVar[type[msgspec.Struct]] = MemorySettings

    def __init__(self, settings: Any, site: Site) -> None:
        """Empty."""
        del settings
        self._site, self.entries, self.away = site, dict[str, str](), False

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Take all."""
        self._reach()
        sorted_ = sorted_out(self, wanted, self._site)
        self.entries = {one.id: mark(one) for one in sorted_.able.values()}
        return sorted_.settled(self.actual(wanted))

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Compare."""
        self._reach()
        able = sorted_out(self, wanted, self._site).able
        return Agreement.between({one.id: mark(one) for one in able.values()}, dict(self.entries))

    def close(self) -> None:
        """Nothing is open."""

    def _reach(self) -> None:
        if self.away:
            raise GatewayAwayError("the gateway in memory is away")
