"""Expressions of server-side template engines."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["TemplateInjection"]

_F = re.IGNORECASE | re.DOTALL
_ARITHMETIC = r"\s*['\"]?-?\d{1,10}['\"]?\s*[*+\-/]\s*['\"]?-?\d{1,10}['\"]?\s*"
RULES = (
    Rule("arithmetic_probe", re.compile(rf"\{{\{{=?{_ARITHMETIC}\}}\}}|[$#@*]\{{{_ARITHMETIC}\}}|<%=?{_ARITHMETIC}%>|\[\[{_ARITHMETIC}\]\]|\{{{{\[?{_ARITHMETIC}", _F), 0.95),
    Rule("object_walk", re.compile(r"__(?:class|mro|subclasses|globals|builtins|init|import|base|bases|getitem)__", _F), 0.95),
    Rule("runtime_exec", re.compile(r"(?:getruntime\s*\(|processbuilder|java\.lang\.|freemarker\.template|\.getclass\(\)|class\.forname|t\(java\.|new\s+java\.)", _F), 0.9),
    Rule("engine_object", re.compile(r"\{[{%][^}]{0,80}\b(?:config|request|self|cycler|joiner|lipsum|url_for|get_flashed_messages|_self|app)\b\s*(?:\.|\[|\||\(|\}\})", _F), 0.75),
    Rule("engine_call", re.compile(r"(?:\{\{|\{%|\$\{|#\{|<%)[^}%]{0,80}(?:popen|system|exec|eval|require|import|constructor|passthru|file_get_contents|\.env)\s*[(.\[]?", _F), 0.85),
    Rule("block", re.compile(r"\{%\s*(?:for|if|set|import|include|debug|extends|macro)\b[^%]{0,80}%\}|<#assign\b|#set\s*\(\s*\$", _F), 0.65),
)  # fmt: skip


class TemplateInjection(Indicator):
    """Server-side template injection."""

    meta = PatternMeta(
        id="template_injection",
        title="Template injection",
        references=("CWE-1336", "OWASP WSTG-INPV-18"),
        known_misses="Plain `{{name}}` is what mail templates look like and stays quiet.",
    )
    expressions = (
        rb"\{\{",
        rb"\{%",
        rb"[$#@*]\{",
        rb"<%",
        rb"\[\[",
        rb"__(class|mro|subclasses|globals|builtins|init|import|base|bases|getitem)__",
        rb"(getruntime|processbuilder|java\.lang\.|freemarker\.template|\.getclass\(|class\.forname)",
        rb"<#assign",
        rb"#set\s{0,3}\(",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Arithmetic, object walks and code; a bare placeholder is none of these."""
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        return None
