"""Workflow automations of Microsoft Defender for Cloud (`Microsoft.Security/automations`; reference/microsoft.md 8.5).

AND within a rule set, OR between rule sets. Every source with a logic app becomes a rule that starts the playbook of
the same name; continuous export (event hub, workspace) is no rule: docs/how-to/export-to-a-siem.md.
"""

from __future__ import annotations

from typing import Any

from gatewatch.respond.foreign import Reader, compared, quoted, resources, slug, unique
from gatewatch.respond.problems import Problem

__all__ = ["defender_rules"]

_SOURCES = {"Alerts": "alert_created", "Assessments": "finding_opened"}
_ALERT = {
    "alertdisplayname": "alert.title",
    "properties.alertdisplayname": "alert.title",
    "alerttype": "alert.alert_type",
    "properties.alerttype": "alert.alert_type",
    "severity": "alert.severity",
    "properties.severity": "alert.severity",
    "status": "alert.status",
    "properties.status": "alert.status",
}
_FINDING = {
    "name": "finding.recommendation",
    "properties.displayname": "finding.title",
    "properties.metadata.severity": "finding.severity",
    "properties.status.code": "finding.status",
}
_FINDING_STATUSES = {"healthy": "healthy", "unhealthy": "unhealthy", "notapplicable": "not_applicable"}
_ALERT_STATUSES = {"active": "new", "inprogress": "in_progress", "resolved": "resolved", "dismissed": "dismissed"}
_SEVERITIES = {one: one for one in ("high", "medium", "low", "informational")}
_WORDS = {
    "alert.status": _ALERT_STATUSES,
    "alert.severity": _SEVERITIES,
    "finding.status": _FINDING_STATUSES,
    "finding.severity": _SEVERITIES,
}
_OPERATORS = ("Equals", "NotEquals", "Contains", "StartsWith", "EndsWith")
_NUMBERS = ("GreaterThan", "GreaterThanOrEqualTo", "LesserThan", "LesserThanOrEqualTo")


def defender_rules(document: object, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Name -> rule as people write it; what has no counterpart is appended to `problems` with its place."""
    found: dict[str, dict[str, Any]] = {}
    for at, one in resources(document):
        reader = Reader(one, at, problems)
        inner = reader.inner("properties") if reader.get("properties") is not None else reader
        title = reader.text("name").rsplit("/", maxsplit=1)[-1] or inner.text("description") or "automation"
        actions = [act for act in (_action(each) for each in inner.each("actions")) if act]
        for source in inner.each("sources"):
            trigger = source.pick("eventSource", _SOURCES)
            conditions = _conditions(source, _ALERT if trigger == "alert_created" else _FINDING)
            found[unique(slug(title), found)] = {
                "title": title,
                "description": inner.text("description"),
                "enabled": inner.get("isEnabled", True),
                "trigger": {"on": trigger or "alert_created"},
                "conditions": conditions,
                "actions": actions,
            }
    return found


def _action(one: Reader) -> dict[str, Any] | None:
    if one.text("actionType").lower() != "logicapp":
        one.wrong("actionType", f"{one.text('actionType')} is export, not a rule: see docs/how-to/export-to-a-siem.md")
        return None
    name = one.text("logicAppResourceId").rstrip("/").rsplit("/", maxsplit=1)[-1]
    if not name:
        one.wrong("logicAppResourceId", "is missing")
    return {"do": "run_playbook", "playbook": name}


def _conditions(source: Reader, paths: dict[str, str]) -> list[str]:
    sets = []
    for one in source.each("ruleSets"):
        tests = [test for rule in one.each("rules") if (test := _test(rule, paths))]
        if tests:
            sets.append(" && ".join(tests))
    if len(sets) < 2:
        return sets
    return [" || ".join(f"({one})" for one in sets)]


def _test(rule: Reader, paths: dict[str, str]) -> str:
    name = rule.text("propertyJPath")
    path = paths.get(name.lower())
    if path is None:
        rule.wrong("propertyJPath", f"{name!r} has no counterpart; known are {', '.join(paths)}")
        return ""
    if rule.text("operator") in _NUMBERS:
        rule.wrong("operator", f"{name} is a text; it can't be compared with {rule.text('operator')}")
        return ""
    operator = rule.pick("operator", {one: one for one in _OPERATORS})
    value = str(rule.get("expectedValue", ""))
    if operator is None:
        return ""
    words = _WORDS.get(path)
    if words is not None:
        if operator in ("Equals", "NotEquals") and value.lower() not in words:
            rule.wrong("expectedValue", f"{value!r} has no counterpart; known are {', '.join(words)}")
        value = words.get(value.lower(), value)
    if operator == "NotEquals":
        return f"lower({path}) != {quoted(value.lower())}"
    return compared(path, str(operator), value)
