"""Expressions of server-side template engines."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest, without_code

__all__ = ["TemplateInjection"]

_F = re.IGNORECASE | re.DOTALL
_ARITHMETIC = r"\s*['\"]?-?\d{1,10}['\"]?\s*[*+\-/]\s*['\"]?-?\d{1,10}['\"]?\s*"
RULES = (
    Rule("arithmetic_probe", re.compile(rf"\{{\{{=?{_ARITHMETIC}\}}\}}|[$#@*]\{{{_ARITHMETIC}\}}|<%=?{_ARITHMETIC}%>|\[\[{_ARITHMETIC}\]\]|\{{{{\[?{_ARITHMETIC}", _F), 0.95),
    Rule("razor_arithmetic", re.compile(r"@\(\s*\d+\s*[*+\-/]\s*\d+(?:\s*[*+\-/]\s*\d+)*\s*\)", _F), 0.8),
    Rule("filter_call", re.compile(r"\|\s*(?:filter|map|sort|reduce)\s*\(\s*['\"](?:system|exec|passthru|shell_exec|popen|assert)['\"]", _F), 0.95),
    Rule("ognl", re.compile(r"#_memberaccess|@ognl\.\w+@|@java\.lang\.\w+@|#context\[|#parameters\.", _F), 0.95),
    Rule("object_walk", re.compile(r"__(?:class|mro|subclasses|globals|builtins|init|import|base|bases|getitem)__", _F), 0.95),
    Rule("runtime_exec", re.compile(r"(?:getruntime\s*\(|processbuilder|java\.lang\.|freemarker\.template|\.getclass\(\)|class\.forname|t\(java\.|new\s+java\.)", _F), 0.9),
    Rule("engine_object", re.compile(r"\{[{%][^}]{0,80}\b(?:config\s*(?:\}\}|\[|\.\s*(?:items|from_|__|root_path|secret))|self\s*(?:\.\s*_|\[)|_self\b|(?:cycler|joiner|lipsum|namespace|url_for|get_flashed_messages)\s*(?:\.\s*_|\[)|(?:request|app)\s*(?:\.\s*(?:application|environ|args|cookies|files|server|getclass|__\w+|request\.server)|\[|\|\s*attr))", _F), 0.75),
    Rule("engine_call", re.compile(r"(?:\{\{|\{%|\$\{|#\{|<%)[^}%]{0,80}(?:popen|system|exec|eval|require|import|constructor|passthru|file_get_contents|\.env)\s*[(.\[]?", _F), 0.85),
    Rule("block", re.compile(r"\{%\s*(?:(?:import|include|debug|extends|from)\b[^%]{0,80}|(?:for|if|set|with)\b[^%]{0,80}(?:__|\(\)\.)[^%]{0,80})%\}|<#assign\b|#set\s*\(\s*\$|\{php\}", _F), 0.65),
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
        rb"@\(\s{0,3}\d",
        rb"\{php\}",
        rb"(#_memberaccess|@java\.lang\.|@ognl\.)",
        rb"__(class|mro|subclasses|globals|builtins|init|import|base|bases|getitem)__",
        rb"(getruntime|processbuilder|java\.lang\.|freemarker\.template|\.getclass\(|class\.forname)",
        rb"<#assign",
        rb"#set\s{0,3}\(",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Arithmetic, object walks and code; a bare placeholder is none of these."""
        text = without_code(value.text, running_text=2)
        if found := strongest(RULES, text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(text, start, end)
        return None
