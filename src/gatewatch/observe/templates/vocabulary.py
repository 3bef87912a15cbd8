"""What a literal segment reads like: route vocabulary, an action, a slug, a code. Weak signs; none decides alone."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from itertools import pairwise
from math import log

from gatewatch.knowledge.path_words import COUNTRIES, LANGUAGES, PATH_FIXTURES, PATH_VERBS, PATH_WORDS

__all__ = ["Look", "is_collection", "is_fixture", "is_gibberish", "is_routelike", "look_of"]

_PARTS = re.compile(r"[-_.]|(?<=[a-z])(?=[A-Z])")
_VERSION = re.compile(r"v\d{1,3}(?:[._]\d{1,3})?(?:[-.]?(?:alpha|beta|rc|preview)\d*)?", re.IGNORECASE)
_CODE = re.compile(r"[A-Z][A-Z0-9.]{1,5}(?:[-_][A-Z0-9]{1,5})?")
_COLLECTION_ENDS = re.compile(r"(?:[^s]s|ies|people|children|media|data)$|(?:^|[-_])(?:by|for|of|with)[-_]\w+$|_id$")
_NOT_COLLECTIONS = frozenset(
    {"status", "analytics", "metrics", "stats", "settings", "details", "css", "js", "news", "apis"}
)
_REMEMBERED = 32_768
_MAX_CODE = 5
_RANDOM_CHANGES, _MIN_RANDOM = 0.3, 5


class Look(Enum):
    """How a literal reads; the value is its weight as a sign of being a parameter's value (log odds)."""

    SLUG = 2.2
    """Three words and more joined by hyphens, or underscores, or letters outside ASCII."""
    RANDOM = 3.0
    """Capitals and small letters in no order: `oMHPeGp`."""
    CODE = 2.6
    """Short capitals: tickers, airports, SKUs."""
    REGION = 2.4
    """Country or language code."""
    DIGITS = 1.55
    """A word with digits in it."""
    NAME = 1.0
    """Two words joined: `jane-doe`, `jane.doe`, `blue_shirt`; capitalised words."""
    WORD = 0.0
    """One lower-case word that is no route vocabulary."""
    CAMEL = -1.0
    """camelCase of two words and more."""
    VOCABULARY = -1.2
    """A noun that designers put into paths; also a possible tag or category."""
    ACTION = -2.8
    """Led by a verb."""


_known: dict[str, Look] = {}


def is_fixture(segment: str) -> bool:
    """Whether a segment stands beside a parameter and is never one of its values: `me`, `search`, `v2`, `cancel`."""
    if segment.isupper() and len(segment) <= _MAX_CODE:
        return False  # `META`, `V`, `ALL`: tickers and currencies are words too
    lower = segment.lower()
    return lower in PATH_FIXTURES or lower in PATH_VERBS or lower[:1] == "$" or _VERSION.fullmatch(segment) is not None


def is_routelike(segment: str) -> bool:
    """Whether a segment is surely no value: vocabulary, an action, or a placeholder."""
    return "{" in segment or is_fixture(segment) or look_of(segment) in (Look.ACTION, Look.VOCABULARY)


def is_collection(segment: str) -> bool:
    """Whether a segment names many things, so that the one after it likely says which: `posts`, `by-name`."""
    lower = segment.lower()
    return lower not in _NOT_COLLECTIONS and _COLLECTION_ENDS.search(lower) is not None


def look_of(segment: str) -> Look:
    """How a literal reads."""
    known = _known.get(segment)
    if known is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        known = _known[segment] = _look(segment)
    return known


def _look(text: str) -> Look:
    parts = [part for part in _PARTS.split(text) if part]
    lowered = [part.lower() for part in parts]
    if lowered and lowered[0] in PATH_VERBS:
        return Look.ACTION
    if text.lower() in PATH_WORDS or (len(parts) > 1 and all(part in PATH_WORDS for part in lowered)):
        return Look.VOCABULARY
    if _CODE.fullmatch(text):
        return Look.CODE
    if _is_shuffled(text):
        return Look.RANDOM
    if len(text) == 2 and (text.lower() in LANGUAGES or text.lower() in COUNTRIES):
        return Look.REGION
    if not text.isascii() or (len(parts) > 2 and any(c in text for c in "-_")):
        return Look.SLUG
    if any(map(str.isdigit, text)):
        return Look.DIGITS
    if len(parts) > 1:
        return Look.NAME if any(c in text for c in "-_.") else Look.CAMEL
    return Look.NAME if text[:1].isupper() else Look.WORD


def _is_shuffled(text: str) -> bool:
    changes = sum(one.isupper() != other.isupper() for one, other in pairwise(text))
    return len(text) >= _MIN_RANDOM and text.isalnum() and changes / len(text) >= _RANDOM_CHANGES


def _pairs(words: Iterable[str]) -> dict[str, float]:
    """Log probability of each letter following another, from route vocabulary; one added to each count."""
    follows: dict[str, int] = {}
    totals: dict[str, int] = {}
    for word in words:
        for one, other in pairwise(word):
            follows[one + other] = follows.get(one + other, 0) + 1
            totals[one] = totals.get(one, 0) + 1
    letters = "abcdefghijklmnopqrstuvwxyz"
    return {a + b: log((follows.get(a + b, 0) + 1) / (totals.get(a, 0) + 26)) for a in letters for b in letters}


_PAIRS = _pairs(word for word in sorted(PATH_WORDS | PATH_VERBS) if word.isalpha() and word.isascii())
_MIN_GIBBERISH, _LONG_GIBBERISH = 10, 16
_IMPLAUSIBLE, _IMPLAUSIBLE_LONG = -3.75, -3.6
"""Mean log probability per letter pair. 3,000 random strings had a median of -3.88 (5th to 95th percentile: -4.4 to
-3.3 at 10 letters, -4.2 to -3.5 at 24); of 8,150 distinct words of 10 letters and more in Debian's documentation and
this project's text 0.3 % lay below -3.75, most of them alphabets and art."""


def is_gibberish(text: str) -> bool:
    """Whether an unbroken run of 10 letters and more pairs them as no word would: a key or token without digits."""
    if len(text) < _MIN_GIBBERISH or not (text.isalpha() and text.isascii()):
        return False
    lower = text.lower()
    score = sum(_PAIRS[lower[i : i + 2]] for i in range(len(lower) - 1)) / (len(lower) - 1)
    return score < (_IMPLAUSIBLE if len(text) < _LONG_GIBBERISH else _IMPLAUSIBLE_LONG)
