"""Markup that runs script."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest, without_code

__all__ = ["Xss"]

_F = re.IGNORECASE | re.DOTALL
_EVENTS = r"on(?:error|load|click|mouse\w+|focus\w*|blur|toggle|start|begin|end|animation\w+|transition\w+|pointer\w+|key\w+|input|change|submit|wheel|scroll\w*|drag\w*|copy|cut|paste|resize|hashchange|message|pageshow|show|play\w*|canplay|before\w+|after\w+)"
RULES = (
    Rule("script_tag", re.compile(r"<\s*/?\s*script\b[^>]{0,200}>?", _F), 0.9),
    Rule("event_handler", re.compile(rf"<\s*[a-z!/?][^>]{{0,200}}[\s/'\"]{_EVENTS}\s*=(?!\s*\{{)", _F), 0.95),
    Rule("attribute_break", re.compile(rf"['\"]\s*/?>?\s*{_EVENTS}\s*=\s*['\"]?[a-z(`]", _F), 0.85, True),
    Rule("script_url", re.compile(r"(?:href|src|action|formaction|data|xlink:href|to|value)\s*=\s*['\"]?\s*(?:javascript|vbscript|data:text/html)\s*:?", _F), 0.9),
    Rule("bare_script_url", re.compile(r"(?:^\s*|/)(?:javascript|vbscript)\s*:\s*(?:[\w$.\[\]'\"]{0,60}[(`=]|/[/*]|%|void\b)", _F), 0.8),
    Rule("active_tag", re.compile(r"<\s*(?:(?:iframe|embed|object|applet|frame|portal)\b[^>]{0,200}(?:src|data|srcdoc|code)\s*=(?!\s*['\"]?\s*(?:https://|/[^/]|[\w-]+/))|base\b[^>]{0,200}href\s*=|meta\b[^>]{0,200}http-equiv\s*=|(?:svg|math)\b[^>]{0,200}(?:onload|href)\s*=|link\b[^>]{0,200}import\b)", _F), 0.75),
    Rule("tag_break", re.compile(r"['\"]\s*/?>\s*<\s*(?:script|img|svg|iframe|body|a|b|h1|marquee|details|input|video|audio)\b", _F), 0.85, True),
    Rule("style_script", re.compile(r"@import\s*['\"(]?\s*(?:url\()?['\"]?\s*(?:javascript|data):|expression\s*\(\s*(?:alert|eval|document)|-moz-binding\s*:", _F), 0.85),
    Rule("data_page", re.compile(r"data:text/html[^,]{0,40},\s*(?:<|%3c|[a-z0-9+/]{16,})", _F), 0.9),
    # Out of a string of the page's own script: a quote, an operator, a call.
    Rule("string_break", re.compile(r"(?:^|['\"`)\]}])\s*[-+*;,|&]{1,2}\s*(?:top|self|window|parent)?\W{0,2}(?:alert|prompt|confirm|eval|settimeout|fetch|import)\W{0,3}[(`]", _F), 0.8),
    Rule("dom_call", re.compile(r"^\s*(?:alert|prompt|confirm|eval)\s*[(`]\s*(?:['\"\d`]|document\.|string\.fromcharcode|atob\(|location)|[=+(,]\s*document\.cookie\b|string\.fromcharcode\s*\(\s*\d", _F), 0.6),
)  # fmt: skip


class Xss(Indicator):
    """Cross-site scripting."""

    meta = PatternMeta(
        id="xss",
        title="Cross-site scripting",
        references=("CWE-79", "OWASP WSTG-INPV-01"),
        known_misses="Payloads for one framework's own template syntax are reported as template injection.",
    )
    expressions = (
        rb"<\s{0,3}/?\s{0,3}script",
        rb"[\s/'\"]on[a-z]{3,20}\s{0,3}=",
        rb"(javascript|vbscript)\s{0,3}:",
        rb"data:text/html",
        rb"<\s{0,3}(iframe|embed|object|applet|base|meta|link|svg|math|template|form)\b",
        rb"['\"]\s{0,3}/?>\s{0,3}<",
        rb"(alert|prompt|confirm|eval|settimeout|setinterval|fromcharcode)\s{0,3}[(`]",
        rb"document\.(cookie|write|location)",
        rb"(@import|-moz-binding|expression\s{0,3}\()",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Running script must be possible where the value would stand as markup."""
        text = without_code(value.text, running_text=2)
        if found := strongest(RULES, text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(text, start, end)
        return None
