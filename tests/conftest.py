"""Fixtures that tests of several folders share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import ServerProcess


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
