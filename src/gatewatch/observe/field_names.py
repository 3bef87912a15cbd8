"""Field names as words, so that `userCreditCardNo`, `credit_card_no` and `cards[].number` can be compared."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["FieldName", "field_name"]

_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_MIN_PLURAL = 4
_MIN_JOINED = 6
_TAIL = 3


@lru_cache(maxsize=16_384)
def field_name(path: str) -> tuple[str, ...]:
    """Lower-case words of a dotted path, outermost first; plural endings dropped."""
    return tuple(_singular(part.lower()) for part in _PARTS.findall(path))


def _singular(word: str) -> str:
    return word[:-1] if len(word) >= _MIN_PLURAL and word.endswith("s") and not word.endswith("ss") else word


class FieldName:
    """A set of words; only the last three words of a path count."""

    def __init__(self, *words: str, strong: tuple[str, ...] = ()) -> None:
        """Lower-case words without plural ending; `strong` ones decide against other words of the same name."""
        self._words = frozenset((*strong, *words))
        self._strong = frozenset(strong)
        # Shorter words would match inside others by accident.
        self._joined = tuple(word for word in (*strong, *words) if len(word) >= _MIN_JOINED)

    def fits(self, words: tuple[str, ...], *, strong: bool = False) -> bool:
        """Whether one of the last three words, or these words joined, is in the set."""
        wanted = self._strong if strong else self._words
        tail = words[-_TAIL:]
        if any(word in wanted for word in tail) or any("".join(tail[i:]) in wanted for i in range(len(tail))):
            return True
        joined = "".join(tail)
        return any(word in joined for word in self._joined if word in wanted)
