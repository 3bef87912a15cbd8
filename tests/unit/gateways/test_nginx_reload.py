"""While nginx reloads, workers of before and after take connections side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway_rigs.server import ContractServer, Reply

from gatewatch.gateways.nginx import Nginx, NginxSettings
from gatewatch.ports.gateways import Site
from gatewatch.testing.gateways import SetClock

OLD_AND_NEW = ["old", "new", "new", "old", "new", "new", "new", "new", "new"]


@pytest.fixture
def answers() -> Iterator[tuple[ContractServer, list[str]]]:
    left = list(OLD_AND_NEW)
    server = ContractServer(lambda _: Reply(200, int(left.pop(0) == "new")))
    yield server, left
    server.close()


def test_a_version_is_in_force_when_no_worker_serves_another(
    answers: tuple[ContractServer, list[str]], tmp_path: Path
) -> None:
    server, left = answers
    site = Site(name="edge", directory=tmp_path, clock=SetClock(0.0))
    nginx = Nginx(NginxSettings(directory=str(tmp_path), status_url=server.url), site)
    assert nginx._serves("1", 10.0, 5)
    assert left == [], "the last five in a row, not the first that agrees"
    nginx.close()
