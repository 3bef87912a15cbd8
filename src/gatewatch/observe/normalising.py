"""Undo the disguises of attack strings: encodings, comments, exotic characters. Cheap when there is nothing to undo."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

__all__ = ["normalise"]

_COMMENT = re.compile(r"/\*!?\d{0,6}.{0,64}?\*/", re.DOTALL)
_UNICODE_ESCAPE = re.compile(r"(?:\\u|%u)([0-9a-fA-F]{4})")
_HEX_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})")
_OVERLONG = re.compile(r"%c0%ae|%c0%2e|%e0%80%ae", re.IGNORECASE)
_OVERLONG_SLASH = re.compile(r"%c0%af|%c0%2f|%c1%9c|%e0%80%af", re.IGNORECASE)
_SUSPECT = re.compile(r"[%&\\\x00+\x80-\U0010ffff]|/\*")
_ROUNDS = 2


def normalise(text: str, *, plus_is_space: bool = False) -> str:
    """Percent-decoding (twice, overlong forms too), HTML entities, escapes, fullwidth letters, SQL comments, NULs.

    Case is kept: patterns are caseless.
    """
    if (text.isascii() and text.isalnum()) or not _SUSPECT.search(text):
        return text
    if plus_is_space:
        text = text.replace("+", " ")
    if "%" in text:
        text = _percent_decoded(text)
    if "\\" in text or "%u" in text:
        text = _UNICODE_ESCAPE.sub(_character, text)
        text = _HEX_ESCAPE.sub(_character, text)
    if "&" in text and ";" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    if "/*" in text:
        text = _COMMENT.sub(_without_comment, text)
    return text.replace("\x00", "")


def _percent_decoded(text: str) -> str:
    text = _OVERLONG_SLASH.sub("/", _OVERLONG.sub(".", text))
    for _ in range(_ROUNDS):
        decoded = unquote(text, errors="replace")
        if decoded == text:
            break
        text = decoded
    return text


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


def _without_comment(match: re.Match[str]) -> str:
    # MySQL runs what stands in /*!50000 ... */; everything else separates words.
    inner = match.group(0)
    return re.sub(r"^/\*!\d*|\*/$", " ", inner) if inner.startswith("/*!") else " "
