"""What a value looks like. One classifier for path segments and parameters; shape only, never the value's meaning."""

from __future__ import annotations

import re
from itertools import pairwise
from math import log2

__all__ = ["classify", "looks_random", "shannon_entropy"]

_MONTH_DAY = r"(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TYPES = re.compile(
    rf"""
    (?P<uuid>[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}|\{{[0-9a-f-]{{36}}\}})
    |(?P<phone>\+[1-9]\d{{7,14}}|\+\d(?=\d*[\ ().-])[\d\ ().-]{{6,20}}\d)
    |(?P<int>[+-]?\d{{1,40}})
    |(?P<float>[+-]?\d{{1,30}}\.\d{{1,30}}(?:e[+-]?\d{{1,3}})?)
    |(?P<date>\d{{4}}-{_MONTH_DAY})
    |(?P<datetime>\d{{4}}-{_MONTH_DAY}[t\ ]\d{{2}}:\d{{2}}(?::\d{{2}}(?:[.,]\d{{1,9}})?)?(?:z|[+-]\d{{2}}:?\d{{2}})?)
    |(?P<ulid>[0-7][0-9a-hjkmnp-tv-z]{{25}})
    |(?P<objectid>[0-9a-f]{{24}})
    |(?P<hash>[0-9a-f]{{32}}|[0-9a-f]{{40}}|[0-9a-f]{{56}}|[0-9a-f]{{64}}|[0-9a-f]{{96}}|[0-9a-f]{{128}})
    |(?P<jwt>eyj[\w-]{{5,}}\.[\w-]{{5,}}\.[\w-]*)
    |(?P<email>[^@\s/]{{1,64}}@[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{1,6}})
    |(?P<ip>(?:\d{{1,3}}\.){{3}}\d{{1,3}}|[0-9a-f]{{0,4}}(?::[0-9a-f]{{0,4}}){{2,7}})
    |(?P<url>(?:https?|ftp|wss?|file|gopher|ldaps?)://\S+)
    |(?P<list>-?\d+(?:,-?\d+)+)
    |(?P<coordinates>-?\d{{1,3}}\.\d+,-?\d{{1,3}}\.\d+)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_MAX_TYPED = 4096
_MAX_INT = 40
_REMEMBERED = 65_536
_known: dict[str, str] = {}
_WORDS = {"true": "bool", "false": "bool", "null": "null", "none": "null", "": "empty"}
_OPAQUE = re.compile(r"[A-Za-z0-9_\-+/=.~]+", re.ASCII)
_MIN_OPAQUE, _MIN_MIXED, _MIN_LETTERS = 16, 8, 20


def shannon_entropy(text: str) -> float:
    """Bits per character over the text's own distribution."""
    size = len(text)
    return -sum((n := text.count(c) / size) * log2(n) for c in set(text)) if size else 0.0


def looks_random(text: str) -> bool:
    """Whether an unbroken run of characters looks generated rather than written.

    Letters and digits interleaved (at least 8 characters, 3 changes between letter and digit), or 16 characters and
    more with high entropy and mixed case. Words, slugs and camelCase stay False.
    """
    size = len(text)
    if size < _MIN_MIXED or not _OPAQUE.fullmatch(text):
        return False
    digits = sum(c.isdigit() for c in text)
    letters = sum(c.isalpha() for c in text)
    pairs = [(a, b) for a, b in pairwise(text) if a.isalnum() and b.isalnum()]
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairs)
    if digits and letters and changes >= 3 and (size >= _MIN_OPAQUE or "-" not in text):
        return True
    mixed_case = any(c.isupper() for c in text[1:]) and any(c.islower() for c in text)
    if size >= _MIN_OPAQUE and digits >= 2 and letters and mixed_case:
        return shannon_entropy(text) > 3.2
    flips = sum(a.isupper() != b.isupper() for a, b in pairs if a.isalpha() and b.isalpha())
    return size >= _MIN_LETTERS and mixed_case and flips > size / 3 and "-" not in text


def classify(text: str) -> str:
    """Type of one textual value.

    int, float, bool, null, empty, uuid, ulid, objectid, hash, date, datetime, jwt, email, ip, url, phone, list,
    coordinates, token, base64 or string.
    """
    if text.isdigit() and text.isascii() and len(text) <= _MAX_INT:
        return "int"
    known = _known.get(text)
    if known is not None:
        return known
    found = _classify(text)
    if len(text) <= 64:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        _known[text] = found
    return found


def _classify(text: str) -> str:
    if len(text) > _MAX_TYPED:
        return "string"
    word = _WORDS.get(text.lower() if len(text) < 6 else text)
    if word:
        return word
    match = _TYPES.fullmatch(text)
    if match:
        return match.lastgroup or "string"
    if looks_random(text):
        return "base64" if text.endswith("=") else "token"
    return "string"
