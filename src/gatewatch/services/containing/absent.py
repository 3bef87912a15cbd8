"""Stands for a gateway that is in force somewhere but not in the settings any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from gatewatch.model.enforcement import Agreement, Enforcement
from gatewatch.ports.gateways import Gateway, GatewayAwayError, GatewayMeta

__all__ = ["AbsentGateway"]


class AbsentGateway(Gateway):
    """Always away: containments end in time, and stay unfinished until somebody configures it again."""

    meta: ClassVar[GatewayMeta] = GatewayMeta(
        id="absent",
        title="Absent",
        description="Was configured once.",
        abilities=(),
        enforces="nothing that Gatewatch knows of",
        delay="none",
        after_restart="Nothing is known.",
    )
    settings: ClassVar[type[msgspec.Struct]] = msgspec.Struct

    def __init__(self, settings: Any = None, site: Any = None) -> None:
        """Needs neither."""
        del settings, site

    def apply(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Raises GatewayAwayError."""
        return self.actual(wanted)

    def actual(self, wanted: Sequence[Enforcement]) -> Agreement:
        """Raises GatewayAwayError."""
        del wanted
        raise GatewayAwayError(
            "it is not in the settings any more, so what is in force there stays",
            cure="Configure it again under the same name, or take the entries away by hand.",
        )

    def close(self) -> None:
        """Nothing is open."""
