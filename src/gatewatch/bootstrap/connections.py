"""Puts connections together."""

from __future__ import annotations

import random
import socket

from gatewatch import __version__
from gatewatch.bootstrap.casework import rules
from gatewatch.config.settings import Settings, SubscriptionSettings
from gatewatch.connectors.callbacks import Callbacks
from gatewatch.connectors.registry import Connections, Kind, kinds, metas_of
from gatewatch.connectors.simulated import SimulatedConnectors
from gatewatch.connectors.standing import Standing
from gatewatch.formats.export import Context
from gatewatch.journal.sealing import Seal
from gatewatch.ports.clock import Clock
from gatewatch.ports.connectors import Connectors
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.services.incidents import Casework
from gatewatch.services.subscribing import Subscribing
from gatewatch.services.telling import Telling
from gatewatch.services.ticketing import Ticketing
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import Log

__all__ = [
    "callbacks",
    "connections",
    "connector_kinds",
    "simulated_connections",
    "standing",
    "subscribing",
    "telling",
    "ticketing",
]


def connector_kinds(settings: Settings) -> dict[str, Kind]:
    """Built-in connectors, those of other packages and those of the folder. Raises ConfigurationError."""
    return kinds(settings.connectors_dir)


def connections(settings: Settings) -> Connections:
    """All connections of the settings. Raises ConfigurationError, DefinitionError. Opens nothing."""
    return Connections(settings.connections, connector_kinds(settings) if settings.connections else {})


def standing(settings: Settings) -> Standing:
    """How they stand. Raises ConfigurationError, DefinitionError."""
    return Standing(settings.connections, connector_kinds(settings) if settings.connections else {})


def simulated_connections(settings: Settings) -> SimulatedConnectors:
    """The same connections with nothing behind them. Raises ConfigurationError, DefinitionError."""
    return SimulatedConnectors(metas_of(settings.connections, connector_kinds(settings)))


def callbacks(settings: SubscriptionSettings) -> Callbacks:
    """Calls back the hosts that the settings allow."""
    return Callbacks(settings.callback_hosts, private=settings.private_hosts)


def subscribing(settings: SubscriptionSettings, control: SqlControlStore, seal: Seal, clock: Clock) -> Subscribing:
    """`seal`: with a key of its own, derived from the installation's."""
    return Subscribing(
        store=control.subscriptions,
        caller=callbacks(settings),
        sealing=seal,
        clock=clock,
        head=control.changes.head,
    )


def telling(
    service: Subscribing, control: SqlControlStore, url: str, clock: Clock, log: Log, turn: Turn = ALWAYS
) -> Telling:
    """`url`: address of this Gatewatch for people, in links."""
    context = Context(rules=rules(), host=socket.gethostname(), version=__version__, url=url.rstrip("/"))
    return Telling(
        subscribing=service,
        changes=control.changes,
        read=control.exports.read,
        context=context,
        clock=clock,
        chance=random.SystemRandom(),
        log=log,
        turn=turn,
    )


def ticketing(connectors: Connectors, control: SqlControlStore, casework: Casework, clock: Clock) -> Ticketing:
    """Needs connections that are real."""
    return Ticketing(connectors=connectors, links=control.tickets, cases=control.cases, casework=casework, clock=clock)
