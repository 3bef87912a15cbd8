"""Connectors as playbooks see them: one call, one outcome, and a way to find out what became of a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from gatewatch.errors import GatewatchError
from gatewatch.model.action import ActionCall, ActionInput, ActionMeta, ActionResult, ConnectorMeta, Outcome

__all__ = [
    "ActionCall",
    "ActionInput",
    "ActionMeta",
    "ActionResult",
    "Connector",
    "ConnectorError",
    "ConnectorMeta",
    "Connectors",
    "Outcome",
]


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
