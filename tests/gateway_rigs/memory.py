"""The gateway in memory."""

from __future__ import annotations

from gatewatch.model.containment import ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.gateways import MemoryGateway, MemorySettings
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, Rig, one


class MemoryRig(Rig):
    samples = (*ADDRESSES, DISABLED, NARROWED, THROTTLED)
    impossible = one(9, "300.1.1.1", kind=ScopeKind.ADDRESS)
    real = False

    def start(self) -> None:
        self.made: MemoryGateway | None = None

    def make(self, site: Site) -> Gateway:
        self.made = self.made or MemoryGateway(MemorySettings(), site)
        return self.made

    @property
    def memory(self) -> MemoryGateway:
        assert self.made
        return self.made

    def plant(self) -> None:
        pass

    def planted(self) -> bool:
        return True

    def restart(self) -> None:
        self.memory.entries = {}

    def cut(self) -> None:
        self.memory.away = True

    def mend(self) -> None:
        self.memory.away = False

    def tamper(self) -> None:
        self.memory.entries["c1"] = "spoilt"

    def state(self) -> object:
        return dict(self.memory.entries)
