"""SQL in a value, told from prose about SQL by its structure."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["SqlInjection"]

_F = re.IGNORECASE | re.DOTALL
_BREAK = r"['\"`)\d]\s*"
_TERM = r"(?:'[^']{0,32}'|\"[^\"]{0,32}\"|-?\d{1,10}|\(\s*select\b|[a-z_]{1,20}\(|true|null|'[^']{0,32}$)"

RULES = (
    Rule("union_select", re.compile(r"\bunion\s+(?:all\s+|distinct\s+)?\(?\s*select\b\s*(?:[\d'\"(*@,]|null|char|concat|[a-z_.@]+\s*(?:,|\(|from\b|--|#|$))", _F), 0.95),
    Rule("tautology", re.compile(rf"['\")]\s*(?:or|and|\|\||&&|xor)\s+(?:not\s+)?({_TERM})\s*(?:=|<>|!=|<|>|like|is|between|in\b)\s*{_TERM}", _F), 0.95),
    Rule("tautology_tight", re.compile(r"['\"]\s*(?:or|and|\|\||&&)\s*['\"(]?\w{0,12}['\")]?\s*(?:=|like)\s*['\"(]?\w{0,12}", _F), 0.9),
    Rule("number_tautology", re.compile(r"^\s*-?\d{1,12}\s*\)*\s*(?:or|and|\|\||&&)\s+(?:not\s+)?\(?(-?\d{1,6})\s*(?:=|<|>|like)\s*-?\d{1,6}", _F), 0.95),
    Rule("quote_or_true", re.compile(r"['\"]\s*\)?\s*(?:or|\|\|)\s+(?:true|1|not\s+false|exists)\b\s*(?:--|#|/\*|;|$|\()", _F), 0.9),
    Rule("comment_after_quote", re.compile(r"['\"]\s*\)*\s*(?:;?\s*--(?:\s|-|$)|#\s*$|/\*)", _F), 0.85),
    Rule("stacked", re.compile(r"(?:['\")\d]\s*\)?|^\s*);\s*(?:drop\s+(?:table|database|schema|view)|insert\s+into|update\s+\w+\s+set|delete\s+from|alter\s+(?:table|user)|create\s+(?:table|user|function)|truncate\s+table|exec(?:ute)?[\s(]|declare\s+@|shutdown\b|select\s+(?:pg_sleep|sleep|\*|\d))", _F), 0.95),
    Rule("time_delay", re.compile(r"\b(?:sleep|pg_sleep|benchmark|dbms_pipe\.receive_message|dbms_lock\.sleep|dbms_session\.sleep)\s*\(\s*['\"\d(a-z]|\bwaitfor\s+delay\s*['\"(]", _F), 0.9),
    Rule("catalogue", re.compile(r"\b(?:from|into|join)\s+\(?\s*(?:information_schema\s*\.|pg_catalog\s*\.|sysobjects\b|sys\.(?:tables|databases|objects)|sqlite_master|mysql\.user|all_tables\b|pg_(?:user|shadow|tables)\b|v\$version|dual\b)", _F), 0.9),
    Rule("error_function", re.compile(r"\b(?:extractvalue|updatexml|xmltype|utl_inaddr\.get_host_\w+|ctxsys\.drithsx\.sn|exp\(~\(select|gtid_subset|json_keys\(\(select|cast\(\(select|convert\(int)\s*\(?", _F), 0.9),
    Rule("order_by_probe", re.compile(rf"{_BREAK}\)*\s*(?:order|group)\s+by\s+\d{{1,3}}\s*(?:--|#|/\*|$)", _F), 0.8),
    Rule("having_probe", re.compile(r"['\")]\s*having\s+\d+\s*=\s*\d+", _F), 0.9),
    Rule("file_access", re.compile(r"\binto\s+(?:out|dump)file\s+['\"]|\bload_file\s*\(|\bxp_(?:cmdshell|dirtree|regread|fileexist)\b|\bsp_(?:executesql|oacreate)\b|\bcopy\s+\w+\s+(?:from|to)\s+program\b", _F), 0.95),
    Rule("blind_subquery", re.compile(r"(?:['\")\d]\s*(?:and|or|\|\||\+)|[=(,]|\bif\b|\bcase\s+when)\s*\(*\s*select\s+[^;]{1,120}?\b(?:from|limit|count\s*\(|substr|ascii)\b", _F), 0.85),
    Rule("char_functions", re.compile(r"\b(?:and|or|select|when|where)\s+\(?\s*(?:ascii|ord|substr|substring|mid|length)\s*\([^)]{0,80}\)?\)?\s*[<>=]", _F), 0.85),
    Rule("char_building", re.compile(r"\b(?:char|chr|nchar)\s*\(\s*\d{2,3}\s*\)\s*(?:\|\||\+|,)\s*(?:char|chr|nchar)\s*\(", _F), 0.85),
    Rule("conditional_delay", re.compile(r"\b(?:if|iif|case\s+when)\s*\(?\s*[^)]{1,60}[=<>][^)]{1,60}\b(?:sleep|benchmark|then)\b", _F), 0.8),
    Rule("quote_concat", re.compile(r"'\s*(?:\|\||\+)\s*\(?\s*(?:select|char|chr|user|version|@@version|current_user|database)\b", _F), 0.85),
    Rule("server_variable", re.compile(r"(?:select|and|or|=|\()\s*@@(?:version|datadir|hostname|servername)\b", _F), 0.85),
    Rule("select_all", re.compile(r"^\s*['\";)]*\s*select\s+(?:\*|[\w@.,()\s]{1,80}?)\s+from\s+\w+(?:\.\w+)?\s*(?:where\s+\w+\s*(?:=|like|in|<|>)|limit\s+\d|--|;|$)", _F), 0.55),
    Rule("dangling_quote", re.compile(r"^[^'\"\s]{0,40}'\s*(?:and|or)\s+'?[^' ]{0,20}'?\s*=\s*'", _F), 0.9),
)  # fmt: skip
_PROSE = re.compile(r"[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}\s+[a-z]{2,}", re.IGNORECASE)
_PROSE_PENALTY = 0.35
_LEAST = 0.5


class SqlInjection(Indicator):
    """SQL injection."""

    meta = PatternMeta(
        id="sql_injection",
        title="SQL injection",
        references=("CWE-89", "OWASP WSTG-INPV-05"),
        known_misses="Payloads split over several parameters; second-order injection.",
    )
    expressions = (
        rb"union[\s(]",
        rb"['\")\d]\s{0,4}\)?\s{0,4}(or|and|xor|\|\||&&)[\s'\"(]",
        rb"['\"]\s{0,4}\)*\s{0,4}(--|#|/\*|;)",
        rb";\s{0,4}(drop|insert|update|delete|alter|create|truncate|exec|declare|shutdown|select)\b",
        rb"(sleep|benchmark|receive_message|load_file|extractvalue|updatexml|xmltype)\s{0,4}\(",
        rb"waitfor\s",
        rb"(information_schema|pg_catalog|sysobjects|sqlite_master|mysql\.user|all_tables|pg_user|pg_shadow|sys\.tables)",
        rb"(order|group)\s{1,4}by\s{1,4}\d",
        rb"having\s{1,4}\d",
        rb"(xp_|sp_)(cmdshell|dirtree|executesql|oacreate|regread)",
        rb"select\b.{1,120}\bfrom\b",
        rb"(char|chr|nchar|ascii|substring|substr|ord|mid)\s{0,3}\(",
        rb"into\s{1,4}(out|dump)file",
        rb"@@(version|datadir|hostname)",
        rb"convert\s{0,3}\(\s{0,3}int|cast\s{0,3}\(\s{0,3}\(",
        rb"'\s{0,4}(\|\||\+)",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """Structure decides; long prose around a weak structure lowers the confidence."""
        found = strongest(RULES, value.text)
        if found is None:
            return None
        rule, start, end = found
        outside = value.text[:start] + " " + value.text[end:]
        confidence = rule.confidence - (_PROSE_PENALTY if _PROSE.search(outside) else 0.0)
        return (confidence, rule.id, redacted(value.text, start, end)) if confidence >= _LEAST else None
