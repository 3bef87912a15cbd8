"""External entities in XML."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["Xxe"]

_F = re.IGNORECASE | re.DOTALL
RULES = (
    Rule("external_entity", re.compile(r"<!\s*ENTITY\s+(?:%\s*)?[\w.:-]{1,64}\s+(?:SYSTEM|PUBLIC)\b", _F), 0.97),
    Rule("parameter_entity", re.compile(r"<!\s*ENTITY\s+%\s*[\w.:-]{1,64}", _F), 0.9),
    Rule("external_dtd", re.compile(r"<!\s*DOCTYPE\s+[\w.:-]{1,64}\s+(?:(?:SYSTEM|PUBLIC\s+['\"](?!-//(?:W3C|IETF|OASIS|WAPFORUM|Apple)//)[^'\"]{0,200}['\"])\s+['\"](?:https?|file|ftp|gopher|expect|php)|\[\s*<!\s*(?:ENTITY|ELEMENT))", _F), 0.9),
    Rule("entity_bomb", re.compile(r"(?:<!\s*ENTITY[^>]{1,200}(?:&[\w.:-]{1,64};){3,})", _F), 0.95),
    Rule("xinclude", re.compile(r"<\s*(?:xi|xinclude):include\b[^>]{0,200}href", _F), 0.9),
)  # fmt: skip


class Xxe(Indicator):
    """XML external entities."""

    meta = PatternMeta(
        id="xxe",
        title="XML external entity",
        references=("CWE-611", "OWASP WSTG-INPV-07"),
        known_misses="Entities inside binary office documents.",
    )
    expressions = (rb"<!\s{0,3}ENTITY", rb"<!\s{0,3}DOCTYPE\s", rb"<\s{0,3}(xi|xinclude):include")

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """A plain DOCTYPE of XHTML is none."""
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        return None
