"""Words that API designers put into paths. A weak prior: it can keep a segment literal, never make one a parameter."""

from __future__ import annotations

from gatewatch.knowledge.word_lists import words

__all__ = ["LITERAL_WITH_DIGITS", "PATH_WORDS", "STATIC_EXTENSIONS"]

PATH_WORDS = words("path_words")
"""Common nouns and verbs of public REST APIs' paths."""
LITERAL_WITH_DIGITS = words("literals_with_digits")
"""Names that hold digits and are still names."""
STATIC_EXTENSIONS = words("static_extensions")
"""File name endings of static content."""
