"""Names of fields are checked before a condition ever runs."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.model.automation import About, AlertCreated, FindingOpened, IncidentUpdated, Manual, Schedule, Trigger
from gatewatch.respond.conditions import Facts, problem_of
from gatewatch.respond.context import ROOTS, roots_for
from gatewatch.respond.fields import example_of, field_problem, paths_of

ROOTS_OF = roots_for(IncidentUpdated())
WRONG = {
    "a slip": ("incident.severty == 'high'", "incident has no severty; it has alert_types"),
    "in has": ("has(incident.x)", "incident has no x"),
    "of a part": ("changed.status.befor == 'x'", "changed.status has no befor; it has after, before, changed"),
    "of a number": ("incident.id.x == 1", "incident.id has no fields, so no .x"),
    "of an item": ("entities.exists(e, e.knd == 'x')", "e has no knd; it has kind, value, verdict"),
    "a word that never is": ("incident.severity == 'High'", "is never 'High'; it is one of informational, low"),
    "a word that never is not": ('incident.status != "closed"', "incident.status is never 'closed'"),
    "before a method": ("incident.nme.contains('x')", "incident has no nme"),
    "with spaces": ("incident . severty == 'high'", "incident has no severty"),
}
FINE = {
    "names": "incident.severity == 'high' && changed.status.after == 'x'",
    "methods": "incident.tags.size() > 1 && incident.name.contains('x')",
    "names in texts": "incident.name == 'incident.severty' || incident.name == \"it's incident.x\"",
    "macros": "entities.exists(e, e.kind == 'address' && e.value.startsWith('203.'))",
    "items without fields": "incident.tags.exists(t, t == 'x') && incident.tags[0] == 'x'",
    "functions": "lower(incident.name) == 'x' && has(incident.name)",
    "numbers": "incident.priority > 1 && incident.created_at > 1.5e3",
    "the empty word where it is one": "incident.assigned_to == ''",
    "a raw text": "incident.name.matches(r'incident\\.x')",
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_names_are_told_with_those_there_are(name: str) -> None:
    source, why = WRONG[name]
    assert problem_of(source, ROOTS_OF) == ""
    assert why in field_problem(source, ROOTS_OF)


@pytest.mark.parametrize("name", FINE)
def test_right_names_pass(name: str) -> None:
    assert problem_of(FINE[name], ROOTS_OF) == ""
    assert field_problem(FINE[name], ROOTS_OF) == ""


def test_paths_are_what_a_condition_saw() -> None:
    assert paths_of("incident.tags.size() > 1 && changed.status.after == 'incident.x'", ROOTS) == [
        "incident.tags",
        "changed.status.after",
    ]
    assert paths_of("entities.exists(e, e.kind == 'x') && size(incident.name) > now.hour", ROOTS) == [
        "entities",
        "incident.name",
        "now.hour",
    ]


def test_every_field_has_an_example_of_its_own_kind() -> None:
    facts = Facts({name: example_of(kind) for name, kind in ROOTS.items()})
    for trigger in get_args(Trigger):
        made = trigger("0 8 * * *") if trigger is Schedule else trigger()
        for root, kind in roots_for(made).items():
            if root != "entities":
                for field in kind.__struct_fields__:
                    facts.value(f"{root}.{field}")
    assert set(roots_for(AlertCreated())) == {"alert", "incident", "entities", "now"}
    assert set(roots_for(FindingOpened())) == {"finding", "changed", "now"}
    assert set(roots_for(Manual(About.ALERT))) == set(roots_for(AlertCreated()))


@given(st.text(alphabet="incidetags.exists(,)'\"\\ =!x0[]{}\x00", max_size=60))
def test_no_text_breaks_the_walk(source: str) -> None:
    field_problem(source, ROOTS_OF)
    paths_of(source, ROOTS)
