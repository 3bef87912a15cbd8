"""Puts connections together."""

from __future__ import annotations

from gatewatch.config.settings import Settings
from gatewatch.connectors.registry import Connections, Kind, kinds, metas_of
from gatewatch.connectors.simulated import SimulatedConnectors

__all__ = ["connections", "connector_kinds", "simulated_connections"]


def connector_kinds(settings: Settings) -> dict[str, Kind]:
    """Built-in connectors, those of other packages and those of the folder. Raises ConfigurationError."""
    return kinds(settings.connectors_dir)


def connections(settings: Settings) -> Connections:
    """All connections of the settings. Raises ConfigurationError, DefinitionError. Opens nothing."""
    return Connections(settings.connections, connector_kinds(settings) if settings.connections else {})


def simulated_connections(settings: Settings) -> SimulatedConnectors:
    """The same connections with nothing behind them. Raises ConfigurationError, DefinitionError."""
    return SimulatedConnectors(metas_of(settings.connections, connector_kinds(settings)))
