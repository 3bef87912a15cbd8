"""What one path segment is by itself: an identifier of a known kind, or a literal that only statistics can judge.

Normalisation of a path, decided once (`split_path`):

- empty segments (`//`, trailing slash) make no difference; `.` and `..` are resolved as in RFC 3986 section 5.2.4, also
  when written `%2e`, because origins resolve them before they route;
- matrix parameters (`;v=1`, `;jsessionid=…`) belong to no segment;
- a percent-encoded segment is judged decoded; what decodes to text that no route is made of (`/`, space, quotes,
  control characters) is a value and becomes `{name}`;
- letter case is kept: RFC 3986 section 6.2.2.1 makes paths case-sensitive.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from gatewatch.knowledge.path_words import CURRENCIES, LITERAL_WITH_DIGITS, PATH_WORDS, STATIC_EXTENSIONS
from gatewatch.observe.templates.vocabulary import is_gibberish
from gatewatch.observe.value_types import classify

__all__ = ["VALUE_TYPES", "decoded", "file_ending", "is_placeholder", "shape_path", "split_path", "typed"]

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
VALUE_TYPES = {
    f"{{{kind}}}": kind for kind in ("int", "uuid", "ulid", "hash", "date", "datetime", "email", "ip", "phone")
}
"""Value type (`value_types.classify`) of placeholders that tell it."""
_VERSION = re.compile(r"v\d{1,3}(?:[._]\d{1,3}){0,2}(?:[-.]?(?:alpha|beta|rc|preview)\d*)?", re.IGNORECASE)
_PLAIN_VERSION = re.compile(r"\d{1,2}(?:\.\d{1,2})?")
_BEFORE_VERSION = frozenset({"api", "apis", "rest", "version", "v"})
_DATED_VERSION = re.compile(r"20\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?")
"""Versions by date, as Shopify, Azure and GitHub write them."""
_MONTHS = frozenset({"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"})
_LOCALE = re.compile(r"[a-z]{2}[-_](?:[A-Z]{2}|419)")
_PERIOD = re.compile(r"\d{4}-(?:0[1-9]|1[0-2]|[wW]\d\d|[qQ][1-4])")
_PHONE = re.compile(r"\+\d{7,15}")  # E.164: up to 15 digits
_HANDLE = re.compile(r"[@~][\w.-]{1,64}")
_SYSTEM = re.compile(r"\$[A-Za-z][A-Za-z-]{1,39}")  # OData 4.01: $metadata, $count; FHIR operations: $everything
_CUSTOM_METHOD = re.compile(r"([^:]+):([A-Za-z][A-Za-z_]{2,39})")  # Google AIP-136: {id}:activate
_PREFIXED = re.compile(r"[A-Za-z]{2,8}_([A-Za-z0-9]{12,64})")
_KEYED = re.compile(r"([A-Za-z_]\w{0,63})\([^()]+\)")  # OData 4.01 URL conventions, section 4.3: Products(5)
_MARKS = ("@", "~", "+")
_LITERAL_HANDLES = frozenset({"@me", "@self", "@all", "~me", "@angular", "@types", "@vite"})
_LIST = re.compile(r"[\w.-]+(?:,[\w.-]+)+")
_HEX = re.compile(r"0x[0-9a-f]+|[0-9a-f]{7,}", re.IGNORECASE)
_CODE = re.compile(
    r"[A-Za-z]{1,12}[-_.]?\d{3,}|[A-Za-z0-9]{1,12}(?:[-_][A-Za-z0-9]{1,12})*[-_]\d{2,}|\d{2,}[-_.]?[A-Za-z]{1,6}"
    r"|\d+[-_.:]\d+(?:[-_.:]\d+)*|[A-Z]{1,5}-\d+"
)
_SLUG_WITH_NUMBER = re.compile(r"(?:[a-z]+-){2,}\d+|\d+-(?:[a-z0-9]+-)+[a-z0-9]+", re.IGNORECASE)
_MIXED = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9]{4,}")
_CHANGE = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")
_FILE = re.compile(r"(?P<stem>.+)\.(?P<ending>[A-Za-z][A-Za-z0-9]{0,4})")
_PART = re.compile(r"\{\w+\}")
_UNFIT = re.compile(r"[{}/<>\"'\\ |^`$*?#]")
_MIN_DIGITS = 3
_MAX_LITERAL = 96
_MIN_PART = 6
_MAX_VERSION, _MAX_VERSION_INDEX = 20, 4
_NUMBERS = ("{int}", "{number}")
_REMEMBERED = 65_536
_known: dict[str, str] = {}


def decoded(segment: str) -> str:
    """Percent-decoded; octets that are no UTF-8 become U+FFFD."""
    return unquote(segment) if "%" in segment else segment


def split_path(path: str) -> list[str]:
    """Normal segments of a raw path (see the module's text); percent-encoding is kept."""
    if ";" in path:
        path = "/".join(part.partition(";")[0] for part in path.split("/"))
    parts = [segment for segment in path.split("/") if segment]
    if "/." in path or "%2" in path or path.startswith("."):
        return _without_dots(parts)
    return parts


def _without_dots(parts: list[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        text = decoded(part)
        if text == "..":
            del kept[-1:]
        elif text != ".":
            kept.append(part)
    return kept


def is_placeholder(segment: str) -> bool:
    """Whether a template's segment stands for values."""
    return "{" in segment


def file_ending(segment: str) -> str:
    """Lower-case ending of a name of static content; '' for anything else."""
    stem, dot, ending = segment.rpartition(".")
    ending = ending.lower()
    return ending if dot and stem and ending in STATIC_EXTENSIONS else ""


def shape_path(segments: list[str]) -> list[str]:
    """Each segment typed, seeing the one before: a number after `api` is a version, `Jan` after a year a month."""
    shaped = [_known.get(segment) or typed(segment) for segment in segments]
    if "{int}" in shaped or "{number}" in shaped or "{date}" in shaped:
        for index in range(1, len(shaped)):
            if _is_dated_version(segments, shaped, index):
                shaped[index] = segments[index]
            elif shaped[index - 1] == "{int}" and segments[index].lower() in _MONTHS:
                shaped[index] = "{month}"
            elif shaped[index] in _NUMBERS and index < _MAX_VERSION_INDEX and index + 1 < len(shaped):
                text = segments[index]
                before = shaped[index - 1].lower() in _BEFORE_VERSION
                if before and _PLAIN_VERSION.fullmatch(text) and float(text) <= _MAX_VERSION:
                    shaped[index] = text
    return shaped


def _is_dated_version(segments: list[str], shaped: list[str], index: int) -> bool:
    if shaped[index] != "{date}" or not index < min(_MAX_VERSION_INDEX, len(shaped) - 1):
        return False
    return shaped[index - 1].lower() in _BEFORE_VERSION and _DATED_VERSION.fullmatch(segments[index]) is not None


def typed(segment: str) -> str:
    """The placeholder of an identifier, or the segment itself (percent-decoded when that is harmless)."""
    # Numbers hardly come twice, so remembering them costs more than looking at them.
    if segment.isdigit() and segment.isascii() and len(segment) <= 40:
        return "{int}"
    known = _known.get(segment)
    if known is None:
        known = _typed(segment)
        if len(segment) <= _MAX_LITERAL:
            if len(_known) >= _REMEMBERED:
                _known.clear()
            _known[segment] = known
    return known


def _typed(segment: str) -> str:
    text = decoded(segment)
    lower = text.lower()
    if lower in PATH_WORDS or lower in LITERAL_WITH_DIGITS or _VERSION.fullmatch(text):
        return text
    if len(text) > _MAX_LITERAL:
        return "{token}" if classify(text) in ("jwt", "token", "base64", "hash") else "{name}"
    if file_ending(text):
        return _static(text)
    if text[:1] in _MARKS and (placeholder := _marked(text)):
        return placeholder
    if text[:1] == "$" and _SYSTEM.fullmatch(text):
        return text
    if placeholder := _custom_method(text):
        return placeholder
    if text.endswith(")") and (key := _KEYED.fullmatch(text)):
        return f"{key.group(1)}({{id}})"
    if placeholder := _PLACEHOLDERS.get(classify(text)) or _file(text) or _written(text):
        return placeholder
    return "{name}" if not text.isprintable() or _UNFIT.search(text) or "\ufffd" in text else text


def _custom_method(text: str) -> str:
    """`{uuid}:activate` for an action on an identifier: the action is what the endpoint does."""
    match = _CUSTOM_METHOD.fullmatch(text)
    if match is None:
        return ""
    placeholder = typed(match.group(1))
    return f"{placeholder}:{match.group(2)}" if _PART.fullmatch(placeholder) else ""


def _file(text: str) -> str:
    """`{int}.json` for a file whose stem is an identifier."""
    match = _FILE.fullmatch(text)
    if match is None:
        return ""
    placeholder = typed(match.group("stem"))
    return f"{placeholder}.{match.group('ending')}" if _PART.fullmatch(placeholder) else ""


def _static(text: str) -> str:
    """`{name}.js` for static content whose name is an identifier or has one in it, such as a hash of its content."""
    stem, _, ending = text.rpartition(".")
    parts = [part for part in re.split(r"[-._]", stem) if len(part) >= _MIN_PART]
    random = is_placeholder(typed(stem)) or (len(parts) > 1 and any(is_placeholder(typed(part)) for part in parts))
    return f"{{name}}.{ending}" if random or _UNFIT.search(text) else text


def _marked(text: str) -> str:
    """What a first character tells: `+49…`, `@ann`, `~ann`."""
    if _PHONE.fullmatch(text):
        return "{phone}"
    return "{handle}" if _HANDLE.fullmatch(text) and text.lower() not in _LITERAL_HANDLES else ""


def _written(text: str) -> str:
    """Placeholder of shapes that people give to identifiers: `ORD-1234`, `my-post-12345`, `de-DE`."""
    if text in CURRENCIES:
        return "{currency}"
    if _LOCALE.fullmatch(text):
        return "{locale}"
    if "," in text:
        return "{list}" if _LIST.fullmatch(text) else ""
    if any(map(str.isdigit, text)) and (placeholder := _with_digits(text)):
        return placeholder
    if prefixed := _PREFIXED.fullmatch(text):  # `pi_TBJlmT…`: most have several digits, a few by chance one or none
        return "{token}" if is_placeholder(typed(prefixed.group(1))) else ""
    return "{token}" if is_gibberish(text) else ""


def _with_digits(text: str) -> str:
    if _PERIOD.fullmatch(text):
        return "{date}"
    if _SLUG_WITH_NUMBER.fullmatch(text):
        return "{slug}"
    if _HEX.fullmatch(text) or _CODE.fullmatch(text):
        return "{id}"
    if not _MIXED.fullmatch(text):
        return ""
    many = sum(map(str.isdigit, text)) >= _MIN_DIGITS and len(text) > 4
    return "{id}" if many or len(_CHANGE.findall(text)) >= 2 else ""
