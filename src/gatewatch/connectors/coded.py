"""A connector as one module, for what is no HTTP request."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from gatewatch.connectors.reach import Reach, Requirements
from gatewatch.ports.connectors import Connector

__all__ = ["CodedConnector"]


class CodedConnector(Connector):
    """Its class says what connections have to give."""

    requirements: ClassVar[Requirements]

    @abstractmethod
    def __init__(self, reach: Reach) -> None:
        """Opens nothing. Raises ConfigurationError."""
