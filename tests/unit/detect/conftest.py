"""One traffic store for all detector tables: the embedded engine starts slowly, emptying it is quick."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gatewatch.traffic.clickhouse import ClickHouseTraffic

TABLES = (
    "observations", "traffic_minute_data", "traffic_hour_data", "client_hour_data", "object_access_data",
    "parameter_profile_data", "login_hour_data", "endpoint_facts_data", "information_facts_data", "paths", "address_ranges",
)  # fmt: skip


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseTraffic]:
    traffic = ClickHouseTraffic(f"chdb://{tmp_path_factory.mktemp('detect')}/traffic")
    traffic.migrate()
    yield traffic
    traffic.close()


@pytest.fixture
def store(engine: ClickHouseTraffic) -> ClickHouseTraffic:
    for table in TABLES:
        engine._command(f"TRUNCATE TABLE {table}")
    return engine
