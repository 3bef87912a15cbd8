"""Alerts as the REST API of Defender for Cloud Apps shows and filters them (reference/microsoft.md 9.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gatewatch.errors import InputError
from gatewatch.formats.records import Record
from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.predicate import (
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operator,
    Predicate,
)
from gatewatch.model.verdict import Classification

__all__ = ["cloud_apps_alert", "cloud_apps_condition"]

_SEVERITY = {Severity.LOW: 0, Severity.MEDIUM: 1, Severity.HIGH: 2, Severity.INFORMATIONAL: 3}
_OPEN, _DISMISSED, _RESOLVED, _FALSE_POSITIVE, _BENIGN, _TRUE_POSITIVE = range(6)
_UNREAD, _READ, _ARCHIVED = range(3)
_THREAT_DETECTION = 0
_CONCLUDED = {
    Classification.FALSE_POSITIVE: _FALSE_POSITIVE,
    Classification.EXPECTED: _BENIGN,
    Classification.TRUE_POSITIVE: _TRUE_POSITIVE,
}
_OPEN_STATUS = (AlertStatus.NEW.value, AlertStatus.IN_PROGRESS.value)
_DAY_MS = 86_400_000
_IS_OPEN = Membership("status", _OPEN_STATUS)
_BOUNDS = {"gte": Operator.GE, "lte": Operator.LE}
_DAYS = {"lte_ndays": Operator.GE, "gte_ndays": Operator.LE}
_PAIR = 2


def resolution_of(alert: Alert) -> int:
    """`resolutionStatusValue`."""
    if alert.status.value in _OPEN_STATUS:
        return _OPEN
    concluded = _CONCLUDED.get(alert.classification)
    if concluded is not None:
        return concluded
    return _DISMISSED if alert.status is AlertStatus.DISMISSED else _RESOLVED


def cloud_apps_alert(alert: Alert, url: str = "") -> Record:
    """One alert; times in milliseconds. `url`: address of this Gatewatch for people."""
    entities = [{"type": "ip", "id": one, "label": one} for one in alert.client_ips]
    entities += [{"type": "account", "id": one.id, "label": one.id} for one in alert.actors]
    entities += [{"type": "service", "id": one, "label": one} for one in alert.endpoints]
    closed = alert.status.value not in _OPEN_STATUS
    return {
        "_id": alert.id,
        "timestamp": round(alert.created_at * 1000),
        "entities": entities,
        "title": alert.title,
        "description": alert.explanation.sentence,
        "isMarkdown": False,
        "alertType": alert.alert_type,
        "statusValue": _ARCHIVED if closed else _UNREAD if alert.status is AlertStatus.NEW else _READ,
        "severityValue": _SEVERITY[alert.severity],
        "resolutionStatusValue": resolution_of(alert),
        "stories": [_THREAT_DETECTION],
        "intent": [alert.tactic.value],
        "evidence": [{"title": one.summary, "timestamp": round(one.ts * 1000)} for one in alert.evidence],
        "isPreview": False,
        "audits": [one.observation_id for one in alert.evidence],
        "URL": f"{url}/alerts/{alert.id}" if url else "",
    }


def cloud_apps_condition(filters: Mapping[str, Any], now: float) -> Predicate | None:
    """`filters` as they are sent. Raises InputError for a filter or operator that has no counterpart here."""
    parts = [
        _part(field, operator, value, now)
        for field, operators in filters.items()
        for operator, value in _members(field, operators).items()
    ]
    return Conjunction(tuple(parts)) if parts else None


def _members(field: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise InputError(f"filter {field} is not an object of operators", cure='For example {"eq": [1]}.')
    return given


def _part(field: str, operator: str, value: object, now: float) -> Predicate:
    if field == "date":
        return _date(operator, value, now)
    if field == "alertOpen" and operator == "eq":
        return _IS_OPEN if value is True or value == [True] else Negation(_IS_OPEN)
    make = _MEMBERS.get(field)
    if make is None:
        raise InputError(f"there is no filter `{field}` here", cure=f"There are: {', '.join(sorted(_FILTERS))}.")
    if operator not in ("eq", "neq"):
        raise InputError(f"filter {field} has no operator `{operator}`", cure="It has eq and neq.")
    found = make(list(value) if isinstance(value, list) else [value])
    return found if operator == "eq" else Negation(found)


def _date(operator: str, value: object, now: float) -> Predicate:
    one = value[0] if isinstance(value, list) and len(value) == 1 else value
    if operator in _BOUNDS:
        return Comparison("created_at", _BOUNDS[operator], _number("date", one) / 1000)
    if operator in _DAYS:
        return Comparison("created_at", _DAYS[operator], now - _number("date", one) * _DAY_MS / 1000)
    if operator == "range":
        return Conjunction(tuple(_bounds(value, one)))
    raise InputError(f"filter date has no operator `{operator}`", cure="It has gte, lte, range, lte_ndays, gte_ndays.")


def _bounds(value: object, one: object) -> Iterator[Comparison]:
    """Of `[start, end]`, or of `{"start": …, "end": …}`."""
    given: Mapping[str, object] = one if isinstance(one, dict) else {}
    if isinstance(value, list) and len(value) == _PAIR:
        given = {"start": value[0], "end": value[1]}
    for name, operator in (("start", Operator.GE), ("end", Operator.LE)):
        if name in given:
            yield Comparison("created_at", operator, _number("date", given[name]) / 1000)


def _number(field: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"filter {field} is no number", cure="Give milliseconds, or days for …_ndays.")
    return float(value)


def _severities(values: list[Any]) -> Predicate:
    ranks = {number: severity.rank for severity, number in _SEVERITY.items()}
    return Membership("severity", tuple(ranks[one] for one in _known("severity", values, ranks)))


def _resolutions(values: list[Any]) -> Predicate:
    return Disjunction(tuple(_RESOLUTIONS[one] for one in _known("resolutionStatus", values, _RESOLUTIONS)))


def _ids(values: list[Any]) -> Predicate:
    return Membership("id", tuple(str(one) for one in values))


def _known(field: str, values: list[Any], known: Mapping[int, object]) -> list[int]:
    if strange := [one for one in values if isinstance(one, bool) or not isinstance(one, int) or one not in known]:
        raise InputError(f"filter {field} does not know {strange[0]!r:.40}", cure=f"0 to {len(known) - 1}.")
    return values


def _closed(status: tuple[AlertStatus, ...], *said: Classification) -> Predicate:
    parts = (Membership("status", tuple(one.value for one in status)), _said(*said))
    return Conjunction(parts)


def _said(*said: Classification) -> Predicate:
    return Membership("classification", tuple(one.value for one in said))


_ENDED = (AlertStatus.RESOLVED, AlertStatus.DISMISSED)
_RESOLUTIONS: dict[int, Predicate] = {
    _OPEN: _IS_OPEN,
    _DISMISSED: _closed((AlertStatus.DISMISSED,), Classification.UNKNOWN),
    _RESOLVED: _closed((AlertStatus.RESOLVED,), Classification.UNKNOWN),
    **{number: _closed(_ENDED, said) for said, number in _CONCLUDED.items()},
}
_MEMBERS: dict[str, Callable[[list[Any]], Predicate]] = {
    "id": _ids,
    "severity": _severities,
    "resolutionStatus": _resolutions,
}
_FILTERS = (*_MEMBERS, "alertOpen", "date")
