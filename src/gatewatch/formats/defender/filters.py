"""`$filter` and `$orderby` in their words, translated to conditions on our columns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

import msgspec

from gatewatch.errors import InputError
from gatewatch.formats.defender.remediation import STATUS as REMEDIATION_STATUS
from gatewatch.formats.defender.vocabulary import (
    ALERT_STATUS,
    CLASSIFICATION,
    INCIDENT_STATUS,
    LEGACY_INCIDENT_STATUS,
    READ_DETERMINATION,
    SERVICE_SOURCE,
    SEVERITY,
    Words,
    reading,
)
from gatewatch.formats.odata import FilterError, parse_filter
from gatewatch.model.predicate import (
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operator,
    Predicate,
)

__all__ = [
    "ALERT_FIELDS",
    "ALERT_ORDERS",
    "INCIDENT_FIELDS",
    "INCIDENT_ORDERS",
    "LEGACY_FIELDS",
    "REMEDIATION_FIELDS",
    "Fields",
    "condition",
]

E = TypeVar("E", bound=StrEnum)
_HALF_MICROSECOND = 0.5e-6
"""Times are shown rounded to microseconds, so they are compared as if they were stored so."""


class _Field(msgspec.Struct, frozen=True, kw_only=True):
    column: str
    members: Words[str | int] | None = None
    """What may be said -> values of the column; None for a time or a free text."""
    time: bool = False
    always: str = ""
    """The value that everything here has."""


Fields = Mapping[str, _Field]
"""Property -> column."""


def _enumeration(column: str, words: Words[E]) -> _Field:
    return _Field(column=column, members={word: tuple(one.value for one in ours) for word, ours in words.items()})


def _time(column: str) -> _Field:
    return _Field(column=column, time=True)


_OWNER = _Field(column="assigned_to")
_SEVERITY = _Field(
    column="severity",
    members={word: tuple(one.rank for one in ours) for word, ours in reading(SEVERITY, "unknown").items()},
)
_JUDGED: dict[str, _Field] = {
    "assignedTo": _OWNER,
    "classification": _enumeration("classification", reading(CLASSIFICATION)),
    "determination": _enumeration("determination", READ_DETERMINATION),
    "severity": _SEVERITY,
}
INCIDENT_FIELDS: Fields = {
    **_JUDGED,
    "createdDateTime": _time("created_at"),
    "lastUpdateDateTime": _time("updated_at"),
    "status": _enumeration("status", reading(INCIDENT_STATUS)),
}
ALERT_FIELDS: Fields = {
    **_JUDGED,
    "createdDateTime": _time("created_at"),
    "lastUpdateDateTime": _time("changed_at"),
    "serviceSource": _Field(column="", always=SERVICE_SOURCE),
    "status": _enumeration("status", reading(ALERT_STATUS, "unknown")),
}
LEGACY_FIELDS: Fields = {
    "assignedTo": _OWNER,
    "createdTime": _time("created_at"),
    "lastUpdateTime": _time("updated_at"),
    "status": _enumeration("status", reading(LEGACY_INCIDENT_STATUS)),
}
REMEDIATION_FIELDS: Fields = {
    "createdOn": _time("created_at"),
    "status": _enumeration("status", {word.lower(): (status,) for status, word in REMEDIATION_STATUS.items()}),
}
INCIDENT_ORDERS = {"createdDateTime": "created_at", "lastUpdateDateTime": "updated_at", "priorityScore": "priority"}
ALERT_ORDERS = {
    "createdDateTime": "created_at",
    "lastUpdateDateTime": "changed_at",
    "firstActivityDateTime": "first_seen",
    "lastActivityDateTime": "last_seen",
}
"""Property -> column; each has an index."""


def condition(text: str, fields: Fields) -> Predicate:
    """A filter as a condition on our columns. Raises FilterError naming the place of what can't be."""
    return _translated(parse_filter(text), fields)


def _translated(tree: Predicate, fields: Fields) -> Predicate:
    match tree:
        case Comparison():
            return _compared(tree, fields)
        case Negation():
            return Negation(_translated(tree.part, fields))
        case Conjunction():
            return Conjunction(tuple(_translated(part, fields) for part in tree.parts))
        case Disjunction():
            return Disjunction(tuple(_translated(part, fields) for part in tree.parts))
        case Membership():
            raise InputError("a parsed filter has no memberships")


def _compared(asked: Comparison, fields: Fields) -> Predicate:
    field = fields.get(asked.field)
    if field is None:
        raise FilterError(
            f"a property that can't be filtered ({asked.field[:64]}) stands",
            at=asked.at,
            cure=f"Filter by {', '.join(sorted(fields))}.",
        )
    if field.time:
        return _timed(field.column, asked)
    if asked.operator not in (Operator.EQ, Operator.NE):
        raise FilterError(f"{asked.field} with something else than eq or ne stands", at=asked.at)
    if isinstance(asked.value, datetime):
        raise FilterError(f"{asked.field} compared with a time stands", at=asked.at)
    equal = _equal(field, asked)
    return equal if asked.operator is Operator.EQ else Negation(equal)


def _equal(field: _Field, asked: Comparison) -> Predicate:
    said = asked.value
    if field.always:
        return Conjunction(()) if str(said).lower() == field.always.lower() else Disjunction(())
    if field.members is None:
        return Membership(field.column, ("" if said is None else str(said),))
    if said is None:
        return Disjunction(())
    values = field.members.get(str(said).lower())
    if values is None:
        known = ", ".join(sorted(field.members))
        raise FilterError(f"an unknown value of {asked.field} stands", at=asked.at, cure=f"Known are {known}.")
    return Membership(field.column, values)


def _timed(column: str, asked: Comparison) -> Predicate:
    value = asked.value
    if isinstance(value, str):
        inner = _as_time(value, asked)
    elif isinstance(value, datetime):
        inner = value.timestamp()
    else:
        raise FilterError(f"{asked.field} without a time stands", at=asked.at)
    low, high = inner - _HALF_MICROSECOND, inner + _HALF_MICROSECOND
    match asked.operator:
        case Operator.GT | Operator.LE:
            return Comparison(column, asked.operator, high)
        case Operator.GE | Operator.LT:
            return Comparison(column, asked.operator, low)
        case _:
            equal = Conjunction((Comparison(column, Operator.GE, low), Comparison(column, Operator.LE, high)))
            return equal if asked.operator is Operator.EQ else Negation(equal)


def _as_time(text: str, asked: Comparison) -> float:
    """Some clients put times in quotes."""
    try:
        read = parse_filter(f"at eq {text}")
    except FilterError as error:
        raise FilterError(f"{asked.field} with a time that is none stands", at=asked.at) from error
    if isinstance(read, Comparison) and isinstance(read.value, datetime):
        return read.value.timestamp()
    raise FilterError(f"{asked.field} with a time that is none stands", at=asked.at)
