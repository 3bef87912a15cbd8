"""Operators of document databases in places where a plain value belongs."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["NosqlInjection"]

_OPERATORS = r"(?:eq|ne|gt|gte|lt|lte|in|nin|all|regex|exists|where|expr|or|and|nor|not|mod|elemmatch|jsonschema|function|accumulator)"
NAME = re.compile(rf"(?:^|[.\[]|\])\$({_OPERATORS})(?:$|[.\]\[])", re.IGNORECASE)
RULES = (
    Rule("operator_object", re.compile(rf"[{{,]\s*['\"]?\${_OPERATORS}['\"]?\s*:", re.IGNORECASE), 0.9),
    Rule("where_code", re.compile(r"\$where['\"]?\s*:|\bthis\.\w+\s*(?:==|!=|\.match\()|['\"]\s*(?:\|\||&&)\s*(?:this\.|['\"]?\d?['\"]?\s*==)|\bdb\.\w+\.(?:find|drop|insert)\(", re.IGNORECASE), 0.85),
    Rule("js_tautology", re.compile(r"['\"]\s*\)?\s*(?:\|\||&&)\s*\(?\s*(?:['\"]?\w{0,12}['\"]?\s*={2,3}\s*['\"]?\w{0,12}|true\b|1\s*(?://|$))|\bthis\.\w+\s*={2,3}[^|&]{1,40}(?:\|\||&&)\s*(?:true|1)\b", re.IGNORECASE), 0.85, True),
    Rule("js_break", re.compile(r"['\"];?\s*(?:return\s+(?:true|1)|sleep\(\d+\)|while\s*\(\s*(?:1|true)\s*\))", re.IGNORECASE), 0.85),
)  # fmt: skip
_OPERATOR_IN_NAME = 0.9


class NosqlInjection(Indicator):
    """NoSQL injection."""

    meta = PatternMeta(
        id="nosql_injection",
        title="NoSQL injection",
        references=("CWE-943", "OWASP WSTG-INPV-05.6"),
        known_misses="APIs whose query language is MongoDB's own are reported too; switch it off there.",
    )
    expressions = (
        rb"\$(eq|ne|gt|gte|lt|lte|in|nin|all|regex|exists|where|expr|or|and|nor|not|mod|elemmatch|jsonschema|function|accumulator)\b",
        rb"['\"]\s{0,4}\)?\s{0,4}(\|\||&&)\s{0,4}\(?['\"\w]",
        rb"\bthis\.\w",
        rb"db\.\w{1,30}\.(find|drop|insert)",
        rb"['\"];?\s{0,3}(return|sleep|while)\b",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """An operator as member name (`user[$ne]`), or an operator object or code in the value."""
        if match := NAME.search(value.name):
            return _OPERATOR_IN_NAME, "operator_name", f"${match.group(1).lower()}"
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        return None
