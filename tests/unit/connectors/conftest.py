from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.connector_servers import SECRET
from tests.connector_servers import Vendor as Server

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.registry import Connections, kinds
from gatewatch.ports.connectors import ActionCall, ActionResult

from .vendors import Vendor

KINDS = kinds()


class Bench(NamedTuple):
    """A vendor, its server and a connection to it."""

    vendor: Vendor
    server: Server
    logic: Any
    connections: Connections

    def call(self, action: str = "", *, key: str = "run-1.step", **inputs: Any) -> ActionCall:
        given = inputs if action else self.vendor.inputs
        return ActionCall(connection="c", action=action or self.vendor.action, inputs=given, key=key)

    def perform(self, action: str = "", *, key: str = "run-1.step", **inputs: Any) -> ActionResult:
        return self.connections.perform(self.call(action, key=key, **inputs))

    def read_back(self) -> ActionResult:
        return self.connections.read_back(self.call())

    @property
    def effects(self) -> int:
        return len(self.vendor.effects(self.logic))


Benches = Callable[..., Bench]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Benches]:
    monkeypatch.setenv("GW_TEST_SECRET", SECRET)
    made: list[Bench] = []

    def make(vendor: Vendor, **settings: Any) -> Bench:
        logic = vendor.make()
        server = Server(logic)
        url = server.url + vendor.path
        if KINDS[vendor.connector].requirements.secret_url:
            monkeypatch.setenv("GW_TEST_URL", url)
            url = "env:GW_TEST_URL"
        chosen = {
            "name": "c",
            "connector": vendor.connector,
            "url": url,
            "secrets": dict.fromkeys(vendor.secrets, "env:GW_TEST_SECRET"),
            "options": {name: value.format(url=server.url) for name, value in vendor.options.items()},
            "private_hosts": ("127.0.0.1",),
            "timeout_s": 60.0,
            **settings,
        }
        made.append(Bench(vendor, server, logic, Connections([ConnectionSettings(**chosen)], KINDS)))
        return made[-1]

    yield make
    for one in made:
        one.connections.close()
        one.server.close()
