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
# Characters that nobody sees: soft hyphen, zero-width and directional marks, byte order mark.
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_ROUNDS = 5
"""Layers of encoding undone; attackers stack two or three, every further one multiplies the length."""


def normalise(text: str, *, plus_is_space: bool = False) -> str:
    """Percent-decoding (overlong forms too), HTML entities, escapes, fullwidth letters, SQL comments, NULs.

    Layer by layer until nothing changes, five at most, in whatever order they were put on. Case is kept: patterns are
    caseless.
    """
    if (text.isascii() and text.isalnum()) or not _SUSPECT.search(text):
        return text
    if plus_is_space:
        text = text.replace("+", " ")
    for _ in range(_ROUNDS):
        plainer = _without_layer(text)
        if plainer == text:
            break
        text = plainer
    if "/*" in text:
        text = _COMMENT.sub(_without_comment, text)
    return text.replace("\x00", "")


def _without_layer(text: str) -> str:
    if "%" in text:
        text = unquote(_OVERLONG_SLASH.sub("/", _OVERLONG.sub(".", text)), errors="replace")
    if "\\" in text or "%u" in text:
        text = _UNICODE_ESCAPE.sub(_character, text)
        text = _HEX_ESCAPE.sub(_character, text)
    if "&" in text and (";" in text or "&#" in text):
        text = html.unescape(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    return text


def _character(match: re.Match[str]) -> str:
    return chr(int(match.group(1), 16))


def _without_comment(match: re.Match[str]) -> str:
    # MySQL runs what stands in /*!50000 ... */; everything else separates words.
    inner = match.group(0)
    return re.sub(r"^/\*!\d*|\*/$", " ", inner) if inner.startswith("/*!") else " "
