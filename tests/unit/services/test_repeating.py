"""A thread that repeats a step: tried again after a known error, seen to have ended after an unknown one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from gatewatch.errors import GatewatchError
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.threads import fault_of, log_ended_threads


class Lines:
    """A log that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, object]]] = []
        self.news = threading.Event()

    def info(self, event: str, **values: object) -> None:
        self.told.append((event, values))
        self.news.set()

    warning = error = info


def repeating(step: Callable[[], object], log: Lines) -> Repeating:
    return Repeating("stepping", step, 0.001, log)


def test_a_known_error_is_shown_and_the_step_tried_again() -> None:
    log, recovered = Lines(), threading.Event()
    answers = iter([GatewatchError("the store is away"), None])

    def step() -> None:
        answer = next(answers, None)
        if answer is not None:
            raise answer
        recovered.set()

    runs = repeating(step, log)
    runs.start()
    assert recovered.wait(60)
    assert runs.stop(), "it was at work until now"
    assert runs.failing == ""
    assert [(event, values["what"]) for event, values in log.told] == [("delayed", "stepping")]


def test_a_fault_ends_the_thread_is_logged_without_its_text_and_shown() -> None:
    log, before = Lines(), threading.excepthook
    log_ended_threads(log)
    try:

        def step() -> None:
            raise KeyError("card 4111111111111111")

        runs = repeating(step, log)
        assert runs.failing == "", "not begun yet"
        runs.start()
        assert log.news.wait(60)
        runs._thread.join(60)
    finally:
        threading.excepthook = before
    assert "stepping ended" in runs.failing
    assert not runs.stop(), "there was nothing left to stop"
    ((event, values),) = log.told
    assert event == "thread_ended"
    assert values["thread"] == "stepping"
    assert str(values["fault"]).startswith("KeyError in ")
    assert "4111" not in str(values)


def test_a_step_that_was_asked_to_stop_is_no_fault() -> None:
    runs = repeating(lambda: None, Lines())
    runs.start()
    assert runs.stop()
    assert runs.failing == ""


def test_a_fault_without_a_trace_has_a_type() -> None:
    assert fault_of(ValueError("secret")) == "ValueError in ?"


def test_who_works_on_with_it_is_called_after_a_step_that_gave_something() -> None:
    log, called = Lines(), list[str]()
    results = iter([0, 3, None])

    def step() -> object:
        called.append("step")
        return next(results)

    runs = Repeating("stepping", step, 3600.0, log, then=lambda: called.append("then"))
    for _ in range(3):
        runs.attempt()
    assert called == ["step", "step", "then", "step"]


def test_a_woken_thread_steps_long_before_its_time() -> None:
    first, second = threading.Event(), threading.Event()

    def step() -> None:
        (second if first.is_set() else first).set()

    runs = Repeating("stepping", step, 3600.0, Lines())
    runs.start()
    assert first.wait(30)
    runs.wake()
    assert second.wait(30)
    assert runs.stop()
