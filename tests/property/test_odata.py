"""OData filters: what is printed is read back to the same tree, and nothing that is sent makes the reader fall."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.errors import InputError
from gatewatch.formats.defender.filters import ALERT_FIELDS, INCIDENT_FIELDS, LEGACY_FIELDS, Fields, condition
from gatewatch.formats.odata import (
    MOST_COMPARISONS,
    MOST_DEPTH,
    FilterError,
    parse_filter,
    print_filter,
)
from gatewatch.model.predicate import (
    Comparison,
    Conjunction,
    Disjunction,
    Membership,
    Negation,
    Operator,
    Predicate,
)

WORDS = {"and", "or", "not", "null", *(operator.value for operator in Operator)}
fields = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,12}\Z").filter(lambda word: word.lower() not in WORDS)
moments = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
comparisons = st.builds(
    Comparison, fields, st.sampled_from(Operator), st.one_of(st.text(max_size=20), moments, st.none())
)
trees = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(Negation),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: Conjunction(tuple(parts))),
        st.lists(inner, min_size=2, max_size=4).map(lambda parts: Disjunction(tuple(parts))),
    ),
    max_leaves=12,
)


def placeless(tree: Predicate) -> Predicate:
    """The tree without where it stood."""
    match tree:
        case Comparison():
            return msgspec.structs.replace(tree, at=0)
        case Negation():
            return Negation(placeless(tree.part))
        case Conjunction():
            return Conjunction(tuple(map(placeless, tree.parts)))
        case Disjunction():
            return Disjunction(tuple(map(placeless, tree.parts)))
        case Membership():
            return tree


@given(trees)
def test_what_is_printed_is_read_back(tree: Predicate) -> None:
    assert placeless(parse_filter(print_filter(tree))) == tree


pieces = st.sampled_from(
    [
        *WORDS,
        "(",
        ")",
        "'",
        "''",
        "'active'",
        " ",
        "status",
        "createdDateTime",
        "2026-01-01T00:00:00Z",
        "9",
        "\0",
        "é",
        "+",
    ]
)


def place_of_mistake(text: str, known: Fields) -> int:
    try:
        condition(text, known)
    except FilterError as error:
        return error.at
    return 0


@given(st.one_of(st.text(max_size=200), st.lists(pieces, max_size=30).map(" ".join)))
def test_junk_is_refused_with_its_place_or_read(text: str) -> None:
    for known in (INCIDENT_FIELDS, ALERT_FIELDS, LEGACY_FIELDS):
        assert 0 <= place_of_mistake(text, known) <= len(text) + 1


@given(trees)
def test_a_tree_over_other_peoples_properties_never_reaches_the_store(tree: Predicate) -> None:
    with pytest.raises(InputError):
        condition(f"secretHash eq 'x' or ({print_filter(tree)})", INCIDENT_FIELDS)


def one(field: str, operator: Operator, value: object, at: int = 0) -> Predicate:
    return Comparison(field, operator, value, at)  # type: ignore[arg-type]


READ: dict[str, Predicate] = {
    "a eq 'x' or b eq 'y' and c ne null": Disjunction(
        (
            one("a", Operator.EQ, "x"),
            Conjunction((one("b", Operator.EQ, "y", 12), one("c", Operator.NE, None, 25))),
        )
    ),
    "(a eq 'x' or b eq 'y') and not c ne null": Conjunction(
        (
            Disjunction((one("a", Operator.EQ, "x", 1), one("b", Operator.EQ, "y", 13))),
            Negation(one("c", Operator.NE, None, 31)),
        )
    ),
    "a eq 'it''s'": one("a", Operator.EQ, "it's"),
    "A GT 2026-01-01": one("A", Operator.GT, datetime(2026, 1, 1, tzinfo=UTC)),
    "a lt 2026-01-01T00:00:00.1234567Z": one("a", Operator.LT, datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)),
    "a le 2026-01-01T01:00:00 01:00": one("a", Operator.LE, datetime(2026, 1, 1, tzinfo=UTC)),
    "a ge 2026-01-01T00:00Z": one("a", Operator.GE, datetime(2026, 1, 1, tzinfo=UTC)),
    "not (not (a eq ''))": Negation(Negation(one("a", Operator.EQ, "", 10))),
}


@pytest.mark.parametrize("text", READ)
def test_precedence_and_literals(text: str) -> None:
    assert parse_filter(text) == READ[text]


REFUSED: dict[str, tuple[str, int]] = {
    "nothing": ("", 1),
    "no operator": ("status", 7),
    "no value": ("status eq", 10),
    "a text without its end": ("status eq 'active", 11),
    "a value without quotes": ("status eq active", 11),
    "a number": ("status eq 5", 11),
    "two comparisons without a word between": ("a eq 'x' b eq 'y'", 10),
    "an open parenthesis": ("(a eq 'x'", 10),
    "a closed one": ("a eq 'x')", 9),
    "a function": ("contains(name, 'x')", 14),
    "an unknown operator": ("a has 'x'", 3),
    "a day that is none": ("a gt 2026-02-30", 6),
    "a year before the first": ("a gt 0001-01-01T00:00:00+05:00", 6),
    "too deep": ("(" * (MOST_DEPTH + 1) + "a eq 'x'" + ")" * (MOST_DEPTH + 1), MOST_DEPTH + 1),
    "too deep by not": ("not " * 500 + "a eq 'x'", 4 * (MOST_DEPTH + 1) + 1),
    "too many": (" and ".join(["a eq ''"] * (MOST_COMPARISONS + 1)), 12 * MOST_COMPARISONS + 1),
    "too long": ("a eq '" + "x" * 9000 + "'", 8001),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_said_where_it_is(name: str) -> None:
    text, at = REFUSED[name]
    with pytest.raises(FilterError) as error:
        parse_filter(text)
    assert error.value.at == at
