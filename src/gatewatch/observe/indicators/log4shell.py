"""JNDI lookups, plain and nested."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, redacted

__all__ = ["Log4shell"]

_LOOKUP = re.compile(r"\$\{([^${}]{0,80})\}")
_JNDI = re.compile(r"\$\{\s*jndi\s*:\s*(?:ldaps?|rmi|dns|nis|iiop|corba|nds|https?)?", re.IGNORECASE)
_ROUNDS = 12
_CERTAIN = 0.98


class Log4shell(Indicator):
    """Log4Shell."""

    meta = PatternMeta(
        id="log4shell",
        title="Log4Shell lookup",
        references=("CVE-2021-44228", "CWE-917"),
        known_misses="Lookups of environment variables whose value would complete the word.",
    )
    expressions = (rb"\$\{[^}]{0,40}\$\{", rb"\$\{\s{0,3}jndi", rb"\$\{[^{}]{0,40}:-?'?[jndi]{1,4}'?\}")

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Inner lookups are resolved to their default value until `${jndi:` stands there."""
        text = value.text
        for _ in range(_ROUNDS):
            if match := _JNDI.search(text):
                return _CERTAIN, "jndi_lookup", redacted(text, match.start(), match.end())
            simpler = _LOOKUP.sub(_value, text)
            if simpler == text:
                return None
            text = simpler
        return None


def _value(lookup: re.Match[str]) -> str:
    """What an inner lookup gives: its default after `:-`, else its last part, as `lower` and `date` give it."""
    inner = lookup.group(1)
    _, default, value = inner.partition(":-")
    return value if default else inner.rpartition(":")[2].strip("'")
