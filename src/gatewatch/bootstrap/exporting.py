"""Puts continuous export together."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable

from gatewatch import __version__
from gatewatch.bootstrap.casework import rules
from gatewatch.config.settings import ExportSettings
from gatewatch.formats.export import Context, all_formats
from gatewatch.plugins import discover
from gatewatch.ports.clock import Clock
from gatewatch.ports.export import Exporter
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.services.exporting import Exporting, targets_of
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = ["exporters", "exporting"]


def exporters() -> dict[str, type[Exporter]]:
    """Built-in transports and those of entry-point group `gatewatch.exporters`, by id."""
    found = discover("gatewatch.exporters", Exporter, group="gatewatch.exporters")
    return {kind.meta.id: kind for kind in found}


def exporting(
    settings: ExportSettings,
    control: SqlControlStore,
    clock: Clock,
    log: Log,
    needed: Callable[[], int] | None = None,
    turn: Turn = ALWAYS,
) -> Exporting:
    """The service with all configured targets. Raises ConfigurationError. Loads no transport when there is none.

    `needed` is the last change that another follower of the change log has worked off.
    """
    context = Context(rules=rules(), host=socket.gethostname(), version=__version__, url=settings.url.rstrip("/"))
    known = exporters() if settings.targets else {}
    targets = targets_of(settings.targets, all_formats(), known, context) if settings.targets else []
    return Exporting(
        settings=settings,
        targets=targets,
        store=control.exports,
        changes=control.changes,
        cases=control.cases,
        clock=clock,
        chance=random.SystemRandom(),
        log=log,
        needed=needed,
        turn=turn,
    )
