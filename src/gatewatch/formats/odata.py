"""OData `$filter`: the part of it that clients of security APIs send, read into a tree and written from one.

Source: OData 4.01 part 2 (URL conventions), 5.1.1. Read are comparisons of a field with a text, a time or null, joined
with `and`, `or`, `not` and parentheses. Functions, arithmetic, lambdas and `in` are refused with the place where they
stand.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from gatewatch.errors import InputError
from gatewatch.model.predicate import Comparison, Conjunction, Disjunction, Negation, Operator, Predicate, Value

__all__ = ["MOST_CHARACTERS", "MOST_COMPARISONS", "MOST_DEPTH", "FilterError", "parse_filter", "print_filter"]

MOST_CHARACTERS = 8_000
MOST_DEPTH = 32
"""Parentheses and `not` inside each other."""
MOST_COMPARISONS = 200

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<open>\() | (?P<close>\))
      | (?P<text>'(?:[^']|'')*')
      | (?P<time>\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,12})?)?(?:Z|[+ -]\d{2}:\d{2}(?!\d))?)?(?![\w.:-]))
      | (?P<word>[A-Za-z_][A-Za-z0-9_/]*(?![\w.]))
    """,
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
_RESERVED = frozenset({"and", "or", "not", "null", *(operator.value for operator in Operator)})
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


class FilterError(InputError):
    """A filter is wrong at a place; `at` counts characters from 1."""

    code = "filter"

    def __init__(self, message: str, *, at: int, cure: str = "") -> None:
        """`at` counts from 0."""
        super().__init__(f"{message} at character {at + 1} of $filter", cure=cure)
        self.at = at + 1


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    at: int


def parse_filter(text: str) -> Predicate:
    """The tree of a filter. Raises FilterError."""
    if len(text) > MOST_CHARACTERS:
        raise FilterError(f"more than {MOST_CHARACTERS} characters", at=MOST_CHARACTERS)
    return _Reader(_tokens(text), len(text)).read()


def print_filter(tree: Predicate) -> str:
    """The text of a tree of comparisons: what `parse_filter` reads to the same tree."""
    match tree:
        case Comparison():
            return f"{tree.field} {tree.operator.value} {_printed(tree.value)}"
        case Negation():
            return f"not ({print_filter(tree.part)})"
        case Conjunction() | Disjunction():
            word = " and " if isinstance(tree, Conjunction) else " or "
            return word.join(_inner(part) for part in tree.parts)
        case _:
            raise InputError("OData without `in` can't say this")


def _inner(part: Predicate) -> str:
    text = print_filter(part)
    return f"({text})" if isinstance(part, Conjunction | Disjunction) else text


def _printed(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return "'" + str(value).replace("'", "''") + "'"


def _tokens(text: str) -> list[_Token]:
    found, at = list[_Token](), 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError("something that can't be read begins", at=at, cure="Write texts in single quotes.")
        kind = str(match.lastgroup)
        if kind != "space":
            found.append(_Token(kind, match.group(), at))
        at = match.end()
    return found


class _Reader:
    """Recursive descent, a method per level of precedence: or, and, not, comparison."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens, self._end = tokens, end
        self._next = self._depth = self._comparisons = 0

    def read(self) -> Predicate:
        tree = self._either()
        if self._next < len(self._tokens):
            raise FilterError("`and`, `or` or the end is expected", at=self._at())
        return tree

    def _either(self) -> Predicate:
        parts = [self._both()]
        while self._word("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Disjunction(tuple(parts))

    def _both(self) -> Predicate:
        parts = [self._one()]
        while self._word("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Conjunction(tuple(parts))

    def _one(self) -> Predicate:
        negated = self._word("not")
        if not negated and not self._is("open"):
            return self._comparison()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise FilterError(f"more than {MOST_DEPTH} levels", at=self._at())
        tree: Predicate = Negation(self._one()) if negated else self._group()
        self._depth -= 1
        return tree

    def _group(self) -> Predicate:
        self._take("open", "`(`")
        tree = self._either()
        self._take("close", "`)`")
        return tree

    def _comparison(self) -> Predicate:
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise FilterError(f"more than {MOST_COMPARISONS} comparisons", at=self._at())
        if self._is("word") and self._tokens[self._next].text.lower() in _RESERVED:
            raise FilterError("a property is expected", at=self._at())
        field = self._take("word", "a property")
        place = self._at()
        word = self._take("word", "an operator").text.lower()
        if word not in {known.value for known in Operator}:
            raise FilterError("an operator (eq, ne, gt, ge, lt, le) is expected", at=place)
        return Comparison(field.text, Operator(word), self._value(), field.at)

    def _value(self) -> Value:
        token = self._tokens[self._next] if self._next < len(self._tokens) else None
        if token is not None and token.kind in ("text", "time"):
            self._next += 1
            return token.text[1:-1].replace("''", "'") if token.kind == "text" else _moment(token)
        if self._word("null"):
            return None
        raise FilterError("a text in single quotes, a time or null is expected", at=self._at())

    def _at(self) -> int:
        return self._tokens[self._next].at if self._next < len(self._tokens) else self._end

    def _is(self, kind: str) -> bool:
        return self._next < len(self._tokens) and self._tokens[self._next].kind == kind

    def _word(self, word: str) -> bool:
        """Step over this word if it comes now."""
        found = self._is("word") and self._tokens[self._next].text.lower() == word
        self._next += found
        return found

    def _take(self, kind: str, name: str) -> _Token:
        if not self._is(kind):
            raise FilterError(f"{name} is expected", at=self._at())
        self._next += 1
        return self._tokens[self._next - 1]


def _moment(token: _Token) -> datetime:
    """Without a zone it is UTC. An offset's `+` that a URL made a blank is read as what it was."""
    text = _FRACTION.sub(lambda match: f".{match.group(1):0<6}", token.text.upper())
    try:
        read = datetime.fromisoformat(text.replace(" ", "+"))
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise FilterError("a time that is none stands", at=token.at) from error
