"""All kinds of connectors, and the connections that the settings make of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.coded import CodedConnector
from gatewatch.connectors.declarative import DeclarativeConnector, requirements_of
from gatewatch.connectors.definition import Definition, meta_of
from gatewatch.connectors.inputs import check_call
from gatewatch.connectors.loading import built_in, load_folder
from gatewatch.connectors.reach import Reach, Requirements
from gatewatch.egress.guard import Resolver, looked_up
from gatewatch.errors import ConfigurationError
from gatewatch.plugins import discover
from gatewatch.ports.connectors import ActionCall, ActionResult, Connector, ConnectorError, ConnectorMeta

__all__ = ["Connections", "Kind", "kinds", "metas_of"]


class Kind(NamedTuple):
    """One kind of connector."""

    meta: ConnectorMeta
    requirements: Requirements
    open: Callable[[Reach], Connector]
    definition: Definition | None = None


def kinds(folder: str = "") -> dict[str, Kind]:
    """Built-in ones, those of entry-point group `gatewatch.connectors` and those of a folder, by id.

    Raises DefinitionError; ConfigurationError for two with one id.
    """
    found = [_declared(definition) for definition in [*built_in(), *(load_folder(folder) if folder else [])]]
    found += [_coded(kind) for kind in discover("gatewatch.connectors", CodedConnector, group="gatewatch.connectors")]
    by_id: dict[str, Kind] = {}
    for kind in found:
        if kind.meta.id in by_id:
            raise ConfigurationError(f"there are two connectors {kind.meta.id}", cure="Give yours another id.")
        by_id[kind.meta.id] = kind
    return by_id


def metas_of(connections: Sequence[ConnectionSettings], known: Mapping[str, Kind]) -> dict[str, ConnectorMeta]:
    """Connection -> what it can do. Raises ConfigurationError for unknown connectors and names used twice."""
    found: dict[str, ConnectorMeta] = {}
    for settings in connections:
        if settings.connector not in known:
            raise ConfigurationError(
                f"connection {settings.name}: there is no connector {settings.connector}",
                cure=f"There are {', '.join(sorted(known))}.",
            )
        if settings.name in found:
            raise ConfigurationError(f"there are two connections {settings.name}")
        if settings.enabled:
            found[settings.name] = known[settings.connector].meta
    return found


class Connections:
    """Implements ports.connectors.Connectors with real connections. Thread-safe."""

    def __init__(
        self,
        settings: Iterable[ConnectionSettings],
        known: Mapping[str, Kind],
        *,
        resolver: Resolver = looked_up,
    ) -> None:
        """Opens nothing. Raises ConfigurationError."""
        chosen = list(settings)
        self._metas = metas_of(chosen, known)
        self._connectors = {
            one.name: known[one.connector].open(Reach(one, known[one.connector].requirements, resolver=resolver))
            for one in chosen
            if one.enabled
        }

    def metas(self) -> dict[str, ConnectorMeta]:
        """See Connectors.metas."""
        return dict(self._metas)

    def perform(self, call: ActionCall) -> ActionResult:
        """See Connectors.perform."""
        connector = self._connector(call)
        check_call(self._metas[call.connection], call)
        return connector.perform(call)

    def read_back(self, call: ActionCall) -> ActionResult:
        """See Connectors.read_back."""
        connector = self._connector(call)
        check_call(self._metas[call.connection], call)
        return connector.read_back(call)

    def close(self) -> None:
        """Let go of connections."""
        for connector in self._connectors.values():
            connector.close()

    def _connector(self, call: ActionCall) -> Connector:
        if call.connection not in self._connectors:
            known = ", ".join(sorted(self._connectors)) or "none"
            raise ConnectorError(f"there is no connection {call.connection}", cure=f"Configured are: {known}.")
        return self._connectors[call.connection]


def _declared(definition: Definition) -> Kind:
    def opened(reach: Reach) -> Connector:
        return DeclarativeConnector(definition, reach)

    return Kind(meta_of(definition), requirements_of(definition), opened, definition)


def _coded(kind: type[CodedConnector]) -> Kind:
    return Kind(kind.meta, kind.requirements, kind)
