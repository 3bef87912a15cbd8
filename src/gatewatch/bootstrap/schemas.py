"""Schemas of both stores, for `gatewatch db`."""

from __future__ import annotations

from gatewatch.bootstrap.installation import DirectoryLock, Installation
from gatewatch.bootstrap.parts import control_store, traffic_store
from gatewatch.config.settings import Settings
from gatewatch.errors import NotFoundError

__all__ = ["check_schemas", "upgrade_schemas"]


def upgrade_schemas(settings: Settings) -> dict[str, list[str]]:
    """Migrations applied per store. Raises StoreError when a server runs on the data directory."""
    installation = Installation(settings)
    lock = DirectoryLock(installation.directory)
    traffic, control = traffic_store(settings, installation), control_store(settings, installation)
    try:
        return {"traffic": traffic.migrate(), "control": control.migrate()}
    finally:
        control.close()
        traffic.close()
        lock.release()


def check_schemas(settings: Settings) -> dict[str, bool]:
    """Whether each store is at this version. Raises NotFoundError, rather than make what it was to look at."""
    if not Installation.is_at(settings.data_dir):
        raise NotFoundError(
            f"there is no installation in {settings.data_dir}",
            cure="Name its --data-dir; `gatewatch serve` and `gatewatch db upgrade` make one.",
        )
    installation = Installation(settings)
    lock = DirectoryLock(installation.directory)
    traffic, control = traffic_store(settings, installation), control_store(settings, installation)
    try:
        return {"traffic": traffic.schema_current(), "control": control.schema_current()}
    finally:
        control.close()
        traffic.close()
        lock.release()
