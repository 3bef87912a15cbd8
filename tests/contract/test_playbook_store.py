"""Playbooks, runs, steps, questions, answers, links, locks: one contract, two engines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatewatch.bootstrap.signing import FileSigner
from gatewatch.errors import NotFoundError
from gatewatch.model.run import (
    Answer,
    AnswerKind,
    AnswerLink,
    PlaybookVersion,
    Question,
    QuestionKind,
    Run,
    RunState,
    StepRecord,
    StepState,
)
from gatewatch.ports.runs import QuestionFilter, RunFilter, RunStore
from gatewatch.respond.playbooks.asking import link_mark
from gatewatch.services.playbooks import Answering, AnswerLinks, Signing
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.playbooks import RestingRuns, WallClock

OPEN = tuple(state for state in RunState if not state.over)


@pytest.fixture
def runs(store: SqlControlStore) -> RunStore:
    return store.runs


def version(number: int, name: str = "book", **changes: Any) -> PlaybookVersion:
    made = PlaybookVersion(
        name=name,
        version=number,
        title=f"Version {number}",
        subject="incident",
        text="text",
        digest=f"d{number}",
        created_at=float(number),
        created_by="ann",
    )
    return msgspec.structs.replace(made, **changes)


def run(name: str, **changes: Any) -> Run:
    made = Run(id=name, playbook="book", version=1, subject_kind="incident", by="ann", reason="r", created_at=1.0)
    return msgspec.structs.replace(made, **changes)


def step(path: str, attempt: int = 1, **changes: Any) -> StepRecord:
    made = StepRecord(run="r", path=path, attempt=attempt, kind="k", state=StepState.STARTED, started_at=1.0)
    return msgspec.structs.replace(made, **changes)


def question(name: str, **changes: Any) -> Question:
    made = Question(
        id=name,
        run="r",
        path="p",
        playbook="book",
        kind=QuestionKind.APPROVAL,
        text="May it?",
        options=("approve", "reject"),
        default="reject",
        address="r",
        created_at=1.0,
        expires_at=9.0,
    )
    return msgspec.structs.replace(made, **changes)


def answer(by: str, choice: str = "approve", **changes: Any) -> Answer:
    made = Answer(question="q", run="r", digest="", choice=choice, by=by, by_id=by, kind=AnswerKind.PORTAL, at=2.0)
    return msgspec.structs.replace(made, **changes)


def pages(read: Callable[[str], tuple[list[Any], str]]) -> list[list[str]]:
    found, cursor = [], ""
    while True:
        page, cursor = read(cursor)
        found.append([one.id for one in page])
        if not cursor:
            return found


def test_of_a_playbook_the_enabled_version_counts_else_the_newest(runs: RunStore) -> None:
    for made in (version(1), version(2), version(10), version(1, "another")):
        runs.put_version(made)
    assert [(one.name, one.version) for one in runs.playbooks()] == [("another", 1), ("book", 10)]
    runs.put_version(version(2, enabled=True, staging=False))
    assert [(one.name, one.version) for one in runs.playbooks()] == [("another", 1), ("book", 2)]
    assert [one.version for one in runs.versions("book")] == [10, 2, 1]
    assert runs.version("book", 2).staging is False
    assert runs.versions("nobody") == []
    with pytest.raises(NotFoundError):
        runs.version("book", 3)


def test_the_same_request_is_one_run(runs: RunStore) -> None:
    first = runs.request(run("r1"))
    assert first == run("r1")
    assert runs.request(run("r1", reason="again")) == first
    assert runs.run("r1") == first
    with pytest.raises(NotFoundError):
        runs.run("r2")


def test_a_request_for_the_same_thing_is_served_by_the_run_that_is_not_over(runs: RunStore) -> None:
    runs.request(run("r1", coalesce="incident 7"))
    assert runs.request(run("r2", coalesce="incident 7")).id == "r1"
    assert runs.request(run("r3", coalesce="incident 7")).coalesced == 2
    assert runs.run("r1").coalesced == 2
    with pytest.raises(NotFoundError):
        runs.run("r2")
    assert runs.request(run("r4", coalesce="incident 8")).id == "r4"
    assert runs.request(run("r5", coalesce="incident 7", playbook="another")).id == "r5"
    assert runs.request(run("r6")).id == "r6"
    assert runs.request(run("r7")).id == "r7", "nothing in common is nothing in common"
    runs.save_run(run("r1", coalesce="incident 7", state=RunState.SUCCEEDED), expected=OPEN)
    assert runs.request(run("r8", coalesce="incident 7")).id == "r8"


def test_requests_at_the_same_time_are_one_run(runs: RunStore) -> None:
    served: list[str] = []

    def ask(number: int) -> None:
        served.append(runs.request(run(f"r{number}", coalesce="same")).id)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(served)) == 1
    assert runs.run(served[0]).coalesced == 7


def test_a_run_changes_only_from_a_state_that_is_expected(runs: RunStore) -> None:
    runs.request(run("r1"))
    assert runs.save_run(run("r1", state=RunState.RUNNING), expected=(RunState.QUEUED,))
    assert not runs.save_run(run("r1", state=RunState.RUNNING), expected=(RunState.QUEUED,))
    assert runs.save_run(run("r1", state=RunState.CANCELLED, error="x"), expected=OPEN)
    assert not runs.save_run(run("r1", state=RunState.SUCCEEDED), expected=OPEN)
    assert runs.run("r1").state is RunState.CANCELLED
    assert not runs.save_run(run("nobody"), expected=OPEN)


def test_the_queue_is_in_order_and_counted(runs: RunStore) -> None:
    for number, at in enumerate((3.0, 1.0, 2.0, 2.0)):
        runs.request(run(f"r{number}", created_at=at))
    runs.request(run("r8", playbook="another", created_at=0.0))
    runs.request(run("r9", created_at=0.0))
    runs.save_run(run("r9", state=RunState.WAITING), expected=OPEN)
    assert [one.id for one in runs.queued("book", 10)] == ["r1", "r2", "r3", "r0"]
    assert [one.id for one in runs.queued("book", 2)] == ["r1", "r2"]
    assert [one.id for one in runs.queued("another", 2)] == ["r8"]
    assert runs.counts() == {
        ("book", RunState.QUEUED): 4,
        ("book", RunState.WAITING): 1,
        ("another", RunState.QUEUED): 1,
    }
    runs.save_run(run("r9", state=RunState.FAILED), expected=OPEN)
    assert ("book", RunState.WAITING) not in runs.counts()


def test_runs_are_filtered_and_paged_newest_first(runs: RunStore) -> None:
    for number in range(7):
        made = run(f"r{number}", created_at=float(number // 2), incident=number % 2, subject_id=str(number % 3))
        runs.request(msgspec.structs.replace(made, playbook="book" if number < 6 else "another"))
    runs.save_run(run("r5", created_at=2.0, incident=1, subject_id="2", state=RunState.FAILED), expected=OPEN)
    assert pages(lambda cursor: runs.runs(RunFilter(), cursor=cursor, limit=3)) == [
        ["r6", "r5", "r4"],
        ["r3", "r2", "r1"],
        ["r0"],
    ]

    def ids(**where: Any) -> list[str]:
        return [one.id for one in runs.runs(RunFilter(**where))[0]]

    assert ids(playbook="another") == ["r6"]
    assert ids(incident=1) == ["r5", "r3", "r1"]
    assert ids(state=(RunState.FAILED,)) == ["r5"]
    assert ids(state=(RunState.FAILED, RunState.QUEUED), subject_id="2") == ["r5", "r2"]
    assert ids(subject_kind="alert") == []
    assert ids(since=2.0) == ["r6", "r5", "r4"]


def test_an_attempt_begins_once(runs: RunStore) -> None:
    begun, fresh = runs.begin_step(step("a", key="k"))
    assert fresh
    again, fresh = runs.begin_step(step("a", key="k", started_at=5.0))
    assert (again, fresh) == (begun, False)
    runs.put_step(step("a", key="k", state=StepState.SUCCEEDED, values={"x": [1]}, ended_at=2.0))
    known, fresh = runs.begin_step(step("a"))
    assert (known.state, known.values, fresh) == (StepState.SUCCEEDED, {"x": [1]}, False)
    assert runs.begin_step(step("a", 2))[1]
    assert runs.begin_step(step("a", run="other"))[1]


def test_steps_are_in_order_of_their_begin(runs: RunStore) -> None:
    for made in (
        step("b", started_at=2.0),
        step("a", 2, started_at=3.0),
        step("a", started_at=1.0),
        step("c", run="x"),
    ):
        runs.put_step(made)
    assert [(one.path, one.attempt) for one in runs.steps("r")] == [("a", 1), ("b", 1), ("a", 2)]
    runs.put_step(step("b", started_at=2.0, note="changed"))
    assert [one.note for one in runs.steps("r")] == ["", "changed", ""]
    assert runs.steps("nobody") == []


def test_a_question_is_put_once_and_closed_once(runs: RunStore) -> None:
    assert runs.ask(question("q")).settled_at is None
    assert runs.ask(question("q", text="another")).text == "May it?"
    assert runs.settle("q", "approve", 3.0).settled == "approve"
    assert runs.settle("q", "reject", 4.0).settled == "approve"
    assert runs.question("q").settled_at == 3.0
    for ask in (runs.question, lambda name: runs.settle(name, "reject", 1.0)):
        with pytest.raises(NotFoundError):
            ask("nobody")


def test_questions_are_filtered_and_paged(runs: RunStore) -> None:
    for number in range(5):
        runs.ask(question(f"q{number}", created_at=float(number // 2), incident=number % 2, run=f"r{number % 2}"))
    runs.settle("q3", "reject", 9.0)
    assert pages(lambda cursor: runs.questions(QuestionFilter(), cursor=cursor, limit=2)) == [
        ["q4", "q3"],
        ["q2", "q1"],
        ["q0"],
    ]

    def ids(**where: Any) -> list[str]:
        return [one.id for one in runs.questions(QuestionFilter(**where))[0]]

    assert ids(open=True) == ["q4", "q2", "q1", "q0"]
    assert ids(open=False) == ["q3"]
    assert ids(incident=1) == ["q3", "q1"]
    assert ids(run="r0", open=True) == ["q4", "q2", "q0"]


def test_everybody_answers_once_and_nobody_after_the_end(runs: RunStore) -> None:
    assert not runs.answer(answer("ann")), "there is no such question"
    runs.ask(question("q"))
    assert runs.answer(answer("bob", at=3.0))
    assert not runs.answer(answer("bob", "reject"))
    assert runs.answer(answer("ann", at=2.0))
    assert [one.by for one in runs.answers("q")] == ["ann", "bob"]
    runs.settle("q", "approve", 4.0)
    assert not runs.answer(answer("eve"))
    assert runs.answers("nobody") == []


def test_of_answers_at_the_same_time_one_person_has_one(runs: RunStore) -> None:
    runs.ask(question("q"))
    kept: list[bool] = []
    threads = [threading.Thread(target=lambda: kept.append(runs.answer(answer("ann")))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == [False] * 5 + [True]


def test_a_link_is_used_once(runs: RunStore) -> None:
    assert runs.link("d") is None
    assert not runs.use_link("d", 1.0)
    runs.put_link(AnswerLink(digest="d", question="q", option="approve", recipient="c", created_at=1.0))
    link = runs.link("d")
    assert link == AnswerLink(digest="d", question="q", option="approve", recipient="c", created_at=1.0)
    used: list[bool] = []
    threads = [threading.Thread(target=lambda: used.append(runs.use_link("d", 2.0))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(used) == [False] * 5 + [True]
    kept = runs.link("d")
    assert kept is not None
    assert kept.used_at == 2.0


def test_a_lock_has_one_holder_and_is_free_when_its_run_is_over(runs: RunStore) -> None:
    for name in ("r1", "r2"):
        runs.request(run(name))
    assert runs.lock("door", "r1/a", "r1", 1.0)
    assert runs.lock("door", "r1/a", "r1", 2.0), "also again"
    assert not runs.lock("door", "r1/b", "r1", 2.0), "another step of the same run waits too"
    assert not runs.lock("door", "r2/a", "r2", 2.0)
    assert runs.lock("window", "r2/a", "r2", 2.0)
    runs.unlock("door", "r2/a")
    assert not runs.lock("door", "r2/a", "r2", 3.0), "only its holder gives it back"
    runs.unlock("door", "r1/a")
    assert runs.lock("door", "r2/a", "r2", 3.0)
    runs.save_run(run("r2", state=RunState.FAILED), expected=OPEN)
    assert runs.lock("door", "r1/a", "r1", 4.0), "its run is over"
    assert runs.lock("window", "r1/w", "r1", 4.0)
    assert runs.lock("roof", "gone/a", "gone", 5.0)
    assert runs.lock("roof", "r1/r", "r1", 5.0), "there is no such run"


def test_of_locks_at_the_same_time_one_is_taken(runs: RunStore) -> None:
    for number in range(6):
        runs.request(run(f"r{number}"))
    taken: list[bool] = []

    def take(number: int) -> None:
        taken.append(runs.lock("door", f"r{number}/a", f"r{number}", 1.0))

    threads = [threading.Thread(target=take, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False] * 5 + [True]


def test_long_paths_and_names_fit(runs: RunStore) -> None:
    path = ".".join(["x" * 39] * 7)
    runs.put_step(step(path))
    assert runs.steps("r")[0].path == path
    runs.request(run("r" * 32, coalesce="y" * 5000, subject_id="z" * 64))
    assert runs.request(run("s" * 32, coalesce="y" * 5000)).id == "r" * 32


def test_a_link_to_many_people_answers(store: SqlControlStore, tmp_path: Path) -> None:
    to = ", ".join(f"somebody.with-a-name-{number}@example.org" for number in range(20))
    store.runs.ask(question("a" * 32, expires_at=1e10))
    links = AnswerLinks(store.runs, WallClock(), lambda size: b"t" * size, "https://g.example")
    token = links.filled(link_mark("a" * 32, "approve"), to, ["a" * 32]).partition("#")[2]
    signing = Signing(FileSigner(tmp_path / "signing.key"))
    answering = Answering(store.runs, store.cases, RestingRuns(), signing, WallClock())
    answering.answer_by_link(token)
    (answer,) = store.runs.answers("a" * 32)
    assert (answer.choice, answer.by) == ("approve", f"link to {to[:256]}")
    assert signing.choice_of(store.runs.question("a" * 32), [answer])[0] == "approve"
