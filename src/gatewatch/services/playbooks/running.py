"""Runs: asked for by rules and people, admitted in order, executed durably, ended in the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from gatewatch.errors import ConflictError, GatewatchError, InputError, NotFoundError
from gatewatch.model.activity import Activity, Origin, Subject
from gatewatch.model.run import Run, RunState, StepRecord
from gatewatch.ports.cases import CaseStore
from gatewatch.ports.clock import Clock
from gatewatch.ports.playbooks import RunRequest, RunSubject, SubjectKind
from gatewatch.ports.runs import Durable, QuestionFilter, RunFilter, RunStore
from gatewatch.respond.conditions import fill
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.respond.playbooks.interpreting import Interpreter
from gatewatch.respond.playbooks.planning import key_of
from gatewatch.respond.playbooks.world import Branch, BranchEnd, Engine, World
from gatewatch.services.playbooks.changing import Changing
from gatewatch.services.playbooks.library import Library, chosen_inputs
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["Runs", "Worlds", "facts_of"]

_TICK_S = 0.25
_ADMIT = 200
_SWEEP_EVERY = 40
"""Ticks between looks at what the engine says of runs under way."""
_MOST_DEPTH = 5
"""Sub-playbooks inside each other."""

Worlds = Callable[[Run, str], World]
"""(run, address) -> its world: the real one, or one that simulates for a playbook in staging."""


class Runs:
    """Implements `ports.playbooks.PlaybookStarter`. Thread-safe."""

    def __init__(
        self,
        *,
        store: RunStore,
        library: Library,
        cases: CaseStore,
        changing: Changing,
        durable: Durable,
        worlds: Worlds,
        clock: Clock,
        log: Log,
    ) -> None:
        """Nothing runs yet."""
        self._store, self._library, self._cases, self._changing = store, library, cases, changing
        self._durable, self._worlds, self._clock, self._log = durable, worlds, clock, log
        self._ticks = 0
        self.sweeps: list[Callable[[], object]] = []
        """What else is done now and then."""
        self._admission = Repeating("runs", self._tick, _TICK_S, log)

    @property
    def failing(self) -> str:
        """Why runs can't be admitted; shown by readiness."""
        return self._admission.failing

    def launch(self) -> None:
        """Go on with what was under way, admit what is queued."""
        self._durable.launch(self._execute)
        self._admission.start()

    def stop(self) -> None:
        """Steps under way end; the next launch goes on behind them."""
        self._admission.stop()
        self._durable.close()

    def start(self, request: RunRequest) -> str:
        """See PlaybookStarter."""
        return self.request(request).id

    def request(self, request: RunRequest, *, parent: Run | None = None) -> Run:
        """The run that serves a request."""
        version = self._library.version(request.playbook)
        if not version.enabled:
            raise ConflictError(f"playbook {version.name} is off", cure="Enable it first.")
        document = self._library.document(version.name, version.version)
        kind = SubjectKind(request.subject.kind)
        if document.subject not in (kind.value, "none"):
            raise ConflictError(f"playbook {version.name} is about a subject {document.subject}, not {kind.value}")
        run = Run(
            id=key_of("request", request.key),
            playbook=version.name,
            version=version.version,
            subject_kind=kind.value,
            subject_id=request.subject.id,
            incident=self._changing.incident_of(kind, request.subject.id),
            by=request.by,
            reason=request.reason[:1000],
            inputs=chosen_inputs(document, request.inputs),
            chain=request.chain,
            staged=version.staging or (parent is not None and parent.staged),
            created_at=self._clock.now(),
        )
        if document.coalesce:
            known = {**self._changing.context(run), "inputs": run.inputs, "vars": {}, "steps": {}}
            known |= {"run": facts_of(run, document), "now": run.created_at}
            run = msgspec.structs.replace(run, coalesce=str(fill(document.coalesce, known)))
        kept = self._store.request(run)
        if kept == run:
            self._record(run, "requested", f"Playbook {run.playbook}, version {run.version}: {run.reason}", by=run.by)
            self._admission.wake()
        return kept

    def start_inside(self, parent: Run, playbook: str, inputs: Mapping[str, Any], key: str, address: str) -> str:
        """A sub-playbook on the same subject; it tells `address` when it has ended."""
        depth = parent.by.count(">") + 1 if parent.by.startswith("run ") else 1
        if depth > _MOST_DEPTH:
            raise ConflictError(f"playbooks inside each other are {_MOST_DEPTH} deep at most")
        subject = RunSubject(kind=SubjectKind(parent.subject_kind), id=parent.subject_id)
        chain = parent.by.removeprefix("run ") + ">" if parent.by.startswith("run ") else ""
        by = f"run {chain}{address}"
        request = RunRequest(
            playbook=playbook,
            subject=subject,
            by=by,
            reason=f"part of {parent.playbook}",
            key=key,
            inputs=dict(inputs),
            chain=parent.chain,
        )
        return self.request(request, parent=parent).id

    def run(self, run_id: str) -> Run:
        """One run. Raises NotFoundError."""
        return self._store.run(run_id)

    def runs(self, where: RunFilter, *, cursor: str = "", limit: int = 50) -> tuple[list[Run], str]:
        """A page, newest first."""
        return self._store.runs(where, cursor=cursor, limit=limit)

    def steps(self, run_id: str) -> list[StepRecord]:
        """Attempts at steps in order of their begin."""
        return self._store.steps(run_id)

    def cancel(self, run_id: str, *, by: str, reason: str) -> Run:
        """End a run and those inside it: an effect under way ends, no further step begins.

        Raises NotFoundError, ConflictError.
        """
        run = self._store.run(run_id)
        if run.state.over:
            raise ConflictError(f"run {run_id} is over")
        why = f"{by}: {reason}" if reason else by
        now = self._clock.now()
        ended = msgspec.structs.replace(run, state=RunState.CANCELLED, ended_at=now, cancel=why, error=why)
        if not self._store.save_run(ended, expected=[state for state in RunState if not state.over]):
            raise ConflictError(f"run {run_id} is over")
        self._durable.cancel(run_id)
        self._close_questions(run_id, now)
        self._record(ended, "cancelled", f"Cancelled: {reason}", by=by, origin=Origin.PERSON)
        for inner in self._inside(run):
            with suppress(ConflictError):  # it ended by itself
                self.cancel(inner.id, by=by, reason=f"part of run {run_id}")
        return ended

    def _inside(self, run: Run) -> list[Run]:
        """Runs that a run started and that are not over."""
        states = tuple(state for state in RunState if not state.over)
        where = RunFilter(state=states, subject_kind=run.subject_kind, subject_id=run.subject_id)
        found: list[Run] = []
        cursor = ""
        while True:
            page, cursor = self._store.runs(where, cursor=cursor, limit=_ADMIT)
            found += [one for one in page if _parent_of(one).partition("/")[0] == run.id]
            if not cursor:
                return found

    def depth(self) -> dict[RunState, int]:
        """How many runs are in each state that is not over."""
        found: dict[RunState, int] = {}
        for (_, state), count in self._store.counts().items():
            found[state] = found.get(state, 0) + count
        return found

    def _tick(self) -> None:
        self._admit()
        self._ticks += 1
        if self._ticks % _SWEEP_EVERY == 1:
            self._look()
            for sweep in self.sweeps:
                sweep()

    def _admit(self) -> None:
        """Queued runs in order, as far as their playbooks' concurrency goes; one that is full keeps no other back."""
        counts = self._store.counts()
        for name in sorted(name for name, state in counts if state is RunState.QUEUED):
            busy = counts.get((name, RunState.RUNNING), 0)
            for run in self._store.queued(name, _ADMIT):
                try:
                    document = self._library.document(run.playbook, run.version)
                except (NotFoundError, InputError) as error:
                    # Of an older Gatewatch, say. It must not keep all that stand behind it waiting.
                    self._end(run, RunState.FAILED, f"its playbook can't be read: {error.message}")
                    continue
                if busy >= document.concurrency:
                    break
                busy += 1
                begun = msgspec.structs.replace(run, state=RunState.RUNNING, started_at=self._clock.now())
                # First the engine: a run that is started twice is one, a run that is marked and never started is lost.
                self._durable.start(run.id)
                self._store.save_run(begun, expected=(RunState.QUEUED,))

    def _look(self) -> None:
        """Runs that the engine gave up by a fault of ours end as failed, not never."""
        states = (RunState.RUNNING, RunState.WAITING)
        cursor = ""
        while True:
            page, cursor = self._store.runs(RunFilter(state=states), cursor=cursor, limit=_ADMIT)
            told = self._durable.states([run.id for run in page])
            for run in page:
                if told.get(run.id) in ("failed", "cancelled"):
                    self._end(run, RunState.FAILED, "it ended by a fault of Gatewatch; see the log")
            if not cursor:
                return

    async def _execute(self, run_id: str, branch: str, address: str, engine: Engine) -> str:
        run = self._store.run(run_id)
        document = self._library.document(run.playbook, run.version)
        world = self._worlds(run, address)
        interpreter = Interpreter(document, engine, world, run=run.id, incident=run.incident)
        if branch:
            end = await interpreter.branch(msgspec.json.decode(branch, type=Branch))
        else:
            facts = await engine.once("facts", lambda: facts_of(self._begun(run_id), document), dict)
            end = await interpreter.run(facts, run.inputs)
            await engine.once("end", lambda: self._finish(run_id, end), str)
        return msgspec.json.encode(end).decode()

    def _begun(self, run_id: str) -> Run:
        """The run; its time counts from now when the engine was faster than the mark of its admission."""
        run = self._store.run(run_id)
        return run if run.started_at is not None else msgspec.structs.replace(run, started_at=self._clock.now())

    def _finish(self, run_id: str, end: BranchEnd) -> str:
        run = self._store.run(run_id)
        if not run.state.over:
            self._end(run, end.stopped or RunState.SUCCEEDED, end.error)
        elif not run.cancel:
            self._conclude(run)  # we ended it, and were cut off before the journal heard of it
        return ""

    def _end(self, run: Run, state: RunState, error: str) -> None:
        ended = msgspec.structs.replace(run, state=state, error=error[:2000], ended_at=self._clock.now(), at="")
        if self._store.save_run(ended, expected=[one for one in RunState if not one.over]):
            self._conclude(ended)

    def _conclude(self, run: Run) -> None:
        """What follows an end; done again it is done once."""
        self._close_questions(run.id, self._clock.now())
        state = run.state.value
        known, _ = self._cases.activities(subject=Subject.RUN, subject_id=run.id)
        if all(entry.action != state for entry in known):
            self._record(run, state, f"Playbook {run.playbook} {state}" + (f": {run.error}" if run.error else "."))
        if run.by.startswith("run "):
            self._tell_parent(run)

    def _close_questions(self, run_id: str, at: float) -> None:
        """Nobody is asked any more for a run that is over; no choice was reached."""
        page, _ = self._store.questions(QuestionFilter(open=True, run=run_id), limit=_ADMIT)
        for question in page:
            self._store.settle(question.id, "", at)

    def _tell_parent(self, run: Run) -> None:
        try:
            self._durable.tell(_parent_of(run), f"ended:{run.id}", f"ended:{run.id}")
        except GatewatchError as error:
            self._log.warning("parent_not_told", run=run.id, why=error.message)

    def _record(self, run: Run, action: str, text: str, *, by: str = "", origin: Origin = Origin.SYSTEM) -> None:
        at = self._clock.now()
        entry = Activity(
            at=at,
            origin=origin,
            by=by or f"playbook {run.playbook}",
            subject=Subject.RUN,
            subject_id=run.id,
            incident=run.incident,
            action=action,
            text=text,
            details={"playbook": run.playbook, "version": str(run.version), "staged": str(run.staged).lower()},
        )
        with self._cases.unit(at) as unit:
            unit.record([entry])


def _parent_of(run: Run) -> str:
    """Address of the run or branch that started a run; '' when none did."""
    return run.by.removeprefix("run ").rpartition(">")[2] if run.by.startswith("run ") else ""


def facts_of(run: Run, document: Playbook) -> dict[str, Any]:
    """What `run.…` has."""
    started = run.started_at or run.created_at
    return {
        "id": run.id,
        "playbook": run.playbook,
        "version": run.version,
        "by": run.by,
        "reason": run.reason,
        "staged": run.staged,
        "started_at": started,
        "deadline": started + document.timeout,
    }
