"""What a worker process is made of. Imports no store: that would cost each worker 30 MB it never uses."""

from __future__ import annotations

from dataclasses import dataclass

from gatewatch.config.settings import ObserveSettings
from gatewatch.observe.observer import Observer
from gatewatch.plugins import discover
from gatewatch.ports.wire import WireFormat
from gatewatch.services.observing.worker import BlockObserver

__all__ = ["WorkerFactory", "formats"]


def formats() -> dict[str, WireFormat]:
    """All wire formats by id."""
    kinds = discover("gatewatch.sources", WireFormat, group="gatewatch.sources")
    return {kind.meta.id: kind() for kind in kinds}


@dataclass(frozen=True, slots=True)
class WorkerFactory:
    """Makes a worker's observer; travels to the worker process."""

    settings: ObserveSettings
    key: bytes

    def __call__(self) -> BlockObserver:
        """Runs once in each worker."""
        return BlockObserver(formats(), Observer(self.settings, self.key))
