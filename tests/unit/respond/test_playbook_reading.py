"""Playbooks from text: every mistake at once, each where it is; any text gives a document or located mistakes."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatewatch.model.action import ActionInput, ActionMeta, ConnectorMeta
from gatewatch.respond.conditions import problem_of
from gatewatch.respond.playbooks.checking import Surroundings, read_playbook
from gatewatch.respond.playbooks.document import STEP_KINDS, Playbook, json_schema, kind_of
from gatewatch.respond.playbooks.reading import PlaybookError, Problem
from gatewatch.respond.playbooks.walking import steps_of

HEAD = "schema: gatewatch.playbook/v1\nname: a-book\ntitle: A\n"
_SEND = ActionMeta(
    id="send",
    title="Send",
    description="Sends.",
    inputs=(
        ActionInput(name="text", description="The words.", required=True),
        ActionInput(name="urgency", description="How much.", choices=("1", "2")),
        ActionInput(name="times", description="How often.", type="integer"),
    ),
)
AROUND = Surroundings(
    connections={"chat": ConnectorMeta(id="chat", title="Chat", description="Talks.", actions=(_SEND,))},
    gateways=["edge"],
    playbooks={"other-book": "incident", "alert-book": "alert", "free-book": "none"},
)
NOTHING = Surroundings()


def problems(text: str, around: Surroundings = NOTHING) -> list[tuple[int, str, str]]:
    """(line, place, message)."""
    try:
        read_playbook(text, around)
    except PlaybookError as error:
        return [(one.line, one.place, one.message) for one in error.problems]
    return []


def steps(text: str, around: Surroundings = AROUND) -> list[tuple[int, str, str]]:
    """Of a file whose steps begin in line 5; lines are counted from the first step."""
    return [(line - 4, place, told) for line, place, told in problems(f"{HEAD}steps:\n{text}", around)]


ALL_KINDS = """\
  - {id: call, action: {connection: chat, do: send, with: {text: hi}}, retry: {attempts: 3}, timeout: 10s, lock: l}
  - {id: block, contain: {gateway: edge, scope: address, value: 192.0.2.1, effect: block, duration: 1h}}
  - {id: mark, change: {status: in_progress, add_tags: [seen]}}
  - {id: fork, if: {condition: 'true', then: [{id: yes_way, set: {values: {a: 1}}}], else: []}}
  - {id: way, switch: {on: incident.severity, cases: {high: [{id: hi, wait: {for: 1s}}], no: []}, default: []}}
  - {id: loop, each: {in: entities, as: one, do: [{id: use, set: {values: {b: '${one.value} ${index}'}}}]}}
  - {id: both, parallel: {branches: {left: [{id: l, wait: {until: now + 5.0}}], right: []}}}
  - {id: pause, wait: {for: 90s}}
  - id: may_it
    approval:
      text: May it?
      tell: [{connection: chat, do: send, with: {text: '${ask.links.approve}'}}]
      then: [{id: done, action: {connection: chat, do: send, with: {text: done}}}]
      else: []
  - {id: which, ask: {text: 'Which?', options: [A, B], default: A}}
  - {id: sub, playbook: {name: other-book, with: {x: 1}}}
  - {id: keep, set: {values: {c: '${vars.a}'}}, on_failure: [{id: instead, wait: {for: 1m}}]}
"""


def test_every_kind_of_step_can_be_written() -> None:
    text = f"{HEAD}steps:\n{ALL_KINDS}"
    assert problems(text, AROUND) == []
    document = read_playbook(text, AROUND)
    assert {found.kind for found in steps_of(document.steps)} == set(STEP_KINDS)
    written = [*STEP_KINDS[:7], "wait", "approval", "ask", "playbook", "set"]
    assert [kind_of(step) for step in document.steps] == written
    assert document.steps[7].model_dump()["wait"]["for_"] == 90.0


def test_six_different_mistakes_are_told_at_once_with_their_lines() -> None:
    text = """\
schema: gatewatch.playbook/v1
name: Broken Book
title: Broken
subject: incident
steps:
  - id: ticket
    action:
      connection: chatt
      do: send
      with:
        text: hello
  - id: ticket
    wait: {for: 5 parsecs}
  - id: fork
    if:
      condition: incident.severity ==
      then:
        - id: note
          change: {comment: "see ${steps.tickets.link}"}
  - id: last
    retry: {attempts: 3, frist: 1s}
    action:
      connection: chat
      do: shout
"""
    found = problems(text, AROUND)
    assert [(line, place) for line, place, _ in found] == [
        (2, "name"),
        (8, "steps[0].action.connection"),
        (12, "steps[1].id"),
        (13, "steps[1].wait.for"),
        (16, "steps[2].if.condition"),
        (19, "steps[2].if.then[0].change.comment"),
        (21, "steps[3].retry.frist"),
        (24, "steps[3].action.do"),
    ]
    told = [message for _, _, message in found]
    assert told[0].startswith("String should match pattern")
    assert told[1:] == [
        "there is no connection `chatt` (there are chat)",
        "`ticket` is the id of an earlier step",
        "is no duration: write 90s, 5m, 2h or 1d",
        told[4],
        "`tickets` is no earlier step (there are fork, ticket)",
        "is not known here",
        "`chat` can't do `shout` (there are send)",
    ]
    with pytest.raises(PlaybookError, match=r"^8 mistakes in the playbook:\nline 2, column 7: name: "):
        read_playbook(text, AROUND)


def test_what_a_broken_part_would_have_made_known_is_no_further_mistake() -> None:
    found = steps(
        "  - id: a\n    each: {in: entities, as: one, mots: 5, do: [{id: b, set: {values: {c: 1}}, retry: x}]}\n"
        "  - {id: d, set: {values: {e: '${vars.c} ${steps.b.outcome}'}}}\n"
    )
    assert [(line, place) for line, place, _ in found] == [(2, "steps[0].each.mots"), (2, "steps[0].each.do[0].retry")]


WRONG: dict[str, tuple[str, list[tuple[int, str, str]]]] = {
    "no kind": ("  - {id: a}\n", [(1, "steps[0]", f"needs exactly one of {', '.join(STEP_KINDS)}")]),
    "two kinds": (
        "  - {id: a, wait: {for: 1s}, set: {values: {b: 1}}}\n",
        [(1, "steps[0]", f"needs exactly one of {', '.join(STEP_KINDS)}")],
    ),
    "something missing": ("  - id: a\n    action: {do: send}\n", [(2, "steps[0].action", "`connection` is missing")]),
    "no id": ("  - wait: {for: 1s}\n", [(1, "steps[0]", "`id` is missing")]),
    "a key twice": (
        "  - id: a\n    wait: {for: 1s}\n    id: b\n",
        [(3, "steps[0].id", "`id` is given twice")],
    ),
    "a key that nobody knows": (
        "  - id: a\n    wait: {for: 1s}\n    nmae:\n      x: 1\n",
        [(3, "steps[0].nmae", "is not known here")],
    ),
    "an earlier id": (
        "  - {id: a, wait: {for: 1s}}\n  - {id: a, wait: {for: 1s}}\n",
        [(2, "steps[1].id", "`a` is the id of an earlier step")],
    ),
    "an earlier id inside": (
        "  - {id: a, wait: {for: 1s}}\n  - {id: b, if: {condition: 'true', then: [{id: a, wait: {for: 1s}}]}}\n",
        [(2, "steps[1].if.then[0].id", "`a` is the id of an earlier step")],
    ),
    "a later step": (
        "  - {id: a, set: {values: {x: '${steps.b.outcome}'}}}\n  - {id: b, wait: {for: 1s}}\n",
        [(1, "steps[0].set.values.x", "`b` is no earlier step")],
    ),
    "itself": (
        "  - {id: a, when: steps.a.ok, wait: {for: 1s}}\n",
        [(1, "steps[0].when", "`a` is no earlier step")],
    ),
    "an unknown field": (
        "  - {id: a, when: incident.severty == 'high', wait: {for: 1s}}\n",
        [(1, "steps[0].when", "`incident.severty == 'high'`: incident has no severty; it has ")],
    ),
    "an unknown field of what a list has": (
        "  - {id: a, set: {values: {x: '${alerts.map(a, a.titel)}'}}}\n",
        [(1, "steps[0].set.values.x", "`alerts.map(a, a.titel)`: a has no titel; it has ")],
    ),
    "a value that a field never has": (
        "  - {id: a, when: incident.severity == 'High', wait: {for: 1s}}\n",
        [(1, "steps[0].when", "`incident.severity == 'High'`: incident.severity is never 'High'; it is one of ")],
    ),
    "an unknown input": ("  - {id: a, when: inputs.x, wait: {for: 1s}}\n", [(1, "steps[0].when", "`x` is no input")]),
    "an unknown variable": (
        "  - {id: a, set: {values: {y: 1}}}\n  - {id: b, when: vars.x, wait: {for: 1s}}\n",
        [(2, "steps[1].when", "`x` is no variable set before (there are y)")],
    ),
    "a loop's name outside": (
        """\
  - {id: a, each: {in: entities, as: one, do: [{id: b, set: {values: {x: '${one.value}'}}}]}}
  - {id: c, when: one.value == '', wait: {for: 1s}}
""",
        [
            (
                2,
                "steps[1].when",
                "`one.value == ''` names one; known are alerts, entities, incident, inputs, now, run, steps, vars",
            )
        ],
    ),
    "a loop's name that means something": (
        "  - {id: a, each: {in: entities, as: incident, do: [{id: b, wait: {for: 1s}}]}}\n",
        [(1, "steps[0].each.as", "`incident` means something else already")],
    ),
    "the question's links outside its messages": (
        "  - {id: a, approval: {text: '${ask.id}', then: [{id: b, wait: {for: 1s}}]}}\n",
        [
            (
                1,
                "steps[0].approval.text",
                "`ask.id` names ask; known are alerts, entities, incident, inputs, now, run, steps, vars",
            )
        ],
    ),
    "an unknown connection": (
        "  - {id: a, action: {connection: mail, do: send, with: {text: x}}}\n",
        [(1, "steps[0].action.connection", "there is no connection `mail` (there are chat)")],
    ),
    "an unknown connection in a message": (
        """\
  - id: a
    ask:
      text: x
      options: [A, B]
      default: A
      tell:
        - {connection: mail, do: send}
""",
        [(7, "steps[0].ask.tell[0].connection", "there is no connection `mail` (there are chat)")],
    ),
    "an unknown action": (
        "  - {id: a, action: {connection: chat, do: call, with: {text: x}}}\n",
        [(1, "steps[0].action.do", "`chat` can't do `call` (there are send)")],
    ),
    "inputs that do not fit": (
        "  - id: a\n    action:\n      connection: chat\n      do: send\n      with:\n        urgency: '3'\n        times: often\n        color: red\n",
        [
            (5, "steps[0].action.with", "`send` needs `text`: The words."),
            (6, "steps[0].action.with.urgency", "is none of 1, 2"),
            (7, "steps[0].action.with.times", "is not of type integer"),
            (8, "steps[0].action.with.color", "`send` knows no `color` (there are text, times, urgency)"),
        ],
    ),
    "an unknown gateway": (
        "  - {id: a, contain: {gateway: egde, scope: address, value: x, effect: block, duration: 1h}}\n",
        [(1, "steps[0].contain.gateway", "there is no gateway `egde` (there are edge)")],
    ),
    "throttling to nothing": (
        "  - {id: a, contain: {gateway: edge, scope: address, value: x, effect: throttle, duration: 1h}}\n",
        [(1, "steps[0].contain.effect", "throttling needs `calls`")],
    ),
    "a status that is none": (
        "  - {id: a, change: {status: done}}\n",
        [(1, "steps[0].change.status", "is none of active, in_progress, awaiting_action, resolved, redirected")],
    ),
    "a default that is no option": (
        "  - {id: a, ask: {text: x, options: [A, B], default: C}}\n",
        [(1, "steps[0].ask.default", "is none of A, B")],
    ),
    "a playbook inside itself": (
        "  - {id: a, playbook: {name: a-book}}\n",
        [(1, "steps[0].playbook.name", "a playbook can't run itself")],
    ),
    "an unknown playbook": (
        "  - {id: a, playbook: {name: no-book}}\n",
        [(1, "steps[0].playbook.name", "there is no playbook `no-book` (there are alert-book, free-book, other-book)")],
    ),
    "a playbook about something else": (
        "  - {id: a, playbook: {name: alert-book}}\n",
        [(1, "steps[0].playbook.name", "`alert-book` is about a subject `alert`")],
    ),
    "waiting for two things": (
        "  - {id: a, wait: {for: 1s, until: now}}\n",
        [(1, "steps[0].wait", "needs either `for` or `until`")],
    ),
    "a hole without an end": (
        "  - {id: a, change: {comment: 'see ${incident.name'}}\n",
        [(1, "steps[0].change.comment", "has a `${` that no `}` ends")],
    ),
    "a function that nobody has": (
        "  - {id: a, when: sum(entities) > 3, wait: {for: 1s}}\n",
        [(1, "steps[0].when", "`sum(entities) > 3` calls sum; known are ")],
    ),
    "a wrong word for on_failure": (
        "  - {id: a, on_failure: ignore, wait: {for: 1s}}\n",
        [(1, "steps[0].on_failure", "Input should be 'stop' or 'continue'")],
    ),
    "a mistake in on_failure's steps": (
        "  - id: a\n    wait: {for: 1s}\n    on_failure:\n      - {id: b, wait: {fro: 1s}}\n",
        [(4, "steps[0].on_failure[0].wait.fro", "is not known here")],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_mistakes_are_where_they_are(case: str) -> None:
    text, wanted = WRONG[case]
    found = steps(text)
    assert [(line, place) for line, place, _ in found] == [(line, place) for line, place, _ in wanted], found
    for (_, _, told), (_, _, want) in zip(found, wanted, strict=True):
        assert told.startswith(want)


def test_what_was_kept_before_fields_were_checked_is_still_read() -> None:
    text = f"{HEAD}steps:\n  - {{id: a, when: incident.severty == 'high', wait: {{for: 1s}}}}\n"
    assert read_playbook(text, Surroundings(kept=True)).steps[0].id == "a"


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("1.5h", 5400), ("45", 45), ("0.5 m", 30)],
)
def test_durations(given: str, seconds: float) -> None:
    document = read_playbook(f"{HEAD}steps:\n  - {{id: a, wait: {{for: {given}}}}}\n", NOTHING)
    assert document.steps[0].model_dump()["wait"]["for_"] == seconds


@pytest.mark.parametrize(
    "given", ["'5'", "0s", "-1m", "5 minutes", "31d", "1h30m", "[1s]", ".inf", ".nan", "1:30", "''", "~"]
)
def test_what_is_no_duration(given: str) -> None:
    found = problems(f"{HEAD}steps:\n  - {{id: a, wait: {{for: {given}}}}}\n")
    assert [line for line, _, _ in found] == [5]


def values(text: str) -> Any:
    document = read_playbook(f"{HEAD}steps:\n  - {{id: a, set: {{values: {{x: {text}}}}}}}\n", NOTHING)
    return document.steps[0].model_dump()["set"]["values"]["x"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((word, word) for word in ("yes", "no", "on", "off", "Yes", "2026-01-01", "12:30", "1_000", "0x1F", ".inf")),
        *(
            ("true", True),
            ("False", False),
            ("~", None),
            ("null", None),
            ("''", ""),
            ("'5'", "5"),
            ("5", 5),
            ("010", 10),
        ),
        *(("-3", -3), ("1.5", 1.5), ("[yes, 1]", ["yes", 1]), ("{no: off}", {"no": "off"}), ("!!str 5", "5")),
        *(("!!int ''", ""), ("!!timestamp x", "x"), ("9" * 40, 1e40)),
    ],
)
def test_words_and_numbers_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert values(text) == value
    assert type(values(text)) is type(value)


def test_yes_no_and_on_are_keys_and_ids() -> None:
    found = steps(
        "  - id: yes\n    switch:\n      on: incident.name\n      cases: {no: [{id: no, wait: {for: 1s}}], yes: []}\n"
    )
    assert found == []


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "is empty"),
        ("# only this\n", 1, "is empty"),
        ("a: b: c\n", 1, "is no YAML"),
        (f"{HEAD}steps:\n  - id: 'a\n", 6, "is no YAML"),
        (f"{HEAD}steps: *nobody\n", 4, "is no YAML"),
        ("a: 1\n---\nb: 1\n", 2, "is no YAML"),
        ("\x07", 1, "is no YAML"),
        ("\ud800", 1, "is no YAML"),
        ("just words", 1, "Input should be"),
        ("[1, 2]", 1, "Input should be"),
        (f"{HEAD}steps: []\n", 4, "Tuple should have at least 1 item"),
        (f"{HEAD}? [a]\n: 1\nsteps: [{{id: a, wait: {{for: 1s}}}}]\n", 4, "a key is no text"),
        (
            f"{HEAD}steps: [{{id: a, set: {{values: {{x: !!python/name:os.system ''}}}}}}]\n",
            4,
            "`tag:yaml.org,2002:python",
        ),
        (f"{HEAD}steps: [{{id: a, set: {{values: {{x: !mine 5}}}}}}]\n", 4, "`!mine` is not known here"),
        ("[" * 3000, 1, "is no YAML"),
        (f"{HEAD}steps:\n" + "x" * (256 * 1024), 1, "larger than 256 KiB"),
    ],
)
def test_texts_that_are_no_playbook(text: str, line: int, message: str) -> None:
    found = problems(text)
    assert found[0][0] == line
    assert found[0][2].startswith(message), found


def test_a_bomb_of_aliases_costs_little() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert [told for _, _, told in problems(HEAD + bomb)] == ["is nested too deeply, or too much"]
    assert [told for _, _, told in problems("a: &a [*a]\n")] == ["is nested too deeply, or too much"]
    assert [told for _, _, told in problems(f"{HEAD}x: {'[' * 100}{']' * 100}\n")] == [
        "is nested too deeply, or too much"
    ]


def test_paths_are_bounded() -> None:
    inner = "{id: end, wait: {for: 1s}}"
    for number in range(6):
        inner = f"{{id: {chr(97 + number) * 37}, each: {{in: entities, do: [{inner}]}}}}"
    assert [told for _, _, told in steps(f"  - {inner}\n")] == [
        "stands in too many loops and branches; shorter ids help"
    ]


def test_an_alias_is_what_it_stands_for() -> None:
    assert steps("  - {id: a, set: {values: {x: &x [1], y: *x}}}\n") == []


def test_inputs_have_types_and_defaults() -> None:
    found = problems(
        f"{HEAD}inputs:\n  a: {{type: integer, default: x}}\n  b: {{choices: [p, q], default: r}}\n"
        "  c: {required: true, default: x}\n  D: {}\n  e: {type: date}\nsteps: [{id: s, when: inputs.e, wait: {for: 1s}}]\n"
    )
    assert [(line, place) for line, place, _ in found] == [
        (5, "inputs.a.default"),
        (6, "inputs.b.default"),
        (7, "inputs.c.required"),
        (8, "inputs.D"),
        (9, "inputs.e.type"),
    ]


def test_what_expressions_may_name_hangs_on_the_subject() -> None:
    for subject, name in (("alert", "alert"), ("finding", "finding"), ("none", "run"), ("incident", "alerts")):
        text = f"{HEAD}subject: {subject}\nsteps: [{{id: a, when: size({name}) > 0, wait: {{for: 1s}}}}]\n"
        assert problems(text) == []
    assert problems(f"{HEAD}subject: finding\nsteps: [{{id: a, change: {{status: resolved}}}}]\n") == [
        (5, "steps[0].change", "there is nothing to change about a subject `finding`")
    ]


def mistakes_are_inside(text: str, around: Surroundings) -> None:
    lines = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").splitlines() or [""]
    found: list[Problem] = []
    try:
        assert isinstance(read_playbook(text, around), Playbook)
    except PlaybookError as error:
        found = error.problems or [Problem(line=0, column=0, place="", message="")]
    assert all(1 <= one.line <= len(lines) + 1 and one.column >= 1 and one.message for one in found), found


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
@example("\ud800")
@example("!!int ''")
@example("? ")
def test_any_text_gives_a_playbook_or_located_mistakes(text: str) -> None:
    mistakes_are_inside(text, AROUND)
    mistakes_are_inside(f"{HEAD}steps:\n  - {text}", AROUND)


WORDS = st.sampled_from(
    [
        *STEP_KINDS,
        "id",
        "when",
        "then",
        "else",
        "do",
        "in",
        "as",
        "for",
        "on",
        "cases",
        "text",
        "options",
        "with",
        "steps",
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=10),
    st.sampled_from(
        ["a", "1s", "true", "${steps.a.x}", "${", "entities", "steps.b", "stop", "chat", "send", "address"]
    ),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=5)),
    max_leaves=25,
)


@settings(max_examples=150)
@given(st.lists(TREES, max_size=4), TREES)
def test_any_tree_gives_a_playbook_or_located_mistakes(rows: list[object], inputs: object) -> None:
    head = {"schema": "gatewatch.playbook/v1", "name": "a-book", "title": "A"}
    mistakes_are_inside(yaml.safe_dump({**head, "inputs": inputs, "steps": rows}), AROUND)


@settings(max_examples=200)
@given(st.data())
def test_any_change_of_a_good_file_gives_a_playbook_or_located_mistakes(data: st.DataObject) -> None:
    text = f"{HEAD}steps:\n{ALL_KINDS}"
    at = data.draw(st.integers(0, len(text) - 1))
    more = data.draw(st.integers(0, 30))
    middle = data.draw(st.text("abc:-{}[]'\"$#&*!|> \n\t0159.", max_size=8))
    mistakes_are_inside(text[:at] + middle + text[at + more :], AROUND)


@settings(max_examples=300)
@given(st.text(max_size=60) | st.text("ab.()[]{}'\"+-*/<>=!&|?:, 019_", max_size=40))
def test_any_expression_is_fine_or_has_a_problem(text: str) -> None:
    assert isinstance(problem_of(text, ("a", "b")), str)


def test_the_schema_describes_what_is_read() -> None:
    schema = json_schema()
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"schema", "name", "title", "steps"}
    kinds = {name for name, one in schema["$defs"].items() if name.endswith("Step") and "id" in one["properties"]}
    assert len(kinds) == len(STEP_KINDS)
    keys = {key for name in kinds for key in schema["$defs"][name]["required"]} - {"id"}
    assert keys == set(STEP_KINDS)
