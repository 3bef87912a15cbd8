"""Runs one playbook to its end in children that kill themselves at every boundary there is, each once.

    python -m tests.playbook_process DIRECTORY RECEIVER_PORT

Everything is imported once; each child is a fork that opens the stores, resumes, and dies at the first boundary where no
child before it has died. Prints `killed NAME` for each, at last `state STATE`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from gatewatch.durable.dbos_runs import DbosEngine
from gatewatch.errors import ConflictError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.ports.control import Role, Token
from gatewatch.ports.playbooks import RunRequest, RunSubject, SubjectKind
from gatewatch.ports.runs import QuestionFilter
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.playbooks import RememberingConnectors, WallClock, desk_for_tests

PLAYBOOK = """\
schema: gatewatch.playbook/v1
name: ten-steps
title: Ten steps
subject: none
steps:
  - {id: first, action: {connection: memory, do: send, with: {text: first}}}
  - {id: keep, set: {values: {letters: "${['a', 'b']}"}}}
  - {id: rest, wait: {for: 0.05s}}
  - id: many
    each:
      in: vars.letters
      as: letter
      do: [{id: tell, action: {connection: memory, do: send, with: {text: 'letter ${letter}'}}}]
  - id: both
    parallel:
      branches:
        left: [{id: l, lock: door, action: {connection: memory, do: send, with: {text: left}}}]
        right: [{id: r, action: {connection: memory, do: send, with: {text: right}}}]
  - id: way
    if: {condition: "steps.l.ticket == 'T-left'", then: [{id: yes, action: {connection: memory, do: send, with: {text: then}}}]}
  - id: ok
    approval:
      text: Go on?
      expires: 1h
      tell: [{connection: memory, do: send, with: {text: asked}}]
      then: [{id: agreed, action: {connection: memory, do: send, with: {text: agreed}}}]
  - {id: which, ask: {text: 'Which?', options: [one, two], default: one, expires: 1h}}
  - {id: chosen, switch: {on: steps.which.choice, cases: {two: [{id: c, action: {connection: memory, do: send, with: {text: chose two}}}]}}}
  - {id: last, action: {connection: memory, do: send, with: {text: last}}}
"""
EFFECTS = ["agreed", "asked", "chose two", "first", "last", "left", "letter a", "letter b", "right", "then"]


class Dying:
    """Kills this process at the first boundary that is not in the file yet."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = set(file.read_text().splitlines()) if file.exists() else set()
        self._lock = threading.RLock()

    def alone(self) -> threading.RLock:
        """Held while something is sent: a branch beside it dies before or after, so that every boundary is reached."""
        return self._lock

    def at(self, name: str) -> None:
        with self._lock:
            if name in self._known:
                return
            with self._file.open("a") as out:
                out.write(name + "\n")
                out.flush()
                os.fsync(out.fileno())
            os.kill(os.getpid(), signal.SIGKILL)


class Receiving(RememberingConnectors):
    """Effects are where they can be counted: in the receiver."""

    def __init__(self, port: int, dying: Dying) -> None:
        super().__init__()
        self._url, self._dying = f"http://127.0.0.1:{port}", dying

    def perform(self, call: ActionCall) -> ActionResult:
        text = call.inputs["text"]
        with self._dying.alone():
            self._dying.at(f"{text}: before sending")
            httpx.post(f"{self._url}/{call.key}", content=text, timeout=300).raise_for_status()
            self._dying.at(f"{text}: after sending")
        return ActionResult(outcome=Outcome.SUCCEEDED, values={"ticket": f"T-{text}"})

    def read_back(self, call: ActionCall) -> ActionResult:
        found = httpx.get(f"{self._url}/{call.key}", timeout=300).status_code == httpx.codes.OK
        if not found:
            return ActionResult(outcome=Outcome.FAILED, error="nothing there")
        return ActionResult(outcome=Outcome.SUCCEEDED, values={"ticket": f"T-{call.inputs['text']}"})


def tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def child(directory: Path, port: int) -> None:
    dying = Dying(directory / "killed")
    once = DbosEngine.once

    async def dying_once(self: DbosEngine, name: str, work: Callable[[], Any], kind: Any, **more: Any) -> Any:
        def between() -> Any:
            dying.at(f"{name}: before")
            value = work()
            dying.at(f"{name}: after, not journalled")
            return value

        return await once(self, name, between, kind, **more)

    DbosEngine.once = dying_once  # type: ignore[method-assign]
    control = SqlControlStore(f"sqlite:///{directory / 'control.sqlite'}")
    control.migrate()
    desk = desk_for_tests(directory, control, Receiving(port, dying), WallClock(), configure(level="critical"))
    desk.library.save(PLAYBOOK, by="ann")
    if not desk.library.version("ten-steps").enabled:
        desk.library.promote("ten-steps", by="ann")
        desk.library.enable("ten-steps", by="ann")
    desk.runs.launch()
    request = RunRequest(
        playbook="ten-steps", subject=RunSubject(kind=SubjectKind.NONE), by="ann", reason="crash", key="only"
    )
    run = desk.runs.start(request)
    people = {"approval": "approve", "choice": "two", "outcome": "unknown"}
    pause = threading.Event()
    while not desk.runs.run(run).state.over:
        for question in desk.answering.questions(QuestionFilter(open=True))[0]:
            token = Token(id="bob", name="bob", role=Role.ADMIN, secret_hash="", created_at=0.0)
            try:
                choice = people[question.kind.value]
                desk.answering.answer(question.id, choice, token=token, digest=question.digest)
            except ConflictError:
                pass  # answered before the last kill
        pause.wait(0.02)
    tell(f"state {desk.runs.run(run).state.value} {desk.runs.run(run).error}")
    desk.runs.stop()
    control.close()


def main() -> None:
    directory, port = Path(sys.argv[1]), int(sys.argv[2])
    for _ in range(400):
        number = os.fork()
        if number == 0:
            child(directory, port)
            os._exit(0)
        _, status = os.waitpid(number, 0)
        if os.WIFEXITED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        tell(f"killed {(directory / 'killed').read_text().splitlines()[-1]}")
    sys.exit("no end")


if __name__ == "__main__":
    main()
