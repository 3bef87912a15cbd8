"""Concrete parts by what they are for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gatewatch.bootstrap.installation import Installation
from gatewatch.config.settings import ObserveSettings, Settings
from gatewatch.observe.observer import Observer
from gatewatch.plugins import discover
from gatewatch.ports.wire import WireFormat
from gatewatch.services.observing.worker import BlockObserver
from gatewatch.store.sql import SqlControlStore
from gatewatch.traffic.clickhouse import ClickHouseTraffic

__all__ = ["WorkerFactory", "control_store", "formats", "traffic_store"]


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


def traffic_store(settings: Settings, installation: Installation) -> ClickHouseTraffic:
    """The traffic store, not migrated."""
    dsn = settings.traffic.dsn or f"chdb://{_made(installation.path('traffic'))}"
    return ClickHouseTraffic(dsn, database=settings.traffic.database)


def control_store(settings: Settings, installation: Installation) -> SqlControlStore:
    """The control store, not migrated."""
    return SqlControlStore(settings.store.url or f"sqlite:///{installation.path('control.sqlite')}")


def _made(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path.resolve()
