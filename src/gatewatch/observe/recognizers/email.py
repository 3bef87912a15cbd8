"""E-mail addresses."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import MatchValue, PatternMeta, Recognizer

__all__ = ["Email"]

_CANDIDATE = re.compile(
    r"(?:(?<=mailto:)|(?<![\w.+/:@-]))[A-Za-z0-9](?:[\w.+%'-]{0,62}[\w+%-])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24})(?![\w@-])"
)
_NOT_DOMAINS = frozenset(
    {
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "js",
        "css",
        "html",
        "json",
        "py",
        "ts",
        "local",
        "internal",
        "md",
        "txt",
    }
)


class Email(Recognizer):
    """A local part, an at sign and a domain with a plausible ending."""

    meta = PatternMeta(
        id="email",
        title="E-mail address",
        references=("RFC 5321",),
        known_misses="Internationalised domains in native script.",
    )
    expressions = (rb"[\w%+-]@[a-z0-9-]+\.[a-z]{2}",)

    def recognise(self, value: MatchValue) -> bool:
        """`image@2x.png`, package versions and SSH remotes are none."""
        return any(
            match.group(1).lower() not in _NOT_DOMAINS and ".." not in match.group()
            for match in _CANDIDATE.finditer(value.text)
        )
