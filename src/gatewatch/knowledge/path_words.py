"""Words that API designers put into paths. A weak prior: it can keep a segment literal, never make one a parameter."""

from __future__ import annotations

from gatewatch.knowledge.word_lists import words

__all__ = [
    "COUNTRIES",
    "CURRENCIES",
    "LANGUAGES",
    "LITERAL_WITH_DIGITS",
    "PATH_FIXTURES",
    "PATH_VERBS",
    "PATH_WORDS",
    "STATIC_EXTENSIONS",
]

PATH_WORDS = words("path_words")
"""Common nouns and verbs of public REST APIs' paths."""
LITERAL_WITH_DIGITS = words("literals_with_digits")
"""Names that hold digits and are still names."""
STATIC_EXTENSIONS = words("static_extensions")
"""File name endings of static content."""
PATH_VERBS = words("path_verbs")
"""Imperatives that name an action; alone or leading a name (`get-preference`, `createUser`) they make it one."""
PATH_FIXTURES = words("path_fixtures")
"""Routes that stand beside a parameter (`/users/me`): never one of its values."""
CURRENCIES = words("currencies")
"""ISO 4217 codes, without those that are English words."""
LANGUAGES = words("languages")
"""ISO 639-1 codes."""
COUNTRIES = words("countries")
"""ISO 3166-1 alpha-2 codes, lower case."""
