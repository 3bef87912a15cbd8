"""Payment card numbers."""

from __future__ import annotations

import re

from stdnum import luhn

from gatewatch.observe.field_names import FieldName
from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["CreditCard"]

_CANDIDATE = re.compile(r"(?<![\w.+-])(?<!\d )(?:\d[ -]?){12,18}\d(?![\w-]|\.\d| \d{4})")
_GROUPED = re.compile(r"\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|\d{4}[ -]\d{6}[ -]\d{4,5}")
# Issuer ranges and lengths: ISO/IEC 7812 registry as published by the networks.
_RANGES = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"6(?:011|4[4-9]|5)"), (16, 17, 18, 19)),
    (re.compile(r"35(?:2[89]|[3-8]\d)"), (16, 17, 18, 19)),
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 15, 16, 17, 18, 19)),
    (re.compile(r"62"), (16, 17, 18, 19)),
    (re.compile(r"(?:50|5[6-9]|6[0-9])"), (13, 16, 18, 19)),
)
# Card in the languages of the countries whose national ids are known, so that one installation fits them all.
_FOR = FieldName(
    "payment",
    strong=("card", "pan", "ccnum", "ccnumber", "cardnumber", "creditcard", "cc", "karte", "kartennummer", "kreditkarte", "carte", "tarjeta",
            "carta", "cartao", "karta", "kaart", "kort", "primaryaccountnumber", "debitcard"),
)  # fmt: skip
_BARE = frozenset({("number",), ("no",), ("nr",), ("num",)})
_AGAINST = FieldName(
    "order", "invoice", "tracking", "shipment", "transaction", "reference", "ref", "timestamp", "time", "ts", "date", "at", "created",
    "updated", "id", "uuid", "phone", "mobile", "tel", "fax", "session", "trace", "span", "request", "hash", "sku", "ean", "gtin", "isbn",
    "imei", "serial", "parcel", "ordernumber", "trackingnumber", "serialnumber", "invoicenumber", "voucher", "batch", "coupon", "device", "ticket", "account", "customer", "version", "score", "lat", "lon", "size", "bytes", "count", "amount", "price", "iban", "barcode",
)  # fmt: skip
_CONTEXT = re.compile(
    r"\b(?:card|visa|master\s?card|amex|american express|maestro|discover|cvv|cvc|credit|debit|kreditkarte|karte|carte|tarjeta|carta)\b",
    re.IGNORECASE,
)


class CreditCard(Recognizer):
    """Luhn, issuer range and length, then context: one in ten random 16-digit numbers passes the first three."""

    meta = PatternMeta(
        id="credit_card",
        title="Payment card number",
        references=("ISO/IEC 7812", "lessons F2"),
        known_misses="Ungrouped numbers in fields named like identifiers.",
    )
    expressions = (rb"(^|[^\d.+])\d([ -]?\d){12,18}($|[^\d])",)

    def recognise(self, value: MatchValue) -> bool:
        """A card-like name or words around allow any form; an identifier's name none; otherwise grouping is needed."""
        for match in _CANDIDATE.finditer(value.text):
            digits = re.sub(r"\D", "", match.group())
            if not _issued(digits):
                continue
            label = value.label(match.start())
            words, own = label or value.words, label or value.own_words
            against = _AGAINST.fits(own)
            if _FOR.fits(words, strong=True) or (not against and (own in _BARE or _FOR.fits(words))):
                return True
            if against:
                continue
            alone = match.group() == value.text.strip()
            if _GROUPED.fullmatch(match.group()) or (not alone and _CONTEXT.search(value.text)):
                return True
        return False


def _issued(digits: str) -> bool:
    if len(set(digits)) == 1 or not luhn.is_valid(digits):
        return False
    return any(prefix.match(digits) and len(digits) in lengths for prefix, lengths in _RANGES)
