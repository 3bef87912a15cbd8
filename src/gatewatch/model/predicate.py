"""Conditions on the fields of things that are listed, as a tree; read from a text, carried out by a store."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

__all__ = ["Comparison", "Conjunction", "Disjunction", "Membership", "Negation", "Operator", "Predicate", "Value"]

Value = str | int | float | datetime | None
"""What a field is compared with."""


class Operator(StrEnum):
    """OData's words (OData 4.01 part 2, 5.1.1.1)."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"


class Comparison(msgspec.Struct, frozen=True):
    """A field against one value."""

    field: str
    operator: Operator
    value: Value
    at: int = 0
    """Where it began in the text, in characters from 0."""


class Membership(msgspec.Struct, frozen=True):
    """The field has one of these values; none of them for an empty tuple."""

    field: str
    values: tuple[str | int, ...]


class Negation(msgspec.Struct, frozen=True):
    """The part does not hold."""

    part: Predicate


class Conjunction(msgspec.Struct, frozen=True):
    """All parts hold; without parts it is true."""

    parts: tuple[Predicate, ...]


class Disjunction(msgspec.Struct, frozen=True):
    """At least one part holds; without parts it is false."""

    parts: tuple[Predicate, ...]


Predicate = Comparison | Membership | Negation | Conjunction | Disjunction
