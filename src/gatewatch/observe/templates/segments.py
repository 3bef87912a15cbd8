"""What one path segment is by itself: an identifier of a known kind, or a literal that only statistics can judge."""

from __future__ import annotations

import re
from urllib.parse import unquote

from gatewatch.knowledge.path_words import LITERAL_WITH_DIGITS, PATH_WORDS, STATIC_EXTENSIONS
from gatewatch.observe.value_types import classify

__all__ = ["is_placeholder", "is_static_file", "is_word", "split_path", "typed"]

_PLACEHOLDERS = {
    "int": "{int}",
    "float": "{number}",
    "uuid": "{uuid}",
    "ulid": "{ulid}",
    "objectid": "{id}",
    "hash": "{hash}",
    "date": "{date}",
    "datetime": "{datetime}",
    "email": "{email}",
    "jwt": "{token}",
    "token": "{token}",
    "base64": "{token}",
    "ip": "{ip}",
    "phone": "{phone}",
    "list": "{list}",
    "coordinates": "{coordinates}",
    "url": "{url}",
}
_VERSION = re.compile(r"v\d{1,3}(?:\.\d{1,3}){0,2}(?:(?:alpha|beta|rc)\d*)?", re.IGNORECASE)
_LOCALE = re.compile(r"[a-z]{2}[-_][A-Z]{2}")
_CODE = re.compile(
    r"[A-Za-z]{1,12}[-_.]?\d{3,}|[A-Za-z0-9]{1,12}(?:[-_][A-Za-z0-9]{1,12})*[-_]\d{2,}|\d{2,}[-_.]?[A-Za-z]{1,6}|\d+[-_.:]\d+(?:[-_.:]\d+)*"
)
_SLUG_WITH_NUMBER = re.compile(r"(?:[a-z]+-){2,}\d+|\d+-(?:[a-z]+-)+[a-z]+", re.IGNORECASE)
_FILE = re.compile(r"(?P<stem>.+)\.(?P<ending>[A-Za-z][A-Za-z0-9]{0,4})")
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{5,}")
_MIN_DIGITS = 3
_MAX_LITERAL = 96
_REMEMBERED = 65_536
_known: dict[str, str] = {}


def split_path(path: str) -> list[str]:
    """Segments without empty ones and matrix parameters; `//` and a trailing slash make no difference."""
    if ";" in path:
        path = "/".join(part.partition(";")[0] for part in path.split("/"))
    return [segment for segment in path.split("/") if segment and segment != "."]


def is_placeholder(segment: str) -> bool:
    """Whether a template's segment stands for values."""
    return "{" in segment


def is_word(segment: str) -> bool:
    """Whether a segment is common API vocabulary, alone or joined by `-`, `_` or camelCase."""
    if segment.lower() in PATH_WORDS or _VERSION.fullmatch(segment):
        return True
    parts = [part for part in re.split(r"[-_.]|(?<=[a-z])(?=[A-Z])", segment) if part]
    return len(parts) > 1 and all(part.lower() in PATH_WORDS for part in parts)


def is_static_file(segment: str) -> bool:
    """Whether the last segment names static content."""
    match = _FILE.fullmatch(segment)
    return match is not None and match.group("ending").lower() in STATIC_EXTENSIONS


def typed(segment: str) -> str:
    """The placeholder of an identifier, or the segment itself (percent-decoded when that is harmless)."""
    known = _known.get(segment)
    if known is None:
        if len(_known) >= _REMEMBERED:
            _known.clear()
        known = _known[segment] = _typed(segment)
    return known


def _typed(segment: str) -> str:
    text = unquote(segment) if "%" in segment else segment
    if _VERSION.fullmatch(text) or text.lower() in LITERAL_WITH_DIGITS or text.lower() in PATH_WORDS:
        return text
    if placeholder := _PLACEHOLDERS.get(classify(text)):
        return placeholder
    file = _FILE.fullmatch(text)
    if file and is_placeholder(stem := typed(file.group("stem"))):
        return f"{stem}.{file.group('ending')}"
    if placeholder := _coded(text):
        return placeholder
    unfit = len(text) > _MAX_LITERAL or not text.isprintable() or any(c in text for c in "{}/<>\"'\\ ")
    return "{name}" if unfit else text


def _coded(text: str) -> str:
    """Placeholder of shapes that people give to identifiers: `ORD-1234`, `user4711`, `my-post-12345`, `de-DE`."""
    if _LOCALE.fullmatch(text):
        return "{locale}"
    if _SLUG_WITH_NUMBER.fullmatch(text):
        return "{slug}"
    mixed = _MIXED.fullmatch(text) and sum(c.isdigit() for c in text) >= _MIN_DIGITS
    return "{id}" if mixed or _CODE.fullmatch(text) else ""
