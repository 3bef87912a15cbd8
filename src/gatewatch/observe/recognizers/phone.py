"""Telephone numbers."""

from __future__ import annotations

import re

import phonenumbers

from gatewatch.observe.field_names import FieldName
from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["Phone"]

_INTERNATIONAL = re.compile(r"(?<![\w+])(?:\+|00)[1-9][\d ().\-/]{6,20}\d(?!\w)")
_NATIONAL = re.compile(r"(?<![\w.+-])\(?0?\d[\d ().\-/]{5,18}\d(?!\w)")
_FOR = FieldName(
    "phone",
    "mobile",
    "tel",
    "telephone",
    "cell",
    "msisdn",
    "fax",
    "whatsapp",
    "sms",
    "telefon",
    "handy",
    "portable",
    "contact",
    "cellphone",
    "mobilephone",
    "homephone",
    "workphone",
    "phonenumber",
    "faxnumber",
    "movil",
    "celular",
    "mobil",
    "telefone",
    "telefono",
    "cellulare",
    "telefonnummer",
    "handynummer",
    "rufnummer",
    "telefoon",
    "komorka",
)
_LABELLED = re.compile(r"\w\"?'?\s{0,3}[:=]\s{0,3}[\"'(]?[(\d]")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "AU", "PL", "JP", "CN")
_GROUPED = re.compile(r"\(\d{2,5}\)\s?\d|\d{2,5}[ .\-/]\d{2,}[ .\-/]?\d*")


class Phone(Recognizer):
    """International form alone is accepted when the numbering plan allows it; national forms need the field's name."""

    meta = PatternMeta(
        id="phone",
        title="Telephone number",
        references=("ITU-T E.164",),
        known_misses="National numbers in fields with other names.",
    )
    expressions = (rb"\+[1-9][\d ().-]{6}", rb"(^|[^\w.+-])\(?0?\d[\d ().\-/]{5,18}\d")

    def recognise(self, value: MatchValue) -> bool:
        """Validity comes from the numbering plans in `phonenumbers`."""
        for match in _INTERNATIONAL.finditer(value.text):
            text = match.group()
            spoken_for = text.startswith("+") or _is_phone(value, match)
            if spoken_for and _valid("+" + re.sub(r"\D", "", text.removeprefix("00")), None):
                return True
        if not _FOR.fits(value.words) and not _LABELLED.search(value.text):
            return False
        return any(
            _valid(match.group(), region)
            for match in _NATIONAL.finditer(value.text)
            if _is_phone(value, match)
            for region in _REGIONS
        )


def _is_phone(value: MatchValue, match: re.Match[str]) -> bool:
    return _FOR.fits(value.words) or _FOR.fits(value.label(match.start()))


def _valid(text: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, region))
    except phonenumbers.NumberParseException:
        return False
