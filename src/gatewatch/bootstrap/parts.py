"""Concrete stores by what they are for."""

from __future__ import annotations

from pathlib import Path

from gatewatch.bootstrap.installation import Installation
from gatewatch.config.settings import Settings
from gatewatch.store.sql import SqlControlStore
from gatewatch.traffic.clickhouse import ClickHouseTraffic

__all__ = ["control_store", "traffic_store"]


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
