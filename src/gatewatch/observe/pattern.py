"""What indicators and recognizers have in common: candidates by Hyperscan, then a judgement in Python."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import ClassVar

import msgspec

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observation import Location
from gatewatch.observe.field_names import field_name

__all__ = [
    "Indicator",
    "MatchValue",
    "PatternMeta",
    "Recognizer",
    "ResponseSignal",
    "Rule",
    "prose_words",
    "redacted",
    "strongest",
    "without_code",
]

_VOCABULARY = words("attack_vocabulary")
_TOKENS = re.compile(r"\w+|\s+|[^\w\s]")
_FENCED_CODE = re.compile(r"^ {0,3}```.*?(?:^ {0,3}```|\Z)", re.DOTALL | re.MULTILINE)
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}\s[^`\n]{0,200}`(?!\w)")
_WORDS = re.compile(r"[^\W\d_]{2,}")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_LABEL = re.compile(r"([^\W\d][\w-]{1,40})[\"']?\s{0,3}[:=]\s{0,3}[\"'(]?$")
_LABEL_CHARS = 50
_MAX_SNIPPET = 80
_AROUND = 12


class MatchValue(msgspec.Struct, gc=False):
    """One value to look at. `text` is decoded and normalised, `raw` as it came.

    `context`: what names the value where `name` says nothing, such as the path segment before it.
    """

    location: Location
    name: str
    text: str
    raw: str = ""
    context: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Words of the name, for `FieldName`."""
        return field_name(self.context or self.name)

    @property
    def own_words(self) -> tuple[str, ...]:
        """The same of the innermost member alone: `order.card.number` is no order."""
        return field_name((self.context or self.name).rpartition(".")[2])

    def label(self, start: int) -> tuple[str, ...]:
        """Words of the label right before a place in the text, as in `ssn: 078…` or GraphQL's `pay(card: "4111…`."""
        if start < 3:
            return ()
        match = _LABEL.search(self.text, max(0, start - _LABEL_CHARS), start)
        return field_name(match.group(1)) if match else ()


class PatternMeta(msgspec.Struct, frozen=True, kw_only=True):
    """What people read about a pattern."""

    id: str
    title: str
    references: tuple[str, ...] = ()
    known_misses: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One structure that gives a class away. Confidence: 0.8 and more is strong alone, 0.5 to 0.8 wants company."""

    id: str
    expression: re.Pattern[str]
    confidence: float
    breaks: bool = False
    """The match begins with a quote or bracket that must close one which the value did not open."""


def strongest(rules: tuple[Rule, ...], text: str) -> tuple[Rule, int, int] | None:
    """The matching rule of highest confidence with the span it matched."""
    best: tuple[Rule, int, int] | None = None
    for rule in rules:
        if best is not None and rule.confidence <= best[0].confidence:
            continue
        match = rule.expression.search(text)
        while match is not None and rule.breaks and not _breaks_out(text, match.start()):
            match = rule.expression.search(text, match.start() + 1)
        if match:
            best = (rule, match.start(), match.end())
    return best


def _breaks_out(text: str, at: int) -> bool:
    """Whether the quote or bracket at `at` closes what stands before the value; apostrophes of words are none."""
    mark = text[at]
    if mark == ")":
        return text.count("(", 0, at) <= text.count(")", 0, at)
    if mark == "'":
        return (text.count("'", 0, at) - len(_APOSTROPHE.findall(text, 0, at))) % 2 == 0
    return mark != '"' or text.count('"', 0, at) % 2 == 0


def without_code(text: str, *, running_text: int = 4) -> str:
    """Markdown without its fenced blocks and inline code: people quote code there; nobody breaks out of a value there.

    Inline code counts only where it holds blanks, so that the identifiers of MySQL stay, and only beside `running_text`
    words, so that a shell's substitution stays.
    """
    if "`" not in text:
        return text
    outside = _FENCED_CODE.sub(" ", text)
    without = _INLINE_CODE.sub(" ", outside)
    return without if without != outside and prose_words(without) >= running_text else outside


def prose_words(text: str) -> int:
    """Words of running text, in any script; vocabulary of attacks does not count."""
    return sum(word.lower() not in _VOCABULARY for word in _WORDS.findall(text))


class Indicator(ABC):
    """An attack class. One file under `observe/indicators`."""

    meta: ClassVar[PatternMeta]
    expressions: ClassVar[tuple[bytes, ...]]
    """Hyperscan candidates, caseless, on normalised text; selective, because each hit costs a call."""

    @abstractmethod
    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """(confidence, rule id, redacted snippet) or None."""


class Recognizer(ABC):
    """An information type. One file under `observe/recognizers`."""

    meta: ClassVar[PatternMeta]
    expressions: ClassVar[tuple[bytes, ...]]

    @abstractmethod
    def recognise(self, value: MatchValue) -> bool:
        """Whether the value holds this type: validated, and the field's name does not speak against it."""


class ResponseSignal(ABC):
    """A sign in a response that an attack worked. One file under `observe/response_signals`."""

    meta: ClassVar[PatternMeta]
    expressions: ClassVar[tuple[bytes, ...]]

    @abstractmethod
    def present(self, body: str, requests: list[MatchValue]) -> bool:
        """Whether the response shows it, given the values of the request."""


def redacted(text: str, start: int = 0, end: int | None = None) -> str:
    """The part of a value around an attack with everything but attack vocabulary and punctuation masked."""
    part = text[max(0, start - _AROUND) : (len(text) if end is None else end) + _AROUND][: 2 * _MAX_SNIPPET]
    shown = []
    for token in _TOKENS.findall(part):
        if token.isspace():
            shown.append(" ")
        elif token[0].isalnum() or token[0] == "_":
            small = token.lower()
            shown.append(token if small in _VOCABULARY or (len(token) == 1 and token.isdigit()) else "•")
        else:
            shown.append(token if token.isascii() else "•")
    return "".join(shown)[:_MAX_SNIPPET]
