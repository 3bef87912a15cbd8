"""Climbing out of a folder, or naming a system file."""

from __future__ import annotations

import re

from gatewatch.model.observation import Location
from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["PathTraversal"]

_F = re.IGNORECASE
RULES = (
    Rule("system_file", re.compile(r"(?:^|[/\\=:\s])(?:etc[/\\]+(?:passwd|shadow|hosts|group|issue|crontab|sudoers|ssh[/\\])|proc[/\\](?:self|\d+|version)(?:[/\\]|$)|windows[/\\](?:win\.ini|system32|system\.ini)|winnt[/\\]|boot\.ini|web-inf[/\\]web\.xml|\.ssh[/\\]id_rsa|root[/\\]\.(?:bash|ssh)|var[/\\]log[/\\](?:auth|secure|syslog|messages|apache2?|httpd|nginx)\b)", _F), 0.9),
    Rule("deep_climb", re.compile(r"(?<![\s'\"(`])(?:\.{2,}[/\\]+){3,}", _F), 0.9),
    Rule("climb_and_file", re.compile(r"(?:\.{2,}[/\\]+){1,}(?:etc|windows|winnt|proc|var|boot|root|home|usr|web-inf|\.env|\.git|\.ssh|config|wp-config|secrets?|credentials?)\b", _F), 0.9),
    Rule("filtered_climb", re.compile(r"(?:\.{4}//|\.\.;/|\.\.\\\.\.\\|\.\./\./\.\./|\.{2,3}/\./\.{2,3}/)", _F), 0.85),
    Rule("climb", re.compile(r"(?:\.\.[/\\]){2}", _F), 0.45),
    Rule("share_of_an_address", re.compile(r"^\\\\(?:\d{1,3}\.){3}\d{1,3}\\", _F), 0.7),
    Rule("file_url", re.compile(r"^(?:(?:file|php|phar|zip|expect|jar):(?://|[a-z]+/)|data://)|/(?:php|phar|zip|expect|jar)://", _F), 0.6),
)  # fmt: skip
_RAW_CLIMB = re.compile(r"%2e%2e|%252e|%c0%ae|\.\.%2f|\.\.%5c|%2e\.", re.IGNORECASE)
_IN_PATH = 0.1
_LEAST = 0.5
"""Two steps up alone are how source code names its neighbours."""


class PathTraversal(Indicator):
    """Path traversal."""

    meta = PatternMeta(
        id="path_traversal",
        title="Path traversal",
        references=("CWE-22", "OWASP WSTG-ATHZ-01"),
        known_misses="A single `../` without a telling file name.",
    )
    expressions = (
        rb"\.\.[/\\;]",
        rb"etc[/\\](passwd|shadow|hosts|group|issue|crontab|ssh|nginx)",
        rb"proc[/\\](self|version|\d)",
        rb"win(dows|nt)[/\\]",
        rb"(boot|win)\.ini",
        rb"web-inf[/\\]",
        rb"\.ssh[/\\]",
        rb"\.{4}//",
        rb"\.{2,3}/\./\.",
        rb"\\\\\d{1,3}\.\d{1,3}\.",
        rb"(file|php|phar|zip|expect|jar):(//|[a-z]{1,12}/)",
        rb"var[/\\]log[/\\]",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """More certain when the climb was disguised by encoding or stands in the path itself."""
        found = strongest(RULES, value.text)
        if found is None:
            disguised = _RAW_CLIMB.search(value.raw) and ".." in value.text
            return (0.7, "encoded_climb", redacted(value.text)) if disguised else None
        rule, start, end = found
        more = _IN_PATH if value.location is Location.REQUEST_PATH or _RAW_CLIMB.search(value.raw) else 0.0
        confidence = min(0.99, rule.confidence + more)
        return (confidence, rule.id, redacted(value.text, start, end)) if confidence >= _LEAST else None
