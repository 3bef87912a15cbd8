"""What rigs with a contract server share."""

from __future__ import annotations

import copy
import os
from abc import abstractmethod
from typing import Any

from tests.gateway_rigs.rig import Rig
from tests.gateway_rigs.server import ContractServer, Reply, Request

SECRET = "env:TEST_GATEWAY"
os.environ["TEST_GATEWAY"] = "s3cret"


class ServedRig(Rig):
    """Configuration that lives in a database: a restart of the gateway loses nothing."""

    real, survives = False, True

    def start(self) -> None:
        self.kept = self.beginning()
        self.server = ContractServer(self.answer)
        self.stack.callback(self.server.close)

    @abstractmethod
    def beginning(self) -> Any: ...

    @abstractmethod
    def answer(self, request: Request) -> Reply: ...

    def restart(self) -> None:
        pass

    def cut(self) -> None:
        self.server.away = True

    def mend(self) -> None:
        self.server.away = False

    def state(self) -> object:
        return copy.deepcopy(self.kept)
