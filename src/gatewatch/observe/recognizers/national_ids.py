"""National identification numbers: checksum by python-stdnum, and for weak checksums the field's name or words around."""

from __future__ import annotations

import re
from types import ModuleType
from typing import ClassVar

from stdnum.br import cpf
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import ssn

from gatewatch.observe.field_names import FieldName
from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["BrCpf", "DeTaxId", "EsDni", "FrNir", "GbNhs", "GbNino", "ItCodiceFiscale", "NlBsn", "PlPesel", "UsSsn"]

_SEPARATORS = str.maketrans("", "", " -./")
# A number of a thing, not of a person, whatever form it is written in.
_THINGS = FieldName(
    "order", "invoice", "sku", "article", "part", "item", "product", "serial", "tracking", "ticket", "case", "ref", "reference", "batch",
    "lot", "shelf", "build", "version", "rechnung", "factura", "facture", "fattura", "shipment", "parcel", "contract", "policy", "document",
)  # fmt: skip
_ANY_ID = (
    "national",
    "nationalid",
    "nationalidentifier",
    "identity",
    "personalid",
    "citizen",
    "taxid",
    "tin",
    "taxpayer",
    "idnumber",
    "government",
)


class _Numbered(Recognizer):
    """A checksummed number that chance would often hit: it needs a name or words that speak for it."""

    modules: ClassVar[tuple[ModuleType, ...]]
    pattern: ClassVar[re.Pattern[str]]
    names: ClassVar[FieldName]
    words: ClassVar[re.Pattern[str]]
    telling: ClassVar[re.Pattern[str] | None] = None
    """A written form so particular that it needs no context."""

    def recognise(self, value: MatchValue) -> bool:
        """Checksum, then context."""
        valid = [match for match in self.pattern.finditer(value.text) if self._checks(match.group())]
        if not valid:
            return False
        if self.names.fits(value.words) or self.words.search(value.text):
            return True
        return any(self._labelled(value, match) for match in valid)

    def _checks(self, text: str) -> bool:
        number = text.translate(_SEPARATORS)
        return any(module.is_valid(number) for module in self.modules)

    def _labelled(self, value: MatchValue, match: re.Match[str]) -> bool:
        label = value.label(match.start())
        if self.names.fits(label):
            return True
        if self.telling is None or _THINGS.fits(label or value.own_words):
            return False
        return self.telling.fullmatch(match.group()) is not None


class UsSsn(_Numbered):
    """United States social security number; it has no checksum, so the written form or the name must speak."""

    meta = PatternMeta(id="us_ssn", title="US social security number", references=("SSA: SSN randomisation",))
    expressions = (rb"(^|[^\w-])\d{3}[- ]?\d{2}[- ]?\d{4}($|[^\w-])",)
    modules = (ssn,)
    pattern = re.compile(r"(?<![\w-])\d{3}[- ]?\d{2}[- ]?\d{4}(?![\w-])")
    names = FieldName("ssn", "socialsecurity", "social", "socialsecuritynumber", *_ANY_ID)
    words = re.compile(r"\b(?:ssn|social security)\b", re.IGNORECASE)
    telling = re.compile(r"\d{3}-\d{2}-\d{4}")


class GbNhs(_Numbered):
    """British NHS number."""

    meta = PatternMeta(id="gb_nhs", title="UK NHS number", references=("NHS data dictionary",))
    expressions = (rb"(^|[^\w-])\d{3}[ -]?\d{3}[ -]?\d{4}($|[^\w-])",)
    modules = (nhs,)
    pattern = re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])")
    names = FieldName("nhs", "nhsnumber", "nhsno", "patient")
    words = re.compile(r"\bnhs\b", re.IGNORECASE)


class GbNino(Recognizer):
    """British national insurance number: its letters are particular enough."""

    meta = PatternMeta(id="gb_nino", title="UK national insurance number", references=("HMRC NIM39110",))
    expressions = (rb"\b[a-ceghj-prstw-z][a-ceghj-nprstw-z] ?\d{2} ?\d{2} ?\d{2} ?[a-d]\b",)
    _pattern = re.compile(
        r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"
    )
    _names = FieldName("nino", "nationalinsurance", "insurance", "ni", "nin", "nationalinsurancenumber", *_ANY_ID)

    def recognise(self, value: MatchValue) -> bool:
        """Spaced form or a telling name; eight characters and a letter also look like other codes."""
        return any(
            " " in match.group() or self._names.fits(value.words) or self._names.fits(value.label(match.start()))
            for match in self._pattern.finditer(value.text)
        )


class DeTaxId(_Numbered):
    """German tax identification number."""

    meta = PatternMeta(id="de_tax_id", title="German tax identification number", references=("§ 139b AO",))
    expressions = (rb"(^|[^\w-])\d{2} ?\d{3} ?\d{3} ?\d{3}($|[^\w-])",)
    modules = (idnr,)
    pattern = re.compile(r"(?<![\w-])\d{2} ?\d{3} ?\d{3} ?\d{3}(?![\w-])")
    names = FieldName("steuerid", "steuer", "idnr", "taxid", "steueridentifikationsnummer", "tin", *_ANY_ID)
    words = re.compile(r"\b(?:steuer-?id(?:entifikationsnummer|nr)?|tax id)\b", re.IGNORECASE)
    telling = re.compile(r"\d{2} \d{3} \d{3} \d{3}")


class FrNir(_Numbered):
    """French social security number (two check digits)."""

    meta = PatternMeta(id="fr_nir", title="French social security number", references=("INSEE: NIR",))
    expressions = (rb"(^|[^\w-])[12] ?\d{2} ?\d{2} ?\d[\dab] ?\d{3} ?\d{3} ?\d{2}($|[^\w-])",)
    modules = (nir,)
    pattern = re.compile(r"(?<![\w-])[12] ?\d{2} ?\d{2} ?\d[\dABab] ?\d{3} ?\d{3} ?\d{2}(?![\w-])")
    names = FieldName(
        "nir", "insee", "securitesociale", "secu", "numerosecuritesociale", "numsecu", "social", "ssn", *_ANY_ID
    )
    words = re.compile(r"\b(?:nir|insee|s[ée]curit[ée] sociale)\b", re.IGNORECASE)
    telling = re.compile(r"[12] \d{2} \d{2} \d[\dABab] \d{3} \d{3} \d{2}")


class EsDni(_Numbered):
    """Spanish DNI and NIE: the check letter is one of 23, the form is particular."""

    meta = PatternMeta(id="es_dni", title="Spanish DNI or NIE", references=("Real Decreto 1553/2005",))
    expressions = (rb"\b[xyz\d]\d{7}-?[a-z]\b",)
    modules = (dni, nie)
    pattern = re.compile(r"(?<![\w-])(?:\d{8}|[XYZxyz]\d{7})-?[A-Za-z](?![\w-])")
    names = FieldName("dni", "nie", "nif", "documento", "identidad", "numerodocumento", *_ANY_ID)
    words = re.compile(r"\b(?:dni|nie|nif)\b", re.IGNORECASE)


class ItCodiceFiscale(_Numbered):
    """Italian fiscal code: sixteen characters with a check letter need no context."""

    meta = PatternMeta(id="it_codice_fiscale", title="Italian fiscal code", references=("DM 12/03/1974",))
    expressions = (rb"\b[a-z]{6}[\dlmnp-v]{2}[a-ehlmprst][\dlmnp-v]{2}[a-z][\dlmnp-v]{3}[a-z]\b",)
    modules = (codicefiscale,)
    pattern = re.compile(
        r"(?<!\w)[A-Za-z]{6}[\dLMNP-V]{2}[A-Ea-eHLMPRSThlmprst][\dLMNP-V]{2}[A-Za-z][\dLMNP-V]{3}[A-Za-z](?!\w)"
    )
    names = FieldName("codicefiscale", "fiscale", "cf", "taxcode")
    words = re.compile(r"\bcodice fiscale\b", re.IGNORECASE)
    telling = re.compile(r".{16}")


class NlBsn(_Numbered):
    """Dutch citizen service number: one in eleven random numbers passes."""

    meta = PatternMeta(id="nl_bsn", title="Dutch BSN", references=("RvIG: BSN",))
    expressions = (rb"(^|[^\w-])\d{4}\.?\d{2}\.?\d{3}($|[^\w-])",)
    modules = (bsn,)
    pattern = re.compile(r"(?<![\w-])\d{4}\.?\d{2}\.?\d{3}(?![\w-])")
    names = FieldName("bsn", "burgerservicenummer", "sofinummer", "burger", *_ANY_ID)
    words = re.compile(r"\b(?:bsn|burgerservicenummer)\b", re.IGNORECASE)


class PlPesel(_Numbered):
    """Polish PESEL: a birth date and one check digit."""

    meta = PatternMeta(id="pl_pesel", title="Polish PESEL", references=("Ustawa o ewidencji ludności",))
    expressions = (rb"(^|[^\w-])\d{11}($|[^\w-])",)
    modules = (pesel,)
    pattern = re.compile(r"(?<![\w-])\d{11}(?![\w-])")
    names = FieldName("pesel", *_ANY_ID)
    words = re.compile(r"\bpesel\b", re.IGNORECASE)


class BrCpf(_Numbered):
    """Brazilian CPF: two check digits; its dotted form needs no context."""

    meta = PatternMeta(id="br_cpf", title="Brazilian CPF", references=("Receita Federal: CPF",))
    expressions = (rb"(^|[^\w-])\d{3}\.?\d{3}\.?\d{3}-?\d{2}($|[^\w-])",)
    modules = (cpf,)
    pattern = re.compile(r"(?<![\w-])\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?![\w-])")
    names = FieldName("cpf", "documento", "taxpayer", *_ANY_ID)
    words = re.compile(r"\bcpf\b", re.IGNORECASE)
    telling = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d{2}")
