"""Fixtures that tests of several folders share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from gatewatch.traffic.clickhouse import ClickHouseTraffic
from tests.server_process import ServerProcess

# The same examples in every run, so that a run that fails says something about the change. `HYPOTHESIS_PROFILE=explore`
# looks further. How long an example takes says something about the machine, not about the property.
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def new_traffic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ClickHouseTraffic]]:
    """Empty traffic stores, each a database of its own; the embedded engine allows one folder per process."""
    dsn = f"chdb://{tmp_path_factory.mktemp('traffic')}/engine"
    keep = ClickHouseTraffic(dsn, database="keep")
    numbers = count(1)

    def make() -> ClickHouseTraffic:
        return ClickHouseTraffic(dsn, database=f"test{next(numbers)}")

    yield make
    keep.close()


@pytest.fixture(scope="session")
def _shared_traffic(new_traffic: Callable[[], ClickHouseTraffic]) -> Iterator[ClickHouseTraffic]:
    store = new_traffic()
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def traffic(_shared_traffic: ClickHouseTraffic) -> ClickHouseTraffic:
    """A migrated traffic store with nothing in it; emptying one is quicker than making one."""
    tables = _shared_traffic.query(
        "SELECT name FROM system.tables WHERE database = currentDatabase()"
        " AND engine LIKE '%MergeTree' AND name != 'schema_migrations'"
    )
    for table in tables:
        _shared_traffic._command(f"TRUNCATE TABLE {table['name']}")
    _shared_traffic._command("SYSTEM RELOAD DICTIONARY paths_now")
    return _shared_traffic


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def server_at(tmp_path: Path) -> Iterator[Any]:
    made: list[ServerProcess] = []

    def make(settings: str = "") -> ServerProcess:
        made.append(ServerProcess(tmp_path, settings))
        return made[-1]

    yield make
    for process in made:
        process.stop()
