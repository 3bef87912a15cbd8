"""Automation rules of Microsoft Sentinel (API 2024-09-01; reference/microsoft.md 8.1) as ours.

Within a list of values OR, between conditions AND. A negated operator with several values holds when none of them fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gatewatch.respond.foreign import Reader, compared, quoted, resources, slug, unique
from gatewatch.respond.problems import Problem

__all__ = ["sentinel_rules"]

_OPERATORS = ("Equals", "Contains", "StartsWith", "EndsWith")
_SEVERITIES = {one: one.lower() for one in ("High", "Medium", "Low", "Informational")}
_STATUSES = {"New": "active", "Active": "in_progress", "Closed": "resolved"}
_SOURCES = {"User": "person", "Playbook": "playbook", "AutomationRule": "rule", "AlertGrouping": "correlation"}
_CLASSES = {
    "Undetermined": "unknown",
    "TruePositive": "true_positive",
    "BenignPositive": "expected_activity",
    "FalsePositive": "false_positive",
}
_REASONS = {
    "SuspiciousActivity": "malicious_user_activity",
    "SuspiciousButExpected": "confirmed_activity",
    "IncorrectAlertLogic": "not_malicious",
    "InaccurateData": "not_enough_data",
}
_TEXTS = {"IncidentTitle": "incident.name", "IncidentDescription": "incident.description"}
_WORDS = {
    "IncidentSeverity": ("incident.severity", _SEVERITIES),
    "IncidentStatus": ("incident.status", _STATUSES),
    "IncidentUpdatedBySource": ("changed.source", _SOURCES),
}
_LISTS = {"IncidentTactics": "incident.tactics", "IncidentLabel": "(incident.tags + incident.system_tags)"}
_RULE_IDS = ("IncidentRelatedAnalyticRuleIds", "AlertAnalyticRuleIds")
_ENTITIES = {"AccountName": "actor", "AccountAadUserId": "actor", "IPAddress": "address"}
_TURNS = {"IncidentSeverity": "severity", "IncidentStatus": "status", "IncidentOwner": "assigned_to"}
_GROWN = {
    "Alerts": "changed.alerts_added > 0",
    "Comments": "changed.comments_added > 0",
    "Labels": "size(changed.tags_added) > 0",
    "Tactics": "size(changed.tactics_added) > 0",
}
_TRIGGERS = {
    ("incidents", "created"): "incident_created",
    ("incidents", "updated"): "incident_updated",
    ("alerts", "created"): "alert_created",
}


def sentinel_rules(document: object, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Name -> rule as people write it; what has no counterpart is appended to `problems` with its place."""
    found: dict[str, dict[str, Any]] = {}
    for at, one in resources(document):
        reader = Reader(one, at, problems)
        inner = reader.inner("properties") if reader.get("properties") is not None else reader
        text = _Rule(inner).read()
        name = slug(text["title"] or reader.text("name"))
        found[unique(name, found)] = text
    return found


class _Rule:
    """One rule being read."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._logic = reader.inner("triggeringLogic")
        self._on_alerts = self._logic.text("triggersOn").lower() == "alerts"

    def read(self) -> dict[str, Any]:
        """As people write ours."""
        key = (self._logic.text("triggersOn").lower(), self._logic.text("triggersWhen").lower())
        if key not in _TRIGGERS:
            self._logic.wrong("triggersWhen", f"there is no trigger {' '.join(key).strip() or 'without a name'}")
        conditions = [self._condition(one) for one in self._logic.each("conditions")]
        actions = [act for one in self._ordered() for act in self._actions(one)]
        text = {
            "title": self._reader.text("displayName"),
            "order": self._reader.get("order", 100),
            "enabled": self._logic.get("isEnabled", True),
            "trigger": {"on": _TRIGGERS.get(key, "incident_created")},
            "conditions": [one for one in conditions if one],
            "actions": actions,
        }
        until = self._logic.get("expirationTimeUtc")
        return text | ({"expires_at": until} if until is not None else {})

    def _ordered(self) -> list[Reader]:
        return sorted(self._reader.each("actions"), key=lambda one: float(one.get("order", 0) or 0))

    def _condition(self, one: Reader) -> str:
        kind = one.text("conditionType").lower()
        inner = one.inner("conditionProperties") if one.get("conditionProperties") is not None else one
        if kind == "property":
            return self._property(inner)
        if kind == "propertychanged":
            return self._changed(inner)
        if kind == "propertyarraychanged":
            return str(inner.pick("arrayType", _GROWN) or "")
        if kind == "boolean":
            return self._boolean(inner)
        if kind == "propertyarray":
            inner.wrong("arrayType", f"{inner.text('arrayType')} has no counterpart: there are no custom details")
        else:
            one.wrong("conditionType", f"{one.text('conditionType')!r} is unknown")
        return ""

    def _boolean(self, inner: Reader) -> str:
        word = inner.pick("operator", {"And": " && ", "Or": " || "})
        parts = [part for one in inner.each("innerConditions") if (part := self._condition(one))]
        if not parts:
            inner.wrong("innerConditions", "are none")
        return f"({str(word or ' && ').join(parts)})" if parts else ""

    def _property(self, inner: Reader) -> str:
        name = inner.text("propertyName")
        known = {one.lower(): one for one in (*_TEXTS, *_WORDS, *_LISTS, *_RULE_IDS, *_ENTITIES, "Url")}
        name = known.get(name.lower(), name)
        if self._on_alerts and name not in (*_RULE_IDS, *_ENTITIES, "Url"):
            inner.wrong("propertyName", f"{name} has no counterpart in a rule about alerts")
            return ""
        operator, negated = _operator(inner)
        values = _values(inner)
        if not operator or not values:
            return ""
        tests = [self._test(inner, name, operator, value) for value in values]
        if not all(tests):
            return ""
        joined = " || ".join(tests)
        if negated:
            return f"!({joined})"
        return joined if len(tests) == 1 else f"({joined})"

    def _test(self, inner: Reader, name: str, operator: str, value: str) -> str:
        if name in _TEXTS:
            return compared(_TEXTS[name], operator, value)
        if name in _WORDS:
            path, words = _WORDS[name]
            return _word(inner, path, words, operator, value)
        if name in _LISTS:
            return f"{_LISTS[name]}.exists(x, {compared('x', operator, value)})"
        if name in _RULE_IDS:
            detector = value.rstrip("/").rsplit("/", maxsplit=1)[-1]
            if self._on_alerts:
                return compared("alert.detector", operator, detector)
            return f"incident.detectors.exists(x, {compared('x', operator, detector)})"
        if name in _ENTITIES:
            kind = _ENTITIES[name]
            test = compared("e.value", operator, value, after_colon=kind == "actor")
            return f"entities.exists(e, e.kind == {quoted(kind)} && {test})"
        if name == "Url" and operator == "Contains":
            return f'entities.exists(e, e.kind == "endpoint" && {compared("e.value", operator, value)})'
        if name == "Url":
            told = "Url can only be compared with Contains and NotContains: an endpoint is `METHOD host template`"
            inner.wrong("operator", told)
        else:
            inner.wrong("propertyName", f"{name} has no counterpart: Gatewatch knows actors, addresses and endpoints")
        return ""

    def _changed(self, inner: Reader) -> str:
        path = f"changed.{inner.pick('propertyName', _TURNS) or 'status'}"
        if inner.get("changeType") is None:
            if inner.get("operator") is not None or inner.list("propertyValues"):
                inner.wrong("changeType", "is needed beside values: ChangedFrom or ChangedTo")
            return f"{path}.changed"
        side = f"{path}.{inner.pick('changeType', {'ChangedFrom': 'before', 'ChangedTo': 'after'}) or 'after'}"
        operator, negated = _operator(inner)
        words: Mapping[str, str] | None = {"severity": _SEVERITIES, "status": _STATUSES}.get(path.partition(".")[2])
        tests = [
            _word(inner, side, words, operator, value) if words else compared(side, operator, value)
            for value in _values(inner)
            if operator
        ]
        if not tests or not all(tests):
            return ""
        return f"{path}.changed && {'!' if negated else ''}({' || '.join(tests)})"

    def _actions(self, one: Reader) -> list[dict[str, Any]]:
        kind = one.text("actionType").lower()
        inner = one.inner("actionConfiguration")
        if kind == "runplaybook":
            name = inner.text("logicAppResourceId").rstrip("/").rsplit("/", maxsplit=1)[-1]
            if not name:
                inner.wrong("logicAppResourceId", "is missing")
            return [{"do": "run_playbook", "playbook": name}]
        if kind == "addincidenttask":
            told = [part for part in (inner.text("title"), inner.text("description")) if part]
            return [{"do": "add_task", "title": ": ".join(told)[:500]}]
        if kind == "modifyproperties":
            return _modify(inner)
        one.wrong("actionType", f"{one.text('actionType')!r} is unknown")
        return []


def _modify(inner: Reader) -> list[dict[str, Any]]:
    given: dict[str, Any] = {"do": "change_properties"}
    words = (
        ("severity", "severity", _SEVERITIES),
        ("status", "status", _STATUSES),
        ("classification", "classification", _CLASSES),
        ("classificationReason", "determination", _REASONS),
    )
    for theirs, ours, known in words:
        if inner.get(theirs):
            given[ours] = inner.pick(theirs, known)
    if inner.get("classificationComment"):
        given["resolving_comment"] = inner.text("classificationComment")
    if inner.get("owner") is not None:
        owner = inner.inner("owner")
        names = [owner.text(name) for name in ("userPrincipalName", "email", "assignedTo")]
        given["assigned_to"] = next((name for name in names if name), "")
        if not given["assigned_to"] and owner.get("objectId"):
            owner.wrong("objectId", "alone names nobody here; give userPrincipalName, email or assignedTo")
    tags = [one.text("labelName") for one in inner.each("labels")]
    changes = [given] if len(given) > 1 else []
    return changes + ([{"do": "add_tags", "tags": tags}] if tags else [])


def _operator(inner: Reader) -> tuple[str, bool]:
    """(without Not, whether it was negated); '' and a note for an unknown one."""
    known = {one: (one, False) for one in _OPERATORS} | {f"Not{one}": (one, True) for one in _OPERATORS}
    found: tuple[str, bool] | None = inner.pick("operator", known)
    return found or ("", False)


def _values(inner: Reader) -> list[str]:
    found = [one for one in inner.list("propertyValues") if isinstance(one, str)]
    if len(found) != len(inner.list("propertyValues")) or not found:
        inner.wrong("propertyValues", "have to be texts, at least one")
    return found


def _word(inner: Reader, path: str, words: Mapping[str, str], operator: str, value: str) -> str:
    if operator != "Equals":
        inner.wrong("operator", f"{path} can only be compared with Equals and NotEquals")
        return ""
    for theirs, ours in words.items():
        if theirs.lower() == value.lower():
            return f"{path} == {quoted(ours)}"
    inner.wrong("propertyValues", f"{value!r} has no counterpart; known are {', '.join(words)}")
    return ""
