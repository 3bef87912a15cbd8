"""User agents that are attack tools, or that carry an attack themselves."""

from __future__ import annotations

import re

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observation import Location
from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest
from gatewatch.observe.user_agents import attack_tool

__all__ = ["SuspiciousUserAgent"]

RULES = (
    Rule("script_url", re.compile(r"(?:javascript|vbscript)\s*:", re.IGNORECASE), 0.95),
    Rule("shellshock", re.compile(r"\(\s*\)\s*\{", re.IGNORECASE), 0.98),
    Rule("lookup", re.compile(r"\$\{\s*\w*\s*[:$]", re.IGNORECASE), 0.95),
    Rule("markup", re.compile(r"<\s*(?:script|img|svg|iframe|\?php)", re.IGNORECASE), 0.95),
    Rule("php_object", re.compile(r"[oc]:\d+:\"\w+\":\d+:\{", re.IGNORECASE), 0.95),
    Rule("sql", re.compile(r"'\s*(?:or|and)\s+[\d'(]|union\s+(?:all\s+)?select|(?:pg_)?sleep\s*\(|waitfor\s+delay", re.IGNORECASE), 0.95),
    Rule("shell", re.compile(r"/bin/(?:ba)?sh|/etc/passwd|\b(?:wget|curl)\s+(?:-\w+\s+)*https?://|\bchmod\s+[+\d]", re.IGNORECASE), 0.95),
)  # fmt: skip
_TOOL = 0.95


class SuspiciousUserAgent(Indicator):
    """Suspicious user agent. Microsoft's test value `javascript:` fires (reference/microsoft.md 1.1)."""

    meta = PatternMeta(
        id="suspicious_user_agent",
        title="Suspicious user agent",
        references=("CAPEC-541", "MITRE ATT&CK T1595"),
        known_misses="Tools that pretend to be a browser. curl, python-requests and other honest libraries are not suspicious.",
    )
    expressions = (
        *(word.encode() for word in sorted(words("attack_tools"))),
        rb"(javascript|vbscript)\s{0,3}:",
        rb"\(\s{0,3}\)\s{0,3}\{",
        rb"\$\{",
        rb"<\s{0,3}(script|img|svg|iframe|\?php)",
        rb"[oc]:\d{1,4}:\"",
        rb"'\s{0,3}(or|and)\s|union\s|sleep\s{0,3}\(|waitfor\s",
        rb"/bin/(ba)?sh|/etc/passwd|(wget|curl)\s{1,3}(-|http)|chmod\s",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Looks at the User-Agent header only."""
        if value.location is not Location.REQUEST_HEADER or value.name != "user-agent":
            return None
        if tool := attack_tool(value.text):
            return _TOOL, f"tool:{tool}", tool
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        return None
