"""Playbooks that rules want: started after the rule's changes are kept, once, whatever crashes in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from hashlib import blake2b

import msgspec

from gatewatch.errors import ConflictError, InputError, NotFoundError
from gatewatch.model.automation import ActionOutcome, ActionReport, RuleRun
from gatewatch.ports.automation import AutomationStore
from gatewatch.ports.playbooks import PlaybookStarter, RunRequest, RunSubject, SubjectKind
from gatewatch.services.automation.acting import author, entry_of

__all__ = ["NoPlaybooks", "Starting"]

_PAGE = 100
Entry = tuple[str, str]
"""(action, text) for the audit log."""


class NoPlaybooks:
    """Implements `ports.playbooks.PlaybookStarter` where there are none."""

    def start(self, request: RunRequest) -> str:
        """Always a conflict."""
        raise ConflictError(f"{request.playbook} can't be started: this installation has no playbooks")


class Starting:
    """Asks for what waits. Asking twice is no harm: the key of a request is made of run and place."""

    def __init__(self, store: AutomationStore, starter: PlaybookStarter, now: Callable[[], float]) -> None:
        """`now` in Unix seconds."""
        self._store, self._starter, self._now = store, starter, now
        self._turn = threading.Lock()
        self.started = self.refused = 0

    def run(self) -> int:
        """Until nothing waits; how many were asked for. Any error but a refusal goes on, and everything is kept."""
        count = 0
        with self._turn:
            while waiting := self._store.waiting(_PAGE):
                settled: list[tuple[RuleRun, list[Entry]]] = []
                try:
                    for run in waiting:
                        settled.append(self._asked(run))
                        count += len(settled[-1][1])
                finally:
                    # What was started before something failed need not be asked for again.
                    self._keep(settled)
        return count

    def _asked(self, run: RuleRun) -> tuple[RuleRun, list[Entry]]:
        actions, told = list(run.actions), list[Entry]()
        for index, action in enumerate(actions):
            if action.outcome is ActionOutcome.WAITING:
                actions[index] = new = self._start(run, index, action)
                done = new.outcome is ActionOutcome.DONE
                word = "playbook_started" if done else "playbook_refused"
                told.append((word, f"{action.playbook}: {new.detail}" if new.detail else action.playbook))
        return msgspec.structs.replace(run, actions=tuple(actions)), told

    def _keep(self, settled: list[tuple[RuleRun, list[Entry]]]) -> None:
        if not settled:
            return
        at = self._now()
        entries = [entry_of(run, word, text, at) for run, told in settled for word, text in told]
        with self._store.unit(at) as unit:
            for run, _ in settled:
                unit.replace(run)
            unit.cases.record(entries)
        refused = sum(entry.action == "playbook_refused" for entry in entries)
        self.refused += refused
        self.started += len(entries) - refused

    def _start(self, run: RuleRun, index: int, action: ActionReport) -> ActionReport:
        request = RunRequest(
            playbook=action.playbook,
            subject=RunSubject(kind=SubjectKind(run.about.value), id=run.subject),
            by=run.by or author(run.rule),
            reason=f"{author(run.rule)}: {run.why}",
            key=blake2b(f"{run.id} {index}".encode(), digest_size=16).hexdigest(),
            inputs=action.inputs,
            chain=(*run.chain, run.rule),
        )
        try:
            started = self._starter.start(request)
        except (NotFoundError, ConflictError, InputError) as error:
            return msgspec.structs.replace(action, outcome=ActionOutcome.FAILED, detail=error.message)
        return msgspec.structs.replace(action, outcome=ActionOutcome.DONE, run=started)
