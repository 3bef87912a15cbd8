"""Connectors as playbooks see them: one call, one outcome, and a way to find out what became of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

import msgspec

from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionInput, ActionMeta, ActionResult, ConnectorMeta, Outcome

__all__ = [
    "ActionCall",
    "ActionInput",
    "ActionMeta",
    "ActionResult",
    "ConnectionReader",
    "ConnectionState",
    "ConnectionTest",
    "Connector",
    "ConnectorError",
    "ConnectorMeta",
    "Connectors",
    "Outcome",
]


class ConnectionState(msgspec.Struct, frozen=True, kw_only=True):
    """One connection of the settings, without what is secret."""

    name: str
    connector: str
    title: str
    enabled: bool
    host: str
    """'' when there is none, or when the address is a secret."""
    actions: tuple[ActionMeta, ...]
    secrets: dict[str, bool]
    """By name whether it can be read now; `address` when that is one."""


class ConnectionTest(msgspec.Struct, frozen=True, kw_only=True):
    """What a test found."""

    name: str
    problems: tuple[str, ...]
    """Sentences that hold no secret; none when all is well."""


class ConnectionReader(Protocol):
    """How the connections stand."""

    def connections(self) -> list[ConnectionState]:
        """All by name, also those that are off."""
        ...

    def connection(self, name: str) -> ConnectionState:
        """Raises NotFoundError."""
        ...

    def test(self, name: str) -> ConnectionTest:
        """Reads secrets and opens a connection, over which nothing is sent. Raises NotFoundError."""
        ...


class ConnectorError(GatewatchError):
    """A connector that is not configured, or can't do what is asked; its text never holds a secret."""

    code = "connector"


class Connector(ABC):
    """One kind of other system; one file. Thread-safe."""

    meta: ClassVar[ConnectorMeta]

    @abstractmethod
    def perform(self, call: ActionCall) -> ActionResult:
        """Do it once. Raises ConnectorError for what can't be asked of it; what went wrong is in the result."""

    @abstractmethod
    def read_back(self, call: ActionCall) -> ActionResult:
        """What became of an earlier call with this key: SUCCEEDED, FAILED (it had no effect) or UNKNOWN."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""


class Connectors(Protocol):
    """All configured connections by name: the real ones, or the simulated ones that can't reach anything."""

    def metas(self) -> dict[str, ConnectorMeta]:
        """Connection name -> what it can do."""
        ...

    def perform(self, call: ActionCall) -> ActionResult:
        """Checks the inputs against the action's meta first. Raises ConnectorError."""
        ...

    def read_back(self, call: ActionCall) -> ActionResult:
        """See Connector.read_back. Raises ConnectorError."""
        ...
