"""Playbooks on the real durable engine and the real control store; only the other systems are made up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatewatch.bootstrap.signing import FileSigner
from gatewatch.durable import dbos_runs
from gatewatch.errors import ConflictError, InputError, NotFoundError, StoreError
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.run import Question, Run, RunState, StepState
from gatewatch.ports.control import Role, Token
from gatewatch.ports.playbooks import RunRequest, RunSubject, SubjectKind
from gatewatch.ports.runs import QuestionFilter, RunFilter
from gatewatch.respond.playbooks import acting
from gatewatch.services.access import ForbiddenError
from gatewatch.services.playbooks import Answering, PlaybookDesk, Signing, running
from gatewatch.store.playbooks import RunTable
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.alerts import alert
from gatewatch.testing.playbooks import RememberingConnectors, RestingRuns, WallClock, desk_for_tests

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("durable")]

WAIT_S = 180.0


class Rig:
    """A desk that is at work, with one incident."""

    def __init__(self, directory: Path) -> None:
        self.control = SqlControlStore(f"sqlite:///{directory / 'control.sqlite'}")
        self.control.migrate()
        self.connectors = RememberingConnectors()
        self.desk: PlaybookDesk = desk_for_tests(
            directory, self.control, self.connectors, WallClock(), configure(level="error")
        )
        self.desk.runs.launch()
        self.requests = 0

    def close(self) -> None:
        self.desk.runs.stop()
        self.control.close()

    def save(self, steps: str, *, staged: bool = False, name: str = "test-book", more: str = "") -> None:
        text = f"schema: gatewatch.playbook/v1\nname: {name}\ntitle: Test\nsubject: none\n{more}\nsteps:\n{steps}"
        version = self.desk.library.save(text, by="ann")
        if not staged:
            self.desk.library.promote(name, version.version, by="ann")
        self.desk.library.enable(name, version.version, by="ann")

    def start(self, name: str = "test-book", **inputs: object) -> str:
        self.requests += 1
        return self.desk.runs.start(
            RunRequest(
                playbook=name,
                subject=RunSubject(kind=SubjectKind.NONE),
                by="ann",
                reason="test",
                key=f"k{self.requests}",
                inputs=dict(inputs),
            )
        )

    def until(self, wanted: Callable[[], object]) -> None:
        """Wait for something the engine does in threads of its own."""
        pause, left = threading.Event(), WAIT_S / 0.05
        while not wanted():
            left -= 1
            assert left > 0, self.desk.runs.runs(RunFilter())
            pause.wait(0.05)

    def over(self, run: str) -> Run:
        self.until(lambda: self.desk.runs.run(run).state.over)
        return self.desk.runs.run(run)

    def question(self) -> Question:
        open_ = QuestionFilter(open=True)
        self.until(lambda: self.desk.answering.questions(open_)[0])
        return self.desk.answering.questions(open_)[0][0]

    def paths(self, run: str) -> list[tuple[str, StepState]]:
        return [(step.path, step.state) for step in self.control.runs.steps(run)]


def token(name: str, role: Role = Role.RESPONDER) -> Token:
    return Token(id=name, name=name, role=role, secret_hash="h", created_at=0.0)


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.close()


SEND = "  - {{id: {0}, action: {{connection: memory, do: send, with: {{text: '{1}'}}}}}}\n"


def test_steps_follow_each_other_and_see_what_came_before(rig: Rig) -> None:
    rig.save(
        SEND.format("one", "first")
        + "  - {id: keep, set: {values: {twice: '${steps.one.ticket} ${steps.one.ticket}'}}}\n"
        + "  - {id: never, when: 'size(vars.twice) == 0', wait: {for: 1h}}\n"
        + SEND.format("two", "${vars.twice}")
    )
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED, run.error
    assert rig.connectors.texts() == ["first", "T-first T-first"]
    assert rig.paths(run.id) == [
        ("one", StepState.SUCCEEDED),
        ("keep", StepState.SUCCEEDED),
        ("never", StepState.SKIPPED),
        ("two", StepState.SUCCEEDED),
    ]


def test_branches_loops_and_switches(rig: Rig) -> None:
    rig.save(
        """\
  - id: many
    each:
      in: "['a', 'b', 'c']"
      as: letter
      at_once: 2
      do:
        - {id: tell, action: {connection: memory, do: send, with: {text: '${letter}${index}'}}}
  - id: both
    parallel:
      branches:
        left: [{id: l, action: {connection: memory, do: send, with: {text: left}}}]
        right: [{id: r, action: {connection: memory, do: send, with: {text: right}}}]
  - id: way
    switch:
      on: steps.l.ticket
      cases: {T-left: [{id: yes, action: {connection: memory, do: send, with: {text: 'seen ${steps.r.ticket}'}}}]}
      default: [{id: no, action: {connection: memory, do: send, with: {text: wrong}}}]
"""
    )
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED, run.error
    texts = rig.connectors.texts()
    assert sorted(texts[:3]) == ["a0", "b1", "c2"]
    assert sorted(texts[3:5]) == ["left", "right"]
    assert texts[5:] == ["seen T-right"]
    assert ("many[1].tell", StepState.SUCCEEDED) in rig.paths(run.id)


def test_a_failure_that_had_no_effect_is_tried_again_and_then_ends_the_run(rig: Rig) -> None:
    rig.save(
        "  - id: one\n    action: {connection: memory, do: send, with: {text: x}}\n"
        "    retry: {attempts: 3, first: 0.01s}\n" + SEND.format("two", "y")
    )
    left = [2]

    def busy(call: ActionCall) -> ActionResult | None:
        left[0] -= 1
        return ActionResult(outcome=Outcome.FAILED, error="busy", again=True) if left[0] >= 0 else None

    rig.connectors.answer = busy
    assert rig.over(rig.start()).state is RunState.SUCCEEDED
    assert rig.connectors.texts() == ["x", "y"]
    left[0] = 3
    run = rig.over(rig.start())
    assert (run.state, run.error) == (RunState.FAILED, "one: busy")
    assert rig.connectors.texts() == ["x", "y"], "what comes after a failure is not done"


def test_on_failure_goes_on_with_the_reason(rig: Rig) -> None:
    rig.save(
        "  - id: one\n    on_failure: [{id: plan_b, action: {connection: memory, do: send, "
        "with: {text: 'because ${steps.one.error}'}}}]\n"
        "    action: {connection: memory, do: send, with: {text: bad}}\n" + SEND.format("two", "after")
    )

    def refuse(call: ActionCall) -> ActionResult | None:
        return ActionResult(outcome=Outcome.FAILED, error="no") if call.inputs["text"] == "bad" else None

    rig.connectors.answer = refuse
    assert rig.over(rig.start()).state is RunState.SUCCEEDED
    assert rig.connectors.texts() == ["because no", "after"]


def test_an_unknown_outcome_is_read_back_and_never_repeated(rig: Rig) -> None:
    rig.save(
        "  - {id: one, retry: {attempts: 5, first: 0.01s}, action: {connection: memory, do: send, with: {text: x}}}\n"
    )

    def silent(call: ActionCall) -> ActionResult:
        rig.connectors.effects[call.key] = call
        return ActionResult(outcome=Outcome.UNKNOWN, error="connection lost")

    rig.connectors.answer = silent
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED
    assert len(rig.connectors.calls) == 1


def test_an_attempt_that_takes_longer_than_its_step_is_not_made_again_beside_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "_LOOK_S", (0.1, 0.1, 2.0))
    remember = rig.connectors.perform

    def slow(call: ActionCall) -> ActionResult:
        threading.Event().wait(1.5)
        return remember(call)

    monkeypatch.setattr(rig.connectors, "perform", slow)
    rig.save(
        "  - {id: one, timeout: 0.3s, retry: {attempts: 5, first: 0.01s}, "
        "action: {connection: memory, do: send, with: {text: x}}}\n"
    )
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED, run.error
    threading.Event().wait(2.0)
    assert len(rig.connectors.calls) == 1


@pytest.mark.parametrize("method", ["begin_step", "put_step", "save_run", "steps"])
def test_a_control_store_that_is_away_for_a_moment_ends_no_run(
    method: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    works, faults = getattr(RunTable, method), iter([True, True])

    def flaky(table: RunTable, *args: object, **named: object) -> object:
        if threading.current_thread().name not in ("MainThread", "runs") and next(faults, False):
            raise StoreError("the control store failed: OperationalError")
        return works(table, *args, **named)

    monkeypatch.setattr(RunTable, method, flaky)
    rig.save(SEND.format("one", "first") + "  - {id: keep, set: {values: {x: 1}}}\n" + SEND.format("two", "second"))
    run = rig.over(rig.start())
    assert next(faults, None) is None
    assert run.state is RunState.SUCCEEDED, run.error
    assert rig.connectors.texts() == ["first", "second"]
    assert len(rig.connectors.calls) == 2


APPROVAL = """\
  - id: ok
    approval:
      text: Send it?
      {more}
      tell: [{{connection: memory, do: send, with: {{text: 'asked ${{ask.links.approve}} ${{ask.text}}'}}}}]
      then: [{{id: do_it, action: {{connection: memory, do: send, with: {{text: done}}}}}}]
"""


def test_an_approval_shows_the_plan_and_lets_exactly_that_happen(rig: Rig) -> None:
    rig.save(SEND.format("before", "before") + APPROVAL.format(more="approvers: 1"))
    run = rig.start()
    question = rig.question()
    assert question.plan == ("memory: send text=done",)
    assert rig.desk.runs.run(run).state is RunState.WAITING
    with pytest.raises(ConflictError, match="plan"):
        rig.desk.answering.answer(question.id, "approve", token=token("bob"), digest="another")
    with pytest.raises(ForbiddenError):
        rig.desk.answering.answer(question.id, "approve", token=token("eve", Role.ANALYST), digest=question.digest)
    with pytest.raises(InputError, match="none of"):
        rig.desk.answering.answer(question.id, "perhaps", token=token("bob"), digest=question.digest)
    rig.desk.answering.answer(question.id, "approve", token=token("bob"), digest=question.digest, note="fine")
    assert rig.over(run).state is RunState.SUCCEEDED
    before, asked, done = rig.connectors.texts()
    assert (before, done) == ("before", "done"), "what was done before the question is not done again"
    assert asked.startswith("asked http://127.0.0.1:8420/v1/answers#")
    kept = str(rig.control.runs.steps(run))
    assert asked.split("#")[1].split()[0] not in kept, "history has no token"
    with pytest.raises(ConflictError):
        rig.desk.answering.answer(question.id, "reject", token=token("bea"), digest=question.digest)
    # It is written down after the run is over, so not always before we look.
    rig.until(lambda: len(rig.control.cases.activities(subject="run", subject_id=run)[0]) == 3)
    log, _ = rig.control.cases.activities(subject="run", subject_id=run)
    assert [entry.action for entry in log] == ["succeeded", "answered", "requested"]
    assert log[1].details["plan"] == question.digest


def test_a_refusal_ends_the_run_and_a_link_answers_once(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="approvers: 1"))
    run = rig.start()
    question = rig.question()
    rig.until(rig.connectors.texts)
    secret = rig.connectors.texts()[0].split("#")[1].split()[0]
    seen, link = rig.desk.answering.seen(secret)
    assert (seen.id, link.option) == (question.id, "approve")
    rig.desk.answering.answer(question.id, "reject", token=token("bob"), digest=question.digest)
    end = rig.over(run)
    assert (end.state, end.error) == (RunState.REFUSED, "ok: bob said reject")
    with pytest.raises(ConflictError):
        rig.desk.answering.answer_by_link(secret)
    with pytest.raises(NotFoundError):
        rig.desk.answering.answer_by_link(secret)
    assert len(rig.connectors.texts()) == 1


def test_four_eyes_and_more_than_one_approver(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="{approvers: 2, four_eyes: true}".strip("{}").replace(", ", "\n      ")))
    run = rig.start()
    question = rig.question()
    answer = rig.desk.answering.answer
    with pytest.raises(ForbiddenError, match="four eyes"):
        answer(question.id, "approve", token=token("ann"), digest=question.digest)
    answer(question.id, "approve", token=token("bob"), digest=question.digest)
    with pytest.raises(ConflictError, match="answered"):
        answer(question.id, "approve", token=token("bob"), digest=question.digest)
    other = Token(id="other", name="bob", role=Role.ADMIN, secret_hash="h", created_at=0.0)
    answer(question.id, "approve", token=other, digest=question.digest)
    threading.Event().wait(1.0)
    assert rig.desk.answering.question(question.id)[0].settled_at is None
    assert "done" not in rig.connectors.texts()
    rig.until(rig.connectors.texts)
    secret = rig.connectors.texts()[0].split("#")[1].split()[0]
    with pytest.raises(ForbiddenError, match="different people"):
        rig.desk.answering.answer_by_link(secret)
    answer(question.id, "approve", token=token("bea"), digest=question.digest)
    assert rig.over(run).state is RunState.SUCCEEDED


def test_four_eyes_see_through_a_playbook_inside_another(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="four_eyes: true"), name="inner")
    rig.save("  - {id: sub, playbook: {name: inner}}\n", name="middle")
    rig.save("  - {id: side, parallel: {branches: {left: [{id: sub, playbook: {name: middle}}]}}}\n", name="outer")
    run = rig.start("outer")
    question = rig.question()
    with pytest.raises(ForbiddenError, match="four eyes"):
        rig.desk.answering.answer(question.id, "approve", token=token("ann"), digest=question.digest)
    rig.desk.answering.answer(question.id, "approve", token=token("bob"), digest=question.digest)
    assert rig.over(run).state is RunState.SUCCEEDED


def test_only_a_question_s_own_messages_carry_its_links(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="approvers: 1"))
    run = rig.start()
    question = rig.question()
    # What an analyst may write into an incident, a responder into an input, and any playbook may send.
    mark = f"{{gatewatch-link:{question.id}:approve}}"
    rig.save(SEND.format("one", "${inputs.words}"), name="other", more="inputs: {words: {}}")
    assert rig.over(rig.start("other", words=mark)).state is RunState.SUCCEEDED
    assert mark in rig.connectors.texts()
    rig.desk.runs.cancel(run, by="ann", reason="")


def test_nobody_answering_is_a_no(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="expires: 0.2s"))
    end = rig.over(rig.start())
    assert (end.state, end.error) == (RunState.REFUSED, "ok: nobody said reject")
    assert "done" not in rig.connectors.texts()


def test_a_question_may_be_open_for_longer_than_the_engine_waits_at_once(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dbos_runs, "_LONGEST_WAIT_S", 0.2)
    rig.save(APPROVAL.format(more="expires: 30d"))
    run = rig.start()
    question = rig.question()
    threading.Event().wait(1.5)
    assert rig.desk.runs.run(run).state is RunState.WAITING
    rig.desk.answering.answer(question.id, "approve", token=token("bob"), digest=question.digest)
    assert rig.over(run).state is RunState.SUCCEEDED


def test_a_forged_answer_does_not_count(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="expires: 8s"))
    run = rig.start()
    question = rig.question()
    from gatewatch.model.run import Answer, AnswerKind

    forged = Answer(
        question=question.id,
        run=run,
        digest=question.digest,
        choice="approve",
        by="bob",
        by_id="token:bob",
        kind=AnswerKind.PORTAL,
        at=time.time(),
        key_id="x",
        signature="AAAA",
    )
    assert rig.control.runs.answer(forged)
    assert rig.over(run).state is RunState.REFUSED


def test_an_answer_that_the_asking_server_would_not_know_is_refused(rig: Rig, tmp_path: Path) -> None:
    rig.save(APPROVAL.format(more="approvers: 1"))
    run = rig.start()
    question = rig.question()
    signing = Signing(FileSigner(tmp_path / "of-another-server.key"))
    other = Answering(rig.control.runs, rig.control.cases, RestingRuns(), signing, WallClock())
    with pytest.raises(ConflictError, match="another key"):
        other.answer(question.id, "approve", token=token("bob"), digest=question.digest)
    rig.desk.answering.answer(question.id, "approve", token=token("bob"), digest=question.digest)
    assert rig.over(run).state is RunState.SUCCEEDED


def test_ask_takes_a_choice(rig: Rig) -> None:
    rig.save(
        "  - {id: what, ask: {text: 'Which?', options: [Block, Ignore], default: Ignore}}\n"
        + SEND.format("then", "chose ${steps.what.choice}")
    )
    run = rig.start()
    question = rig.question()
    rig.desk.answering.answer(question.id, "Block", token=token("al", Role.ANALYST), digest=question.digest)
    assert rig.over(run).state is RunState.SUCCEEDED
    assert rig.connectors.texts() == ["chose Block"]


def test_staged_playbooks_do_nothing_and_show_what_they_would_have(rig: Rig) -> None:
    rig.save(APPROVAL.format(more="approvers: 1"), staged=True)
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED
    assert run.staged
    assert rig.connectors.calls == []
    assert ("do_it", StepState.SUCCEEDED) in rig.paths(run.id)
    assert rig.desk.answering.questions(QuestionFilter())[0] == []


def test_the_same_request_twice_is_one_run_and_the_same_target_is_served_by_one(rig: Rig) -> None:
    rig.save("  - {id: hold, ask: {text: 'Go?', options: [a, b], default: a}}\n", more="coalesce: the same")
    first = rig.start()
    rig.requests = 0
    assert rig.start() == first
    second = rig.start()
    assert second == first
    assert rig.desk.runs.run(first).coalesced == 1
    rig.desk.runs.cancel(first, by="ann", reason="enough")
    assert rig.desk.runs.run(first).state is RunState.CANCELLED
    assert rig.start() != first


def test_only_so_many_runs_at_a_time_and_one_at_a_lock(rig: Rig) -> None:
    rig.save(
        "  - {id: one, lock: door, action: {connection: memory, do: send, with: {text: '${run.id}'}}}\n",
        more="concurrency: 2",
    )
    inside, most = [0], [0]

    def count(call: ActionCall) -> ActionResult | None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        rig.connectors.effects[call.key] = call
        inside[0] -= 1
        return ActionResult(outcome=Outcome.SUCCEEDED)

    rig.connectors.answer = count
    runs = [rig.start() for _ in range(6)]
    assert all(rig.over(run).state is RunState.SUCCEEDED for run in runs)
    assert sorted(rig.connectors.texts()) == sorted(runs)
    assert most == [1]


def test_a_playbook_that_is_full_keeps_no_other_waiting(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ADMIT", 3)
    door = threading.Event()
    remember = rig.connectors.perform

    def closed(call: ActionCall) -> ActionResult:
        if call.inputs["text"] == "slow":
            door.wait(WAIT_S)
        return remember(call)

    monkeypatch.setattr(rig.connectors, "perform", closed)
    rig.save(SEND.format("one", "slow"), name="full", more="concurrency: 1")
    rig.save(SEND.format("one", "quick"), name="free")
    waiting = [rig.start("full") for _ in range(5)]
    assert rig.over(rig.start("free")).state is RunState.SUCCEEDED
    assert not any(rig.desk.runs.run(one).state.over for one in waiting)
    door.set()
    assert all(rig.over(one).state is RunState.SUCCEEDED for one in waiting)


def test_time_in_the_queue_is_not_the_time_of_the_run(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = dbos_runs.DbosRuns.start

    def slow(durable: dbos_runs.DbosRuns, run_id: str) -> None:
        threading.Event().wait(2.0)
        begin(durable, run_id)
        threading.Event().wait(2.0)  # the engine begins before the run is marked as begun

    monkeypatch.setattr(dbos_runs.DbosRuns, "start", slow)
    rig.save(SEND.format("one", "first"), more="timeout: 1.5s")
    run = rig.over(rig.start())
    assert run.state is RunState.SUCCEEDED, run.error
    assert run.started_at is not None
    assert run.started_at > run.created_at + 1.5


def test_a_run_that_can_not_begin_keeps_nobody_waiting(rig: Rig) -> None:
    rig.save(SEND.format("one", "first"))
    poison = Run(
        id="p" * 32, playbook="test-book", version=99, subject_kind="none", by="ann", reason="", created_at=1.0
    )
    rig.control.runs.request(poison)
    assert rig.over(rig.start()).state is RunState.SUCCEEDED
    end = rig.over(poison.id)
    assert (end.state, end.error) == (
        RunState.FAILED,
        "its playbook can't be read: no version 99 of a playbook test-book",
    )


def test_a_playbook_inside_another(rig: Rig) -> None:
    rig.save(SEND.format("inner", "inner"), name="inner-book")
    rig.save("  - {id: sub, playbook: {name: inner-book}}\n" + SEND.format("after", "after"))
    assert rig.over(rig.start()).state is RunState.SUCCEEDED
    assert rig.connectors.texts() == ["inner", "after"]
    assert [run.playbook for run in rig.desk.runs.runs(RunFilter())[0]] == ["inner-book", "test-book"]


def test_a_cancelled_run_takes_those_inside_with_it(rig: Rig) -> None:
    rig.save("  - {id: pause, wait: {for: 1.5s}}\n" + SEND.format("one", "too late"), name="inner")
    rig.save("  - {id: sub, playbook: {name: inner}}\n", name="middle")
    rig.save("  - {id: side, parallel: {branches: {left: [{id: sub, playbook: {name: middle}}]}}}\n", name="outer")
    run, other = rig.start("outer"), rig.start("middle")
    rig.until(lambda: len(rig.desk.runs.runs(RunFilter(playbook="inner", state=(RunState.WAITING,)))[0]) == 2)
    rig.desk.runs.cancel(run, by="ann", reason="enough")
    assert rig.over(other).state is RunState.SUCCEEDED
    ends = {one.by.count(run): one.state for one in rig.desk.runs.runs(RunFilter(playbook="inner"))[0]}
    assert ends == {1: RunState.CANCELLED, 0: RunState.SUCCEEDED}
    assert rig.connectors.texts() == ["too late"]


def test_changes_of_the_incident_are_made_by_casework(rig: Rig) -> None:
    from gatewatch.services.incidents import Correlation
    from gatewatch.services.incidents.summing import Summing

    rig.control.upsert_alerts([alert(1)], at=time.time())
    Correlation(rig.control.cases, Summing(lambda _: {}, dict), lambda _: {}, time.time).run()
    text = """\
schema: gatewatch.playbook/v1
name: incident-book
title: On an incident
steps:
  - id: mark
    change:
      status: in_progress
      add_tags: [seen]
      add_task: Call the owner
      comment: "Saw ${incident.name} with ${size(alerts)} alert"
  - {id: more, when: "'seen' in incident.tags", change: {comment: again}}
"""
    rig.desk.library.save(text, by="ann")
    rig.desk.library.promote("incident-book", by="ann")
    rig.desk.library.enable("incident-book", by="ann")
    subject = RunSubject(kind=SubjectKind.INCIDENT, id="1")
    run = rig.desk.runs.start(RunRequest(playbook="incident-book", subject=subject, by="r", reason="x", key="i"))
    assert rig.over(run).state is RunState.SUCCEEDED, rig.desk.runs.run(run).error
    incident = rig.control.cases.incident(1)
    assert incident.tags == ("seen",)
    assert [task.title for task in incident.tasks] == ["Call the owner"]
    log, _ = rig.control.cases.activities(incident=1)
    said = [entry.text for entry in log if entry.action == "comment"]
    assert said == ["again", f"Saw {incident.name} with 1 alert"]
    assert {entry.by for entry in log if entry.action == "comment"} == {"playbook incident-book"}
    assert rig.control.cases.verify_activities() > 0
