"""Where a run is, when somebody else writes it at the same time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gatewatch.model.run import Run, RunState
from gatewatch.respond.playbooks.world import Wish
from gatewatch.services.playbooks.world import RealWorld, Surrounding
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.playbooks import WallClock

QUEUED = Run(id="r", playbook="book", version=1, subject_kind="none", by="ann", reason="r", created_at=1.0)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[SqlControlStore]:
    made = SqlControlStore(f"sqlite:///{tmp_path}/control.sqlite")
    made.migrate()
    yield made
    made.close()


class Admitting:
    """The run store, where a run is marked as begun just before its first change."""

    def __init__(self, control: SqlControlStore) -> None:
        self._runs, self._admitted = control.runs, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runs, name)

    def save_run(self, run: Run, *, expected: Collection[RunState]) -> bool:
        if not self._admitted:
            self._admitted = True
            begun = msgspec.structs.replace(QUEUED, state=RunState.RUNNING, started_at=2.0)
            assert self._runs.save_run(begun, expected=(RunState.QUEUED,))
        return self._runs.save_run(run, expected=expected)


def test_a_run_that_asks_while_it_is_admitted_waits(control: SqlControlStore) -> None:
    control.runs.request(QUEUED)

    unused: Any = None
    unanswered: Any = SimpleNamespace(choice_of=lambda *_: ("", ""))
    around = Surrounding(
        store=Admitting(control),
        clock=WallClock(),
        connectors=unused,
        containing=None,
        changing=unused,
        signing=unanswered,
        links=unused,
        start=unused,
        done=unused,
    )
    world = RealWorld(around, QUEUED, "r")
    world.ask(Wish(path="a", kind="choice", text="?", options=("x",), default="x", expires_s=60.0))
    found = control.runs.run("r")
    assert (found.state, found.at, found.started_at) == (RunState.WAITING, "a", 2.0)
