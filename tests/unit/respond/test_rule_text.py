"""Rules as people write them: read, refused with everything that is wrong, written again."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.errors import DefinitionError
from gatewatch.respond.located_yaml import documents, located
from gatewatch.respond.problems import Problem, ProblemsError
from gatewatch.respond.rule_text import read_rule, text_of
from gatewatch.respond.schedules import due_times, last_due, next_due

ROOT = Path(__file__).parents[3]
GOOD: dict[str, Any] = {"title": "t", "trigger": "incident_created", "actions": [{"do": "add_tags", "tags": ["x"]}]}
PLAYBOOK = {"do": "run_playbook", "playbook": "p"}


def problems_of(**changes: Any) -> list[str]:
    try:
        read_rule("r", {**GOOD, **changes}, by="ann", at=0.0)
    except ProblemsError as error:
        return [one.told() for one in error.problems]
    return []


def change(**given: Any) -> dict[str, Any]:
    return {"do": "change_properties", **given}


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no title": ({"title": " "}, "title: has 1 to 500 characters"),
    "order": ({"order": 1001}, "order: 1001 is not within 1 to 1000"),
    "zone": ({"timezone": "Mars/Base"}, "timezone: 'Mars/Base' is no IANA time zone"),
    "trigger": ({"trigger": {"on": "moon"}}, "trigger.on: 'moon' is unknown; known are incident_created"),
    "trigger's member": ({"trigger": {"on": "manual", "x": 1}}, "trigger.x: is unknown; there may be subject"),
    "no trigger": ({"trigger": {}}, "trigger: needs `on`: one of"),
    "cron": ({"trigger": {"on": "schedule", "cron": "61 * * * *"}, "actions": [PLAYBOOK]}, "trigger.cron: '61"),
    "seconds": ({"trigger": {"on": "schedule", "cron": "* * * * * *"}, "actions": [PLAYBOOK]}, "five fields"),
    "no actions": ({"actions": []}, "actions: are 0; there have to be 1 to 20"),
    "many actions": ({"actions": [GOOD["actions"][0]] * 21}, "actions: are 21"),
    "many conditions": ({"conditions": ["true"] * 51}, "conditions: are 51"),
    "condition": ({"conditions": ["incident.x"]}, "conditions[0]: `incident.x`: incident has no x"),
    "no truth": ({"conditions": ["incident.name"]}, "conditions[0]: `incident.name` is str, not true or false"),
    "kinds": ({"conditions": ["incident.name > 3"]}, "conditions[0]: `incident.name > 3` can't be evaluated"),
    "not its own": ({"conditions": ["alert.count > 3"]}, "names alert; known are changed, entities, incident, now"),
    "status": ({"actions": [change(status="closed")]}, "actions[0].status: 'closed' is unknown; known are active"),
    "redirected": ({"actions": [change(status="redirected")]}, "actions[0].status"),
    "nothing": ({"actions": [change()]}, "actions[0]: changes nothing"),
    "severity": ({"actions": [change(severity="huge")]}, "actions[0].severity: Invalid enum value 'huge'"),
    "pair": (
        {"actions": [change(classification="false_positive", determination="phishing")]},
        "actions[0].determination: phishing does not go with false_positive",
    ),
    "alert's severity": (
        {"trigger": "alert_created", "actions": [change(severity="low")]},
        "actions[0].severity: can't be changed of an alert",
    ),
    "finding": ({"trigger": "finding_opened"}, "actions[0].do: a finding has nothing to change"),
    "schedule": ({"trigger": {"on": "schedule", "cron": "0 8 * * *"}}, "a schedule has nothing to change"),
    "tag": ({"actions": [{"do": "add_tags", "tags": [""]}]}, "actions[0].tags: have to be texts"),
    "hole": ({"actions": [{"do": "add_comment", "text": "${incident.x}"}]}, "actions[0].text: `incident.x`"),
    "input": ({"actions": [PLAYBOOK | {"inputs": {"a": "${foo(1)}"}}]}, "actions[0].inputs.a: `foo(1)` calls foo"),
    "input inside": (
        {"actions": [PLAYBOOK | {"inputs": {"a": {"b": ["x", "${incident.x}"]}}}]},
        "actions[0].inputs.a.b[1]: `incident.x`: incident has no x",
    ),
    "open hole": ({"actions": [{"do": "add_comment", "text": "${incident.id"}]}, "actions[0].text: has a `${` that no"),
    "moment": ({"expires_at": "tomorrow"}, "expires_at: Invalid RFC3339"),
}
FINE: dict[str, dict[str, Any]] = {
    "the least": {},
    "a trigger with members": {"trigger": {"on": "manual", "subject": "alert"}, "conditions": ["alert.count > 3"]},
    "an alert's status": {"trigger": "alert_created", "actions": [change(status="dismissed")]},
    "a schedule": {"trigger": {"on": "schedule", "cron": "*/5 0-6 * * 1-5"}, "actions": [PLAYBOOK]},
    "a key that the example lacks": {"trigger": "alert_created", "conditions": ["alert.measures['x'] > 1.0"]},
    "an owner taken away": {"actions": [change(assigned_to="")]},
    "all there is": {
        "description": "d",
        "order": 7,
        "enabled": False,
        "timezone": "Europe/Berlin",
        "expires_at": "2026-06-01T00:00:00+02:00",
        "conditions": ["incident.open"],
        "actions": [
            change(status="resolved", classification="true_positive", determination="phishing", resolving_comment="c"),
            {"do": "remove_tags", "tags": ["a"]},
            {"do": "add_task", "title": "${incident.name}", "assigned_to": "ann", "due_in_h": 2.5},
            {"do": "add_comment", "text": "n ${incident.alerts}"},
            PLAYBOOK | {"inputs": {"n": 3, "l": ["${incident.id}"]}},
        ],
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_place(name: str) -> None:
    changes, why = WRONG[name]
    assert any(why in told for told in problems_of(**changes)), problems_of(**changes)


@pytest.mark.parametrize("name", FINE)
def test_what_is_right_comes_back_as_it_was_written(name: str) -> None:
    rule = read_rule("r", {**GOOD, **FINE[name]}, by="ann", at=5.0)
    again = read_rule("r", text_of(rule), by="ann", at=5.0)
    assert again == rule
    (document,) = documents(yaml.safe_dump(text_of(rule)), "x.yaml")
    assert read_rule("r", document.data, by="ann", at=5.0) == rule


def test_everything_is_told_at_once() -> None:
    told = problems_of(title="", order=0, timezone="x", conditions=["a", "b("], actions=[change(), change(status="x")])
    assert [one.split(":")[0] for one in told] == [
        "order",
        "title",
        "timezone",
        "conditions[0]",
        "conditions[1]",
        "actions[0]",
        "actions[1].status",
    ]
    told = problems_of(title=3, order="x", actions=[{"do": "add_tags"}, 7], more=1)
    assert [one.split(":")[0] for one in told] == ["more", "title", "order", "actions[0].tags", "actions[1]"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["add_tags", "incident_created"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["do", "on", "tags", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "conditions", "order", "expires_at", "timezone"]), json_values))
def test_no_data_breaks_the_reader(data: dict[str, Any]) -> None:
    try:
        read_rule("r", data, by="", at=0.0)
    except ProblemsError:
        return


def test_places_are_lines_and_columns_and_keys_are_texts() -> None:
    (first, second) = documents("a:\n  on: x\n  b: [1, {c: 2}]\n---\nd: 2026-01-01T00:00:00Z\n", "f")
    assert first.data == {"a": {"on": "x", "b": [1, {"c": 2}]}}
    assert first.place("a.on") == (2, 3)
    assert first.place("a.b[1].c") == (3, 11)
    assert first.place("a.b[1].missing.more[3]") == (3, 10)
    assert second.place("") == (5, 1)
    error = located([(first, Problem("a.b[0]", "wrong")), (second, Problem("e", "missing"))], "f")
    assert error.message == "f:3:7: a.b[0]: wrong\nf:5:1: e: missing"


BROKEN = {
    "not closed": ("a: [1\n", "f:2:1"),
    "an alias": ("a: &x 1\nb: *x\n", "aliases"),
    "twice": ("a: 1\na: 2\n", "f:2:1: a is there twice"),
    "a list as name": ("? [1]\n: 2\n", "a name has to be a text"),
    "a day that is none": ("a: 2026-99-99\n", "not YAML"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_yaml_is_located(name: str) -> None:
    text, why = BROKEN[name]
    with pytest.raises(DefinitionError, match=re.escape(why)):
        documents(text, "f")


@given(st.text(alphabet="a:- [](){}&*!|>'\"\n#%@`,0", max_size=40))
def test_no_text_breaks_the_yaml_reader(text: str) -> None:
    try:
        documents(text, "f")
    except DefinitionError:
        return


def test_the_rules_of_the_how_to_are_right() -> None:
    page = (ROOT / "docs/how-to/automate-with-rules.md").read_text()
    found = [one for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) for one in documents(block, "page")]
    assert [read_rule(one.data["name"], one.data, by="", at=0.0).name for one in found] == [
        "high-to-ann",
        "our-scanner",
    ]


NOON = 1_767_268_800.0
DUE = {
    "in winter": ("0 8 * * *", "Europe/Berlin", NOON, NOON - 5 * 3600),
    "in summer": ("0 8 * * *", "Europe/Berlin", NOON + 181 * 86_400, NOON + 181 * 86_400 - 6 * 3600),
    "just now": ("0 12 * * *", "UTC", NOON, NOON),
    "a moment ago": ("0 12 * * *", "UTC", NOON + 0.5, NOON),
    "a day ago": ("1 12 * * *", "UTC", NOON + 59.9, NOON - 86_400 + 60),
    "on Mondays": ("0 12 * * 1", "UTC", NOON, NOON - 3 * 86_400),
}


@pytest.mark.parametrize("name", DUE)
def test_when_a_schedule_was_due(name: str) -> None:
    cron, zone, at, expected = DUE[name]
    assert last_due(cron, zone, at) == expected
    assert next_due(cron, zone, expected) > at


def test_due_times_are_bounded_and_ordered() -> None:
    found = due_times("*/10 * * * *", "UTC", NOON, NOON + 3600, 100)
    assert found == [NOON + 600 * n for n in range(1, 7)]
    assert due_times("* * * * *", "UTC", NOON, NOON + 1e9, 3) == [NOON + 60, NOON + 120, NOON + 180]
