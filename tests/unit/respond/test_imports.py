"""Rules of Microsoft Sentinel and Defender for Cloud become ours, or are refused with what has no counterpart."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.respond.conditions import Facts
from gatewatch.respond.context import ROOTS
from gatewatch.respond.fields import example_of
from gatewatch.respond.imports import RuleFormat, imported
from gatewatch.respond.problems import ProblemsError
from gatewatch.respond.rule_text import read_rule

PLAYBOOK = {
    "order": 1,
    "actionType": "RunPlaybook",
    "actionConfiguration": {"logicAppResourceId": "/subscriptions/s/providers/Microsoft.Logic/workflows/Block-IP"},
}
DETECTOR = "authentication.credential_stuffing"


def rule(*conditions: Any, on: str = "Incidents", when: str = "Created", actions: Any = (PLAYBOOK,)) -> dict[str, Any]:
    return {
        "name": "8f1c",
        "properties": {
            "displayName": "Block bad addresses!",
            "order": 3,
            "triggeringLogic": {
                "isEnabled": False,
                "expirationTimeUtc": "2026-06-01T00:00:00Z",
                "triggersOn": on,
                "triggersWhen": when,
                "conditions": list(conditions),
            },
            "actions": list(actions),
        },
    }


def prop(name: str, operator: str, *values: str) -> dict[str, Any]:
    inner = {"propertyName": name, "operator": operator, "propertyValues": list(values)}
    return {"conditionType": "Property", "conditionProperties": inner}


def changed(name: str, **more: Any) -> dict[str, Any]:
    return {"conditionType": "PropertyChanged", "conditionProperties": {"propertyName": name, **more}}


def conditions_of(*conditions: Any, **more: Any) -> list[str]:
    (text,) = imported(RuleFormat.SENTINEL, rule(*conditions, **more)).values()
    return list(read_rule("r", text, by="ann", at=0.0).conditions)


def holds(condition: str, **facts: Any) -> bool:
    plain = {name: example_of(kind) for name, kind in ROOTS.items()}
    for path, value in facts.items():
        root, _, field = path.partition("__")
        plain[root] = {**plain[root], field: value} if field else value
    found = Facts(plain).value(condition)
    assert isinstance(found, bool)
    return found


ACTOR = [{"kind": "actor", "value": "subject:Ann.Lee", "verdict": ""}]
HOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "title contains, whatever the case": (prop("IncidentTitle", "Contains", "x", "SCAN"), {"incident__name": "a Scan"}),
    "title starts": (prop("incidenttitle", "startswith", "a s"), {"incident__name": "A Scan"}),
    "not one of": (prop("IncidentTitle", "NotEquals", "x", "y"), {"incident__name": "z"}),
    "a quote": (prop("IncidentTitle", "Equals", 'say "hi" \\ ${x}'), {"incident__name": 'Say "Hi" \\ ${x}'}),
    "severity": (prop("IncidentSeverity", "Equals", "High", "Medium"), {"incident__severity": "medium"}),
    "status": (prop("IncidentStatus", "NotEquals", "Closed"), {"incident__status": "in_progress"}),
    "tactic": (prop("IncidentTactics", "Contains", "credential"), {}),
    "label": (prop("IncidentLabel", "Equals", "VIP"), {}),
    "system label": (prop("IncidentLabel", "Equals", "reopened"), {}),
    "no label": (prop("IncidentLabel", "NotContains", "none"), {}),
    "analytics rule": (prop("IncidentRelatedAnalyticRuleIds", "Contains", f"/x/alertRules/{DETECTOR}"), {}),
    "address": (prop("IPAddress", "Equals", "203.0.113.7"), {}),
    "account": (prop("AccountName", "Equals", "ann.lee"), {"entities": ACTOR}),
    "account starts": (prop("AccountName", "StartsWith", "ANN."), {"entities": ACTOR}),
    "account ends": (prop("AccountName", "EndsWith", "lee"), {"entities": ACTOR}),
    "account contains": (prop("AccountName", "Contains", "n.l"), {"entities": ACTOR}),
    "url": (
        prop("Url", "Contains", "/Login"),
        {"entities": [{"kind": "endpoint", "value": "POST shop /login", "verdict": ""}]},
    ),
    "and and or": (
        {
            "conditionType": "Boolean",
            "conditionProperties": {
                "operator": "Or",
                "innerConditions": [
                    prop("IncidentSeverity", "Equals", "Low"),
                    {
                        "conditionType": "Boolean",
                        "conditionProperties": {
                            "operator": "And",
                            "innerConditions": [
                                prop("IncidentSeverity", "Equals", "High"),
                                prop("IncidentLabel", "Equals", "vip"),
                            ],
                        },
                    },
                ],
            },
        },
        {},
    ),
}
MISS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "title": (prop("IncidentTitle", "Equals", "x"), {}),
    "not one of": (prop("IncidentTitle", "NotEquals", "x", "y"), {"incident__name": "Y"}),
    "severity": (prop("IncidentSeverity", "NotEquals", "High"), {}),
    "a kind of actor is no name": (prop("AccountName", "Contains", "subject"), {"entities": ACTOR}),
    "a point is a point": (
        prop("AccountName", "Equals", "ann.lee"),
        {"entities": [{"kind": "actor", "value": "subject:annxlee", "verdict": ""}]},
    ),
    "an address is no actor": (prop("AccountName", "Contains", "203"), {}),
}


@pytest.mark.parametrize("name", HOLD)
def test_what_holds(name: str) -> None:
    given_, facts = HOLD[name]
    (condition,) = conditions_of(given_)
    assert holds(condition, **facts), condition


@pytest.mark.parametrize("name", MISS)
def test_what_does_not_hold(name: str) -> None:
    given_, facts = MISS[name]
    (condition,) = conditions_of(given_)
    assert not holds(condition, **facts), condition


def turn(before: str, after: str) -> dict[str, Any]:
    return {"changed": True, "before": before, "after": after}


GROWN: dict[str, dict[str, Any]] = {
    "Alerts": {"changed__alerts_added": 1},
    "Labels": {"changed__tags_added": ["x"]},
    "Tactics": {"changed__tactics_added": ["Impact"]},
    "Comments": {"changed__comments_added": 2},
}
CHANGED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "to": (
        changed("IncidentStatus", changeType="ChangedTo", operator="Equals", propertyValues=["Closed"]),
        {"changed__status": turn("active", "resolved")},
    ),
    "from": (
        changed("IncidentSeverity", changeType="ChangedFrom", operator="NotEquals", propertyValues=["Low", "Medium"]),
        {"changed__severity": turn("high", "low")},
    ),
    "owner": (
        changed("IncidentOwner", changeType="ChangedTo", operator="Contains", propertyValues=["ann"]),
        {"changed__assigned_to": turn("", "Ann")},
    ),
    "at all": (changed("IncidentOwner"), {"changed__assigned_to": turn("", "x")}),
    "by a person": (prop("IncidentUpdatedBySource", "Equals", "User"), {"changed__source": "person"}),
    **{
        kind: ({"conditionType": "PropertyArrayChanged", "conditionProperties": {"arrayType": kind}}, facts)
        for kind, facts in GROWN.items()
    },
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_changed(name: str) -> None:
    given_, facts = CHANGED[name]
    (condition,) = conditions_of(given_, when="Updated")
    assert holds(condition, **facts), condition


def test_a_rule_about_alerts() -> None:
    found = conditions_of(prop("AlertAnalyticRuleIds", "Equals", f"/x/{DETECTOR}"), on="Alerts")
    assert found == [f'lower(alert.detector) == "{DETECTOR}"']
    assert holds(found[0])


def test_the_whole_rule_and_its_actions_in_order() -> None:
    modify = {
        "order": 0,
        "actionType": "ModifyProperties",
        "actionConfiguration": {
            "severity": "Informational",
            "status": "Closed",
            "classification": "FalsePositive",
            "classificationReason": "IncorrectAlertLogic",
            "classificationComment": "noise",
            "owner": {"objectId": "1", "assignedTo": "Ann", "email": "ann@example.com"},
            "labels": [{"labelName": "noise"}],
        },
    }
    task = {
        "order": 2,
        "actionType": "AddIncidentTask",
        "actionConfiguration": {"title": "Look", "description": "well"},
    }
    ((name, text),) = imported(RuleFormat.SENTINEL, {"resources": [rule(actions=[task, PLAYBOOK, modify])]}).items()
    made = read_rule(name, text, by="ann", at=0.0)
    assert (made.name, made.title, made.order, made.enabled) == (
        "block-bad-addresses",
        "Block bad addresses!",
        3,
        False,
    )
    assert made.expires_at == 1_780_272_000.0
    assert [one["do"] for one in text["actions"]] == ["change_properties", "add_tags", "run_playbook", "add_task"]
    assert text["actions"][0] == {
        "do": "change_properties",
        "severity": "informational",
        "status": "resolved",
        "classification": "false_positive",
        "determination": "not_malicious",
        "resolving_comment": "noise",
        "assigned_to": "ann@example.com",
    }
    assert (text["actions"][2]["playbook"], text["actions"][3]["title"]) == ("Block-IP", "Look: well")


def test_shapes_of_documents_and_names_that_are_taken() -> None:
    bare = rule()["properties"]
    for document in (bare, [bare], {"value": [rule()]}, {"resources": [rule()]}):
        assert list(imported(RuleFormat.SENTINEL, document)) == ["block-bad-addresses"]
    assert list(imported(RuleFormat.SENTINEL, [bare, bare])) == ["block-bad-addresses", "block-bad-addresses-2"]


WRONG: dict[str, tuple[Any, str]] = {
    "host": (rule(prop("HostName", "Equals", "x")), "propertyName: HostName has no counterpart"),
    "operator": (rule(prop("IncidentTitle", "Like", "x")), "operator: 'Like' has no counterpart"),
    "no values": (rule(prop("IncidentTitle", "Equals")), "propertyValues: have to be texts"),
    "severity word": (rule(prop("IncidentSeverity", "Equals", "Huge")), "propertyValues: 'Huge' has no counterpart"),
    "severity contains": (rule(prop("IncidentSeverity", "Contains", "Hi")), "only be compared with Equals"),
    "url equals": (rule(prop("Url", "Equals", "x")), "operator: Url can only be compared with Contains"),
    "values without their side": (
        rule(changed("IncidentStatus", operator="Equals", propertyValues=["Closed"])),
        "changeType: is needed beside values",
    ),
    "custom details": (
        rule({"conditionType": "PropertyArray", "conditionProperties": {"arrayType": "CustomDetails"}}),
        "arrayType: CustomDetails has no counterpart",
    ),
    "condition": (rule({"conditionType": "Magic"}), "conditionType: 'Magic' is unknown"),
    "trigger": (rule(on="Alerts", when="Updated"), "triggersWhen: there is no trigger alerts updated"),
    "incident of an alert": (rule(prop("IncidentTitle", "Equals", "x"), on="Alerts"), "in a rule about alerts"),
    "action": (rule(actions=[{"actionType": "Dance"}]), "actionType: 'Dance' is unknown"),
    "owner": (
        rule(actions=[{"actionType": "ModifyProperties", "actionConfiguration": {"owner": {"objectId": "1"}}}]),
        "owner.objectId: alone names nobody here",
    ),
    "no object": ([3], "[0]: has to be an object"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_has_no_counterpart_is_named_with_its_place(name: str) -> None:
    document, why = WRONG[name]
    with pytest.raises(ProblemsError) as caught:
        imported(RuleFormat.SENTINEL, document)
    assert why in caught.value.message


def test_everything_is_told_at_once() -> None:
    dance = {"actionType": "Dance", "actionConfiguration": {}}
    given_ = rule(prop("HostName", "Equals", "x"), prop("FileName", "Equals", "x"), actions=[dance])
    with pytest.raises(ProblemsError) as caught:
        imported(RuleFormat.SENTINEL, {"value": [given_, given_]})
    assert len(caught.value.problems) == 6
    assert caught.value.problems[1].at == (
        "value[0].properties.triggeringLogic.conditions[1].conditionProperties.propertyName"
    )


def defender(source: str, *sets: Any, actions: Any = ()) -> dict[str, Any]:
    given_ = [
        {"rules": [dict(zip(("propertyJPath", "operator", "expectedValue"), one, strict=True)) for one in each]}
        for each in sets
    ]
    logic = {"actionType": "LogicApp", "logicAppResourceId": "/x/workflows/ticket", "uri": "https://example.com"}
    properties = {
        "description": "d",
        "isEnabled": True,
        "sources": [{"eventSource": source, "ruleSets": given_}],
        "actions": list(actions) or [logic],
    }
    return {"name": "tickets", "properties": properties}


def test_workflow_automations_of_defender() -> None:
    high, login = ("Severity", "Equals", "High"), ("AlertDisplayName", "Contains", "Login")
    ((name, text),) = imported(RuleFormat.DEFENDER, defender("Alerts", [high, login], [high])).items()
    made = read_rule(name, text, by="ann", at=0.0)
    assert made.conditions == (
        '(lower(alert.severity) == "high" && lower(alert.title).contains("login")) || (lower(alert.severity) == "high")',
    )
    assert holds(made.conditions[0])
    assert text["actions"] == [{"do": "run_playbook", "playbook": "ticket"}]
    one = ("properties.status.code", "NotEquals", "NotApplicable")
    ((_, text),) = imported(RuleFormat.DEFENDER, defender("Assessments", [one])).items()
    assert holds(read_rule("r", text, by="", at=0.0).conditions[0], finding__status="unhealthy")


DEFENDER_WRONG = {
    "status word": (defender("Alerts", [("Status", "Equals", "Open")]), "expectedValue: 'Open' has no counterpart"),
    "severity word": (defender("Alerts", [("Severity", "NotEquals", "Critical")]), "'Critical' has no counterpart"),
    "source": (defender("SecureScores"), "eventSource: 'SecureScores' has no counterpart"),
    "path": (defender("Alerts", [("x.y", "Equals", "1")]), "propertyJPath: 'x.y' has no counterpart"),
    "numbers": (defender("Alerts", [("Severity", "GreaterThan", "1")]), "operator: Severity is a text"),
    "export": (defender("Alerts", actions=[{"actionType": "EventHub"}]), "actionType: EventHub is export"),
}


@pytest.mark.parametrize("name", DEFENDER_WRONG)
def test_what_defender_has_and_we_have_not(name: str) -> None:
    document, why = DEFENDER_WRONG[name]
    with pytest.raises(ProblemsError) as caught:
        imported(RuleFormat.DEFENDER, document)
    assert why in caught.value.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.sampled_from(["Property", "Incidents", "Or"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("properties", "value", "triggeringLogic", "conditions", "conditionType", "conditionProperties"),
                    *(
                        "operator",
                        "innerConditions",
                        "propertyName",
                        "actions",
                        "actionType",
                        "order",
                        "owner",
                        "labels",
                    ),
                    *("sources", "eventSource", "ruleSets", "rules", "actionConfiguration"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(json_values, st.sampled_from(list(RuleFormat)))
def test_no_document_breaks_the_readers(document: Any, kind: RuleFormat) -> None:
    try:
        found = imported(kind, document)
    except ProblemsError:
        return
    for name, text in found.items():
        try:
            read_rule(name, text, by="", at=0.0)
        except ProblemsError:
            continue


@given(st.text(min_size=1, max_size=30), st.sampled_from(["Equals", "Contains", "StartsWith", "EndsWith"]))
def test_any_value_is_told_in_cel_and_fits_itself(value: str, operator: str) -> None:
    low = value.lower()
    cases: dict[str, dict[str, Any]] = {
        "IncidentTitle": {"incident__name": low},
        "IPAddress": {"entities": [{"kind": "address", "value": low, "verdict": ""}]},
        "AccountName": {"entities": [{"kind": "actor", "value": f"subject:{low}", "verdict": ""}]},
    }
    for name, facts in cases.items():
        (text,) = imported(RuleFormat.SENTINEL, rule(prop(name, operator, value))).values()
        (condition,) = text["conditions"]
        assert holds(condition, **facts), condition
