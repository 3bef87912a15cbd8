"""What keys with a prefix of their maker's have in common."""

from __future__ import annotations

import re
from typing import ClassVar

from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer
from gatewatch.observe.value_types import shannon_entropy

__all__ = ["PrefixedKey"]

_RANDOM_BITS = 3.0


class PrefixedKey(Recognizer):
    """A fixed prefix, a fixed alphabet, and randomness."""

    pattern: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls, *, key: str, title: str, source: str) -> None:
        """`key` is the information type; `source` says where its maker describes it."""
        super().__init_subclass__()
        cls.meta = PatternMeta(id=key, title=title, references=(source,))

    def recognise(self, value: MatchValue) -> bool:
        """Documentation placeholders such as `AKIAAAAAAAAAAAAAAAAA` have no entropy."""
        return any(shannon_entropy(match.group()) > _RANDOM_BITS for match in self.pattern.finditer(value.text))
