"""International bank account numbers."""

from __future__ import annotations

import re

from stdnum import iban

from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["Iban"]

_CANDIDATE = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![A-Za-z0-9])", re.IGNORECASE)


class Iban(Recognizer):
    """Country length and structure, mod 97."""

    meta = PatternMeta(id="iban", title="IBAN", references=("ISO 13616",), known_misses="Broken over two fields.")
    expressions = (rb"\b[a-z]{2}\d{2}([ -]?[a-z0-9]){11,30}",)

    def recognise(self, value: MatchValue) -> bool:
        """The check digits decide; chance passes one in 97 of right length and country."""
        return any(_valid(match.group()) for match in _CANDIDATE.finditer(value.text))


def _valid(text: str) -> bool:
    compact = re.sub(r"[ -]", "", text).upper()
    # Words that follow the number in running text may have been swallowed: try the country's own length.
    return (
        any(iban.is_valid(compact[:size]) for size in range(min(34, len(compact)), 14, -1))
        if " " in text
        else iban.is_valid(compact)
    )
