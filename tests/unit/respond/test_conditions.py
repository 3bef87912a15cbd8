"""Conditions: what is refused when written, what is evaluated, texts with holes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.errors import InputError
from gatewatch.respond.conditions import (
    BUILT_IN,
    FUNCTIONS,
    Condition,
    Facts,
    evaluate,
    expressions_of,
    fill,
    problem_of,
    roots_of,
)

CONTEXT: dict[str, Any] = {"incident": {"name": "scan", "tags": ["a", "b"], "n": 3, "x": 2.5}, "now": {"hour": 7}}

HOLDS = {
    "a comparison": "incident.n == 3 && incident.x > 2",
    "a list": '"a" in incident.tags && size(incident.tags) == 2',
    "a macro": 'incident.tags.exists(t, t.startsWith("b")) && incident.tags.all(t, t != "c")',
    "macros in macros": "incident.tags.map(t, t + t).exists(u, u == 'bb')",
    "a word that is like a name inside a text": '!incident.name.contains("frobnicate(1)")',
    "macros beside macros": " || ".join(["incident.tags.exists(t, t == '(exists(' || t == 'a')"] * 5),
    "our own functions": 'lower("AB") == "ab" && join(first(incident.tags, 1), ",") == "a"',
    "a time": "timestamp('2026-01-01T00:00:00Z').getFullYear() == 2026",
    "has": "has(incident.name) && !has(incident.nothing)",
    "negative numbers": "-incident.n < 0 && incident.n - 4 == -1",
    "a choice": "(incident.n > 2 ? 'many' : 'few') == 'many'",
    "a map": "{'a': 1}['a'] == 1",
}
REFUSED = {
    "nothing": ("  ", "empty"),
    "no CEL": ("incident.n ==", "is no CEL expression"),
    "an unknown name": ("alert.count > 3", "names alert; known are incident, now"),
    "an unknown function": ("frobnicate(incident.n) > 1", "calls frobnicate; known are bytes"),
    "an unknown method": ("incident.name.lowerAscii() == 'x'", "calls lowerAscii"),
    "a function of other CELs": ("bool('true')", "calls bool"),
    "a name outside its macro's list": ("incident.tags.exists(t, t == u)", "names u"),
    "macros in macros in macros": (
        "incident.tags.all(a, incident.tags.all(b, incident.tags .exists (c, c == a + b)))",
        "more than 2 deep",
    ),
    "too long": ("'" + "x" * 4000 + "' == ''", "longer than 4000"),
}
FAILS = {
    "a field that is not there": "incident.nothing == 1",
    "an index out of range": "incident.tags[7] == 'x'",
    "different kinds": "incident.name > 3",
    "a regular expression that is none": "incident.name.matches('(')",
    "division by nothing": "incident.n / 0 == 1",
    "a time that is none": "timestamp(incident.name).getFullYear() == 1",
}


@pytest.mark.parametrize("name", HOLDS)
def test_what_holds(name: str) -> None:
    assert problem_of(HOLDS[name], CONTEXT) == ""
    assert Condition(HOLDS[name], CONTEXT).holds(CONTEXT) is True


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_when_it_is_written(name: str) -> None:
    source, why = REFUSED[name]
    assert why in problem_of(source, CONTEXT)
    with pytest.raises(InputError):
        Condition(source, CONTEXT)


@pytest.mark.parametrize("name", FAILS)
def test_what_can_not_be_evaluated_is_an_error_of_ours(name: str) -> None:
    assert problem_of(FAILS[name], CONTEXT) == ""
    with pytest.raises(InputError, match="can't be evaluated"):
        evaluate(FAILS[name], CONTEXT)


def test_what_is_neither_true_nor_false_does_not_hold() -> None:
    with pytest.raises(InputError, match="is int, not true or false"):
        Condition("incident.n", CONTEXT).holds(CONTEXT)


@pytest.mark.parametrize("name", sorted(BUILT_IN - {"dyn"}))
def test_every_function_that_is_said_to_be_known_is(name: str) -> None:
    """The library must know it, whatever it says to an argument that does not fit."""
    forms = (f"{name}('1')", f"'1'.{name}()", f"'1'.{name}('1')", f"timestamp('2026-01-01T00:00:00Z').{name}()")
    faults = []
    for form in forms:
        try:
            evaluate(form, {})
        except InputError as error:
            faults.append(error.message)
        else:
            return
    assert not all("Undefined variable or function" in fault for fault in faults), faults


TEXTS: dict[str, tuple[str, Any]] = {
    "no hole": ("plain", "plain"),
    "one hole keeps its kind": ("${incident.n}", 3),
    "a list too": (" ${incident.tags} ", ["a", "b"]),
    "holes in a text": ("n is ${incident.n}, ${incident.tags}", 'n is 3, ["a", "b"]'),
    "braces in a hole": ("${ {'a': 1}['a'] }", 1),
    "a brace in a text in a hole": ("${'}' + incident.name}", "}scan"),
    "money": ("$5 {x}", "$5 {x}"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_are_filled(name: str) -> None:
    text, expected = TEXTS[name]
    assert fill(text, CONTEXT) == fill(text, Facts(CONTEXT)) == expected
    assert len(expressions_of(text)) == text.count("${")


def test_roots_are_the_variables_without_what_macros_bind() -> None:
    assert roots_of("incident.tags.exists(t, t == now.hour)") == {"incident", "now"}


@given(st.text(max_size=80))
def test_no_text_breaks_the_checks(source: str) -> None:
    if problem_of(source, CONTEXT) == "":
        try:
            evaluate(source, CONTEXT)
        except InputError:
            return


@given(st.lists(st.sampled_from([*"()[]{}.,?:!&|=<>+-'\"", "incident", ".name", "exists", "x", "1", " "]), max_size=25))
def test_no_heap_of_words_breaks_the_checks(words: list[str]) -> None:
    source = "".join(words)
    if problem_of(source, CONTEXT) == "":
        try:
            evaluate(source, CONTEXT)
        except InputError:
            return


@given(st.text(max_size=60))
def test_a_text_without_holes_stays(text: str) -> None:
    if "${" not in text:
        assert fill(text, CONTEXT) == text


@given(st.text(max_size=40), st.sampled_from(sorted(FUNCTIONS)))
def test_our_functions_raise_nothing_else(text: str, name: str) -> None:
    for call in (f"{name}(value)", f"{name}(value, 1)", f"{name}([value], value)"):
        try:
            evaluate(call, {"value": text})
        except InputError:
            continue
