"""Collectors as configured: Envoy's access-log service and followed files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gatewatch.config.settings import Settings
from gatewatch.ports.clock import Clock
from gatewatch.ports.journal import Journal
from gatewatch.ports.wire import WireFormat
from gatewatch.sources.envoy_collector import EnvoyCollector
from gatewatch.sources.tail import FileFollower
from gatewatch.telemetry.logs import Log

__all__ = ["Collectors"]


class _Collector(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


class Collectors:
    """Started after, and stopped before, everything else."""

    def __init__(
        self, settings: Settings, journal: Journal, formats: Mapping[str, WireFormat], clock: Clock, log: Log
    ) -> None:
        """Make what the settings ask for."""
        self._parts: list[_Collector] = []
        if settings.envoy.enabled:
            self._parts.append(EnvoyCollector(settings.envoy, journal, clock, log))
        self._parts += [FileFollower(tail, settings.data_dir, journal, formats, clock, log) for tail in settings.tail]

    def start(self) -> None:
        """Begin."""
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        """End; positions are kept."""
        for part in self._parts:
            part.stop()
