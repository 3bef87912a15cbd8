"""What is kept of a run when somebody else writes it at the same time, and when its end is cut off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from gatewatch.model.run import Run, RunState
from gatewatch.ports.playbooks import RunRequest, RunSubject, SubjectKind
from gatewatch.respond.playbooks.world import BranchEnd, Wish
from gatewatch.services.playbooks.world import RealWorld, Surrounding
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.playbooks import RememberingConnectors, RestingRuns, WallClock, desk_for_tests

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


BOOK = """\
schema: gatewatch.playbook/v1
name: book
title: Book
subject: none
steps: [{id: a, wait: {for: 1s}}]
"""


def test_an_end_that_was_cut_off_is_concluded_once(
    control: SqlControlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = configure(level="critical")
    desk = desk_for_tests(tmp_path, control, RememberingConnectors(), WallClock(), log, durable=RestingRuns())
    desk.library.save(BOOK, by="ann")
    desk.library.enable("book", by="ann")
    request = RunRequest(playbook="book", subject=RunSubject(kind=SubjectKind.NONE), by="ann", reason="r", key="k")
    run = desk.runs.start(request)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    end = BranchEnd(steps={}, variables={})
    with monkeypatch.context() as patch:
        patch.setattr(desk.runs, "_close_questions", killed)
        with pytest.raises(KeyboardInterrupt):
            desk.runs._finish(run, end)
    assert desk.runs.run(run).state is RunState.SUCCEEDED
    for _ in range(2):
        desk.runs._finish(run, end)
    log_of_run, _ = control.cases.activities(subject="run", subject_id=run)
    assert [entry.action for entry in log_of_run] == ["succeeded", "requested"]


def test_a_run_that_asks_while_it_is_admitted_waits(control: SqlControlStore) -> None:
    control.runs.request(QUEUED)

    unused: Any = None
    unanswered: Any = SimpleNamespace(choice_of=lambda *_: ("", ""), key_id="k")
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
