"""Receivers that close with the test, a certificate, and items to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.export_servers import Answer, Authority, HttpReceiver, Request, StreamReceiver, authority
from tests.unit.exporters.items import OPEN

TAKEN = Answer()


@pytest.fixture(scope="session")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("trust"))


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


@pytest.fixture
def receiver() -> Iterator[Callable[..., HttpReceiver]]:
    made: list[HttpReceiver] = []

    def make(answer: Callable[[Request], Answer] | Answer = TAKEN, **more: Any) -> HttpReceiver:
        made.append(HttpReceiver(answer if callable(answer) else lambda _: answer, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def stream() -> Iterator[Callable[..., StreamReceiver]]:
    made: list[StreamReceiver] = []

    def make(*arguments: Any, **more: Any) -> StreamReceiver:
        made.append(StreamReceiver(*arguments, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def secret(tmp_path: Path) -> str:
    """A reference to a secret in a file, `s3cret`."""
    (tmp_path / "secret").write_text("s3cret\n")
    return f"file:{tmp_path}/secret"
