"""What a run does, in which order, and what it never does; also when it is cut off at any point."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from gatewatch.bootstrap.signing import FileSigner
from gatewatch.model.action import ActionCall, ActionResult, Outcome
from gatewatch.model.run import Answer, AnswerKind, Run, RunState, StepState
from gatewatch.ports.playbooks import SubjectKind
from gatewatch.ports.runs import QuestionFilter
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.document import Playbook
from gatewatch.respond.playbooks.world import BranchEnd
from gatewatch.services.playbooks import AnswerLinks, Changing, RealWorld, Signing, Surrounding
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.journaling import CutOffError, Journal, ScriptedWorld, run_through
from gatewatch.testing.playbooks import RememberingConnectors

FAILED = ActionResult(outcome=Outcome.FAILED, error="busy", again=True)
REFUSED = ActionResult(outcome=Outcome.FAILED, error="no")
UNKNOWN = ActionResult(outcome=Outcome.UNKNOWN, error="connection lost")
DONE = ActionResult(outcome=Outcome.SUCCEEDED, values={"ticket": "T-1"})


def book(steps: str, more: str = "") -> Playbook:
    text = f"schema: gatewatch.playbook/v1\nname: a-book\ntitle: A\n{more}\nsteps:\n{steps}"
    return read_playbook(text, Surroundings())


def send(name: str, text: str = "x", more: str = "") -> str:
    return f"{{id: {name}, action: {{connection: c, do: send, with: {{text: '{text}'}}}}{more}}}"


def run(world: ScriptedWorld, steps: str, *, inputs: dict[str, Any] | None = None, more: str = "") -> BranchEnd:
    return run_through(
        book(steps, more),
        lambda _: world,
        Journal(),
        inputs=inputs,
        slept=world.slept,
        news=world.news,
        started_at=world.now,
    )


def did(world: ScriptedWorld) -> list[str]:
    return [path for path, _ in world.did]


@pytest.fixture
def world() -> ScriptedWorld:
    return ScriptedWorld()


WAYS: dict[str, tuple[str, list[str]]] = {
    "then": (f"  - {{id: a, if: {{condition: 'true', then: [{send('b')}], else: [{send('c')}]}}}}\n", ["b"]),
    "else": (f"  - {{id: a, if: {{condition: 'false', then: [{send('b')}], else: [{send('c')}]}}}}\n", ["c"]),
    "neither": (f"  - {{id: a, if: {{condition: 'false', then: [{send('b')}]}}}}\n  - {send('d')}\n", ["d"]),
    "a case": (
        f"  - {{id: a, switch: {{on: incident.severity, cases: {{high: [{send('b')}]}}, default: [{send('c')}]}}}}\n",
        ["b"],
    ),
    "the default": (
        f"  - {{id: a, switch: {{on: incident.name, cases: {{high: [{send('b')}]}}, default: [{send('c')}]}}}}\n",
        ["c"],
    ),
    "a case that is a number": (f"  - {{id: a, switch: {{on: 1 + 1, cases: {{2: [{send('b')}]}}}}}}\n", ["b"]),
    "left out by when": (f"  - {send('a', more=', when: incident.severity == 0')}\n  - {send('b')}\n", ["b"]),
    "every item": (
        f"  - {{id: a, each: {{in: '[1, 2, 3]', as: n, do: [{send('b', '${n} ${index}')}]}}}}\n",
        ["a[0].b", "a[1].b", "a[2].b"],
    ),
    "as many items as wanted": (
        f"  - {{id: a, each: {{in: '[1, 2, 3]', most: 2, do: [{send('b')}]}}}}\n",
        ["a[0].b", "a[1].b"],
    ),
    "no items": (f"  - {{id: a, each: {{in: '[]', do: [{send('b')}]}}}}\n  - {send('c')}\n", ["c"]),
    "branches": (
        f"  - {{id: a, parallel: {{branches: {{l: [{send('b')}], r: [{send('c')}]}}}}}}\n  - {send('d')}\n",
        ["a.l.b", "a.r.c", "d"],
    ),
    "loops in loops": (
        f"  - {{id: a, each: {{in: '[1, 2]', as: n, do: [{{id: b, each: {{in: '[n]', do: [{send('c')}]}}}}]}}}}\n",
        ["a[0].b[0].c", "a[1].b[0].c"],
    ),
}


@pytest.mark.parametrize("case", WAYS)
def test_which_way_a_run_goes(case: str, world: ScriptedWorld) -> None:
    steps, wanted = WAYS[case]
    end = run(world, steps)
    assert (end.stopped, end.error) == (None, "")
    assert did(world) == wanted


ENDS: dict[str, tuple[str, str, list[str]]] = {
    "a failure": (f"  - {send('bad')}\n  - {send('b')}\n", "bad: no", ["bad"]),
    "a failure in a loop, after its neighbours": (
        f"  - {{id: a, each: {{in: '[1, 2, 3]', at_once: 2, do: [{send('bad')}]}}}}\n  - {send('b')}\n",
        "a[0].bad: no",
        ["a[0].bad", "a[1].bad"],
    ),
    "a failure in a branch": (
        f"  - {{id: a, parallel: {{branches: {{l: [{send('bad')}], r: [{send('c')}]}}}}}}\n  - {send('d')}\n",
        "a.l.bad: no",
        ["a.l.bad", "a.r.c"],
    ),
    "no list": (
        f"  - {{id: a, each: {{in: incident.name, do: [{send('b')}]}}}}\n",
        "a: `incident.name` is no list",
        [],
    ),
    "no truth": (
        f"  - {send('a', more=', when: incident.name')}\n",
        "a: `incident.name` is neither true nor false",
        [],
    ),
    "what is not there": (
        f"  - {send('a', '${entities[0].colour}')}\n",
        "a: `entities[0].colour` can't be evaluated",
        [],
    ),
    "no moment": ("  - {id: a, wait: {until: incident.name}}\n", "a: `incident.name` is no moment in Unix seconds", []),
}


@pytest.mark.parametrize("case", ENDS)
def test_what_ends_a_run_as_failed(case: str, world: ScriptedWorld) -> None:
    steps, error, wanted = ENDS[case]
    for path in ("bad", "a[0].bad", "a[1].bad", "a.l.bad"):
        world.results[path] = [REFUSED]
    end = run(world, steps)
    assert end.stopped is RunState.FAILED
    assert end.error.startswith(error)
    assert did(world) == wanted


def test_a_failure_may_be_passed_over_or_answered(world: ScriptedWorld) -> None:
    world.results = {"a": [REFUSED], "b": [REFUSED]}
    end = run(
        world,
        f"  - {send('a', more=', on_failure: continue')}\n"
        f"  - {send('b', more=', on_failure: [' + send('c', 'because ${steps.b.error} ${steps.a.outcome}') + ']')}\n"
        f"  - {send('d', '${steps.b.outcome}')}\n",
    )
    assert end.stopped is None
    assert [inputs["text"] for path, inputs in world.did if path in "cd"] == ["because no failed", "failed"]


def test_branches_do_not_see_each_other_and_leave_only_what_they_changed(world: ScriptedWorld) -> None:
    end = run(
        world,
        "  - {id: z, set: {values: {x: 0, y: 0}}}\n"
        "  - id: a\n    parallel:\n      branches:\n"
        "        l: [{id: b, set: {values: {x: 1}}}]\n"
        "        r: [{id: c, set: {values: {y: '${vars.x + 10}'}}}]\n"
        "  - {id: d, each: {in: '[1, 2]', as: n, at_once: 2, do: [{id: e, set: {values: {x: '${vars.x + n}'}}}]}}\n",
    )
    assert end.variables == {"x": 3, "y": 10}


def test_waiting_takes_its_time_and_reads_the_subject_again(world: ScriptedWorld) -> None:
    def slept(seconds: float) -> None:
        world.slept(seconds)
        world.facts = {"incident": {"name": f"Scan at {world.now:g}"}}

    steps = f"  - {{id: a, wait: {{for: 90s}}}}\n  - {{id: b, wait: {{until: now + 10.0}}}}\n  - {send('c', '${incident.name}')}\n"
    run_through(book(steps), lambda _: world, Journal(), slept=slept, started_at=world.now)
    assert world.did == [("c", {"text": "Scan at 1100"})]


def test_the_time_of_a_run_ends_it(world: ScriptedWorld) -> None:
    end = run(world, f"  - {{id: a, wait: {{for: 1h}}}}\n  - {send('b')}\n", more="timeout: 10m")
    assert (end.stopped, did(world), world.now) == (None, ["b"], 1600.0)
    world.now = 0.0
    world.says = {}
    end = run(
        world,
        f"  - {{id: a, ask: {{text: q, options: [A, B], default: A, expires: 1h}}}}\n  - {send('c')}\n",
        more="timeout: 10m",
    )
    assert (end.stopped, end.error) == (RunState.FAILED, "the time of the run is over")
    assert did(world) == ["b"]


def test_a_cancelled_run_begins_no_further_step(world: ScriptedWorld) -> None:
    world.cancel_at = "b"
    end = run(world, f"  - {send('a')}\n  - {send('b')}\n")
    assert (end.stopped, end.error, did(world)) == (RunState.CANCELLED, "ann: enough", ["a"])


RETRIES: dict[str, tuple[list[ActionResult], int, str | None, float]] = {
    "at once": ([DONE], 1, None, 0.0),
    "after two failures": ([FAILED, FAILED, DONE], 3, None, 5.0 + 10.0),
    "not often enough": ([FAILED] * 4, 4, "a: busy", 5.0 + 10.0 + 20.0),
    "not what can't be": ([REFUSED, DONE], 1, "a: no", 0.0),
    "when the other side says": (
        [msgspec.structs.replace(FAILED, retry_after_s=60.0), DONE],
        2,
        None,
        60.0,
    ),
}


@pytest.mark.parametrize("case", RETRIES)
def test_failures_are_tried_again_with_growing_pauses(case: str, world: ScriptedWorld) -> None:
    results, attempts, error, pauses = RETRIES[case]
    world.results = {"a": list(results)}
    end = run(world, f"  - {send('a', more=', retry: {attempts: 4}')}\n")
    assert (len(world.did), end.error or None, world.now - 1000.0) == (attempts, error, pauses)


UNCLEAR: dict[str, tuple[list[ActionResult], str, int, str]] = {
    "it was done": ([UNKNOWN, DONE], "", 1, "succeeded"),
    "it had no effect": ([FAILED], "", 2, "succeeded"),
    "a person says it was done": ([], "succeeded", 1, "succeeded"),
    "a person says it failed": ([], "failed", 1, "failed"),
    "nobody can tell": ([], "", 1, "unknown"),
}


@pytest.mark.parametrize("case", UNCLEAR)
def test_what_nobody_knows_is_looked_up_and_never_repeated(case: str, world: ScriptedWorld) -> None:
    seen, says, attempts, outcome = UNCLEAR[case]
    world.results, world.seen = {"a": [UNKNOWN]}, {"a": list(seen)}
    if says:
        world.says = {"a": says}
    end = run(world, f"  - {send('a', more=', retry: {attempts: 5}, on_failure: continue')}\n")
    assert len(world.did) == attempts
    assert end.steps["a"]["outcome"] == outcome
    assert bool(world.asked) == (not seen)


def test_a_lock_is_waited_for_and_given_back(world: ScriptedWorld) -> None:
    world.locks = [False, False, True]
    world.results = {"a": [REFUSED]}
    end = run(world, f"  - {send('a', more=', lock: door')}\n")
    assert end.error == "a: no"
    assert world.now == 1000.0 + 0.5 + 1.0
    assert ("a", "unlocked", "door") in world.notes
    world.locks = [False] * 10_000
    end = run(world, f"  - {send('b', more=', lock: door')}\n", more="timeout: 5m")
    assert end.error == "b: the lock of door did not become free"


ASKS = "  - {id: q, ask: {text: 'Which of ${incident.name}?', options: [Block, Ignore], default: Ignore}}\n"


@pytest.mark.parametrize(("says", "choice"), [("Block", "Block"), ("", "Ignore")])
def test_a_question_takes_an_answer_or_its_default(says: str, choice: str, world: ScriptedWorld) -> None:
    world.says = {"q": says} if says else {}
    end = run(world, f"{ASKS}  - {send('a', '${steps.q.choice}')}\n")
    assert end.stopped is None
    assert world.did == [("a", {"text": choice})]
    assert world.asked[0].text == "Which of Scan?"


APPROVAL = """\
  - id: ok
    approval:
      text: Do it?
      tell: [{connection: c, do: send, with: {text: '${ask.links.approve}'}}]
      then:
        - {id: wait, wait: {for: 1m}}
        - {id: act, action: {connection: c, do: send, with: {text: 'on ${incident.name}'}}}
        - {id: all, each: {in: entities, as: e, do: [{id: one, contain: {gateway: g, scope: address, value: '${e}', effect: block, duration: 1h}}]}}
        - {id: mark, change: {add_tags: ['${incident.severity}']}}
        - {id: later, action: {connection: c, do: send, with: {text: 'see ${steps.act.ticket}'}}}
      ELSE
"""


def test_what_was_approved_is_done_whatever_has_changed_meanwhile(world: ScriptedWorld) -> None:
    world.facts["entities"] = ["192.0.2.1", "192.0.2.2"]
    world.says = {"ok": "approve"}

    def slept(seconds: float) -> None:
        world.now += seconds
        world.facts = {"incident": {"name": "Other", "severity": "low", "tags": []}, "entities": ["198.51.100.1"] * 3}

    playbook = book(APPROVAL.replace("ELSE", ""))
    end = run_through(playbook, lambda _: world, Journal(), slept=slept, news=world.news, started_at=world.now)
    assert end.stopped is None, end.error
    assert world.asked[0].plan == (
        "c: send text=on Scan",
        "for each of `entities` (2)",
        "block address 192.0.2.1 on g for 1h",
        "block address 192.0.2.2 on g for 1h",
        "change the incident add_tags=['high']",
        "c: send text=see ${steps.act.ticket}",
    )
    assert world.did[1:] == [
        ("act", {"text": "on Scan"}),
        ("all[0].one", "block 192.0.2.1"),
        ("all[1].one", "block 192.0.2.2"),
        ("mark", {"add_tags": ["high"]}),
        ("later", {"text": "see T-act"}),
    ]


def test_what_one_item_brought_is_not_approved_for_the_next(world: ScriptedWorld) -> None:
    world.says = {"all[0].ok": "approve", "all[1].ok": "approve"}
    end = run(
        world,
        "  - id: all\n    each:\n      in: \"['a', 'b']\"\n      do:\n"
        "        - id: ok\n          approval:\n            text: Do it?\n            then:\n"
        f"              - {send('find', '${item}')}\n"
        f"              - {send('act', '${steps.find.ticket}')}\n"
        f"  - {send('after', '${steps.act.ticket}')}\n",
    )
    assert end.stopped is None, end.error
    assert [wish.plan[1] for wish in world.asked] == ["c: send text=${steps.find.ticket}"] * 2
    assert world.did == [
        ("all[0].find", {"text": "a"}),
        ("all[0].act", {"text": "T-all[0].find"}),
        ("all[1].find", {"text": "b"}),
        ("all[1].act", {"text": "T-all[1].find"}),
        ("after", {"text": "T-all[1].act"}),
    ]


def test_what_is_set_behind_an_approval_is_not_what_was_set_before_it(world: ScriptedWorld) -> None:
    world.says = {"ok": "approve"}
    end = run(
        world,
        "  - {id: first, set: {values: {x: old}}}\n"
        "  - id: ok\n    approval:\n      text: 'Do it to ${vars.x}?'\n      then:\n"
        "        - {id: second, set: {values: {x: new}}}\n"
        f"        - {send('act', '${vars.x}')}\n",
    )
    assert end.stopped is None, end.error
    assert (world.asked[0].text, world.asked[0].plan) == ("Do it to old?", ("c: send text=${vars.x}",))
    assert world.did == [("act", {"text": "new"})]


@pytest.mark.parametrize("says", ["reject", ""])
def test_without_a_yes_nothing_of_it_is_done(says: str, world: ScriptedWorld) -> None:
    world.says = {"ok": says} if says else {}
    end = run(world, APPROVAL.replace("ELSE", ""))
    assert (end.stopped, end.error) == (RunState.REFUSED, f"ok: {'bob' if says else 'nobody'} said reject")
    assert did(world) == ["ok/tell[0]"]
    end = run(world, APPROVAL.replace("ELSE", f"else: [{send('instead')}]"))
    assert end.stopped is None
    assert did(world) == ["ok/tell[0]", "ok/tell[0]", "instead"]


def test_a_yes_to_another_plan_is_none(world: ScriptedWorld) -> None:
    world.says, world.digest = {"ok": "approve"}, "another"
    end = run(world, APPROVAL.replace("ELSE", ""))
    assert end.error == "ok: the answer is bound to another plan than the one that was asked about"
    assert did(world) == ["ok/tell[0]"]


def test_guardrails_forbid_before_anybody_is_asked_and_raise_the_number_of_approvers(world: ScriptedWorld) -> None:
    world.facts["entities"] = ["192.0.2.1"]
    world.judgements = {"192.0.2.1": {"obstacles": ["it is protected"], "approvals": 0}}
    end = run(world, APPROVAL.replace("ELSE", ""))
    assert end.error == "ok: block address 192.0.2.1 on g for 1h: it is protected"
    assert world.asked == []
    world.judgements = {"192.0.2.1": {"obstacles": [], "approvals": 3}}
    run(world, APPROVAL.replace("ELSE", ""))
    assert world.asked[0].approvers == 3


def test_who_is_asked_is_told_whom_a_block_would_have_hit(world: ScriptedWorld) -> None:
    world.facts["entities"] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
    radius = {"hours": 24.0, "calls": 3414, "calls_hit": 220, "actors_hit": 1, "bystanders_count": 0}
    office = {
        **radius,
        "bystanders": [f"subject:c{n}" for n in range(9)],
        "bystanders_count": 40,
        "bystander_calls": 90,
    }
    judged = {"obstacles": [], "approvals": 1}
    world.judgements = {
        "192.0.2.1": {**judged, "radius": {**radius, "bystanders": [], "bystander_calls": 0}},
        "192.0.2.2": {**judged, "radius": office},
        "192.0.2.3": {
            **judged,
            "radius": {**radius, "calls_hit": 0, "bystanders": [], "bystander_calls": 0},
            "evidence": {"actions": 9, "verdicts": {"worked": 7, "collateral": 1, "no_effect": 1}},
        },
    }
    run(world, APPROVAL.replace("ELSE", ""))
    look_back = "on g for 1h; in the last 24 hours it would have hit"
    assert world.asked[0].plan[2:5] == (
        f"block address 192.0.2.1 {look_back} 220 of 3414 calls, all by callers that incident 7 names",
        (
            f"block address 192.0.2.2 {look_back} 220 of 3414 calls, 90 of them by callers that incident 7 does not name: "
            "subject:c0, subject:c1, subject:c2 and 37 more"
        ),
        f"block address 192.0.2.3 {look_back} 0 of 3414 calls; of 9 such before: 1 collateral, 1 no effect, 7 worked",
    )


BLOCK = "  - {id: b, contain: {gateway: g, scope: address, value: 192.0.2.1, effect: block, duration: 1h}}\n"


@pytest.mark.parametrize(
    ("judged", "says", "done", "error"),
    [
        ({"obstacles": [], "approvals": 0}, "", ["b"], ""),
        ({"obstacles": [], "approvals": 1}, "approve", ["b"], ""),
        ({"obstacles": [], "approvals": 1}, "reject", [], "b: bob said reject"),
        ({"obstacles": [], "approvals": 2}, "", [], "b: nobody said reject"),
        (
            {"obstacles": ["protected"], "approvals": 0},
            "",
            [],
            "b: block address 192.0.2.1 on g for 1h: playbook a-book: protected",
        ),
    ],
)
def test_a_containment_asks_by_itself(
    judged: dict[str, Any], says: str, done: list[str], error: str, world: ScriptedWorld
) -> None:
    world.judgements = {"192.0.2.1": judged}
    world.says = {"b": says} if says else {}
    end = run(world, BLOCK)
    assert (did(world), end.error) == (done, error)


def test_a_sub_playbook_is_waited_for(world: ScriptedWorld) -> None:
    world.inner = [("", ""), ("", ""), ("succeeded", "")]
    end = run(
        world, f"  - {{id: a, playbook: {{name: inner-book, with: {{x: '${{incident.name}}'}}}}}}\n  - {send('b')}\n"
    )
    assert end.stopped is None
    assert world.did == [("inner-book", {"x": "Scan"}), ("b", {"text": "x"})]
    world.inner = [("failed", "why")]
    end = run(world, "  - {id: a, playbook: {name: inner-book}}\n")
    assert end.error.endswith("of inner-book failed: why")


EVERYTHING = """\
  - {id: first, action: {connection: memory, do: send, with: {text: first}}, retry: {attempts: 3, first: 1s}}
  - {id: note, change: {comment: '${steps.first.ticket}'}}
  - {id: fork, if: {condition: "'seen' in incident.tags", then: [{id: no, action: {connection: memory, do: send, with: {text: wrong}}}]}}
  - {id: pause, wait: {for: 1h}}
  - id: many
    each:
      in: "['a', 'b', 'c']"
      as: letter
      at_once: 2
      do: [{id: tell, lock: door, action: {connection: memory, do: send, with: {text: '${letter}${index}'}}}]
  - id: both
    parallel:
      branches:
        left: [{id: l, action: {connection: memory, do: send, with: {text: left}}}]
        right: [{id: r, action: {connection: memory, do: send, with: {text: refused}}, on_failure: continue}]
  - id: ok
    approval:
      text: Go on?
      approvers: 2
      tell: [{connection: memory, do: send, with: {text: 'asked ${ask.text}'}}]
      then: [{id: act, action: {connection: memory, do: send, with: {text: 'approved ${steps.l.ticket}'}}}]
  - {id: which, ask: {text: 'Which?', options: [A, B], default: A}}
  - {id: last, action: {connection: memory, do: send, with: {text: 'chose ${steps.which.choice} ${steps.r.outcome}'}}}
"""


class Casebook(Changing):
    """A subject whose changes are only counted; the same twice is the same."""

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}

    def incident_of(self, kind: SubjectKind, subject: str) -> int:
        return 7

    def context(self, run: Run) -> dict[str, Any]:
        return {"incident": {"tags": []}}

    def change(self, run: Run, wanted: Any, key: str) -> ActionResult:
        self.made[key] = dict(wanted)
        return ActionResult(outcome=Outcome.SUCCEEDED)


class Cut(RememberingConnectors):
    """The process may also end between the note of an attempt and its effect, and between that and the next note."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self.journal = journal

    def perform(self, call: ActionCall) -> ActionResult:
        self.journal.point()
        result = super().perform(call)
        self.journal.point()
        return result


class Rig:
    """A real world over a real store, in which answers come when somebody waits for them."""

    def __init__(self, directory: Path) -> None:
        self.control = SqlControlStore(f"sqlite:///{directory / 'control.sqlite'}")
        self.control.migrate()
        self.store = self.control.runs
        self.signing = Signing(FileSigner(directory / "signing.key"))
        self.time = 1000.0
        self.playbook = book(EVERYTHING)

    def now(self) -> float:
        return self.time

    def slept(self, seconds: float) -> None:
        self.time += seconds

    def go(self, number: int) -> tuple[list[Any], list[tuple[str, int, str]], int]:
        """Cut off at a point and begun again; (effects, steps, points)."""
        run = Run(
            id=f"r{number}",
            playbook="a-book",
            version=1,
            subject_kind="incident",
            by="ann",
            reason="test",
            created_at=self.time,
        )
        self.store.request(run)
        casebook, journal = Casebook(), Journal(number)
        connectors = Cut(journal)

        def answer(call: ActionCall) -> ActionResult | None:
            if call.inputs["text"] == "refused":
                return REFUSED
            attempts = [one for one in self.store.steps(run.id) if one.path == "first"]
            return FAILED if call.inputs["text"] == "first" and len(attempts) == 1 else None

        connectors.answer = answer
        around = Surrounding(
            store=self.store,
            clock=self,
            connectors=connectors,
            containing=None,
            changing=casebook,
            signing=self.signing,
            links=AnswerLinks(self.store, self, lambda n: b"x" * n, "http://h"),
            done=lambda *_: None,
            start=lambda *given: "",
        )

        def world(address: str) -> RealWorld:
            return RealWorld(around, run, address)

        def news(topic: str) -> bool:
            return self.answered(topic.partition(":")[2], run.id)

        def through() -> BranchEnd:
            return run_through(
                self.playbook, world, journal, slept=self.slept, news=news, started_at=run.created_at, run=run.id
            )

        try:
            end = through()
        except CutOffError:
            end = through()
        assert end.stopped is None, end.error
        assert self.store.questions(QuestionFilter(run=run.id, open=True))[0] == []
        steps = [(one.path, one.attempt, one.state.value) for one in self.store.steps(run.id)]
        assert StepState.STARTED.value not in {state for _, _, state in steps}
        return [*connectors.texts(), *casebook.made.values()], sorted(steps), journal.points

    def answered(self, question_id: str, run: str) -> bool:
        question = self.store.question(question_id)
        choice = "approve" if "approve" in question.options else "B"
        by = f"person {len(self.store.answers(question_id))}"
        made = Answer(
            question=question_id,
            run=run,
            digest=question.digest,
            choice=choice,
            by=by,
            by_id=by,
            kind=AnswerKind.PORTAL,
            at=self.time,
        )
        return self.store.answer(self.signing.signed(made))


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.slow)])
def test_a_run_that_is_cut_off_anywhere_repeats_and_loses_nothing(every: int, tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    whole, steps, points = rig.go(0)
    assert whole == [
        *("first", "a0", "b1", "c2", "left", "asked Go on?", "approved T-left", "chose B failed"),
        {"comment": "T-first"},
    ]
    assert points > 100
    for number in range(1, points + 1, every):
        assert rig.go(number)[:2] == (whole, steps), f"cut off at point {number}"
    rig.control.close()
