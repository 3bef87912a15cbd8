"""Runs and questions on both control stores."""

from __future__ import annotations

from gatewatch.model.run import Question, QuestionKind
from gatewatch.ports.runs import QuestionFilter
from gatewatch.store.sql import SqlControlStore


def _question(number: int) -> Question:
    return Question(
        id=f"q{number}",
        run="r",
        path="ok",
        playbook="book",
        kind=QuestionKind.APPROVAL,
        text="?",
        options=("approve", "reject"),
        default="reject",
        address="r",
        created_at=float(number),
        expires_at=100.0,
    )


def test_open_questions_are_counted_until_they_are_closed(store: SqlControlStore) -> None:
    assert store.runs.open_questions() == 0
    for number in range(3):
        store.runs.ask(_question(number))
    assert store.runs.open_questions() == 3
    store.runs.settle("q1", "", 50.0)
    assert store.runs.open_questions() == 2
    assert [one.id for one in store.runs.questions(QuestionFilter(open=True, run="r"))[0]] == ["q2", "q0"]
    assert store.runs.question("q1").settled == ""
