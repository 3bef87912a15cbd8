"""SQL in a value, told from prose about SQL by its structure."""

from __future__ import annotations

import re

from gatewatch.observe.pattern import (
    Indicator,
    MatchValue,
    PatternMeta,
    Rule,
    prose_words,
    redacted,
    strongest,
    without_code,
)

__all__ = ["SqlInjection"]

_F = re.IGNORECASE | re.DOTALL
_BREAK = r"['\"`)\d]\s*"
_TERM = r"(?:'[^']{0,32}'|\"[^\"]{0,32}\"|-?\d{1,10}|\(\s*select\b|[a-z_]{1,20}\(|true|null|'[^']{0,32}$)"

RULES = (
    Rule("union_select", re.compile(r"\bunion\s+(?:all\s+|distinct\s+)?\(?\s*select\b\s*(?:[\d'\"(*@,]|null|char|concat|[a-z_.@]+\s*(?:,|\(|from\b|--|#|$))", _F), 0.95),
    Rule("tautology", re.compile(rf"['\")]\s*(?:or|and|\|\||&&|xor)\s+(?:not\s+)?({_TERM})\s*(?:=|<>|!=|<|>|like|is|between|in\b)\s*{_TERM}", _F), 0.95, True),
    Rule("tautology_tight", re.compile(r"['\"]\s*(?:or|and|\|\||&&)\s*['\"(]?\w{0,12}['\")]?\s*(?:=|like)\s*['\"(]?\w{0,12}", _F), 0.9, True),
    Rule("number_tautology", re.compile(r"^\s*-?\d{1,12}\s*\)*\s*(?:or|and|\|\||&&)\s+(?:not\s+)?\(?(-?\d{1,6})\s*(?:=|<|>|like)\s*-?\d{1,6}", _F), 0.95),
    Rule("quote_or_true", re.compile(r"['\"]\s*\)?\s*(?:or|\|\|)\s+(?:true|1|not\s+false|exists)\b\s*(?:--|#|/\*|;|$|\()", _F), 0.9, True),
    Rule("comment_after_quote", re.compile(r"['\"]\s*\)*\s*(?:;?\s*--(?:\s*$|\s*[-+/'\"])|;?\s*#\s*$|/\*)", _F), 0.85, True),
    Rule("same_on_both_sides", re.compile(r"(?:^|[\s\d'\")(])(?:or|and|having|\|\||&&)\s+(?:not\s+)?\(*\s*(?:(\d{1,10})\s*(?:=|<=>|like)\s*\(*\1\b|'(\w{0,20})'\s*(?:=|<=>|like)\s*'\2(?:'|$))", _F), 0.85),
    Rule("number_and_text", re.compile(r"^\s*-?\d{1,12}\s*\)*\s*(?:or|and|\|\||&&)\s+(?:not\s+)?\(*\s*(?:'[^']{0,20}'|\"[^\"]{0,20}\")\s*(?:=|<|>|like|in|is|between)", _F), 0.9),
    Rule("quoted_operands", re.compile(r"['\")]\s*\)*\s*(?:or|and|xor|\|\||&&)\s+(?:not\s+)?\(*\s*(?:'[^']{0,20}'|\"[^\"]{0,20}\")\s*(?:=|<|>|like|in|is|between)", _F), 0.9, True),
    Rule("empty_tautology", re.compile(r"^\s*'\s*(?:=|or|\|\||-|\+|\^|\*)\s*''?\s*(?:or|and|=|\|\||-|$)", _F), 0.85),
    Rule("operator_subquery", re.compile(r"['\")\w]\s*(?:\b(?:or|and|rlike|regexp|div|xor|like)\b|\|\||&&|=)\s*(?:not\s+)?(?:exists\s*)?\(\s*select\b", _F), 0.85),
    Rule("procedure_analyse", re.compile(r"\bprocedure\s+analyse\s*\(", _F), 0.9),
    Rule("or_true", re.compile(r"^[^\s]{1,20}\s+(?:or|\|\|)\s+(?:true|not\s+false|1)\s*(?:--|#|/\*|;|$)", _F), 0.8),
    Rule("stacked", re.compile(r"(?:['\")\d]\s*\)?|^\s*);\s*(?:drop\s+(?:table|database|schema|view)|insert\s+into|update\s+\w+\s+set|delete\s+from|alter\s+(?:table|user)|create\s+(?:table|user|function)|truncate\s+table|exec(?:ute)?[\s(]|declare\s+@|shutdown\b|select\s+(?:\*|\d|[\w.]+\s*\()|copy\s+\w+\s+(?:from|to)\b|grant\s+\w+|call\s+\w+\s*\()", _F), 0.95),
    Rule("time_delay", re.compile(r"\b(?:sleep|pg_sleep|benchmark|dbms_pipe\.receive_message|dbms_lock\.sleep|dbms_session\.sleep)\s*\(\s*(?:['\"(a-z@]|\d[\dx.]*\s*(?:[-+*/),|&;]|$))|\bwaitfor\s+delay\s*['\"(]", _F), 0.9),
    Rule("catalogue", re.compile(r"\b(?:from|into|join)\s+\(?\s*(?:information_schema\s*\.|pg_catalog\s*\.|sysobjects\b|sys\.(?:tables|databases|objects)|sqlite_master|mysql\.user|all_tables\b|pg_(?:user|shadow|tables)\b|v\$version|dual\b)", _F), 0.9),
    Rule("error_function", re.compile(r"\b(?:extractvalue|updatexml|xmltype|utl_inaddr\.get_host_\w+|ctxsys\.drithsx\.sn|exp\(~\(select|gtid_subset|json_keys\(\(select|cast\(\(select|convert\(int)\s*\(?", _F), 0.9),
    Rule("order_by_probe", re.compile(rf"{_BREAK}\)*\s*(?:order|group)\s+by\s+\d{{1,3}}\s*(?:--|#|/\*|$)", _F), 0.8),
    Rule("having_probe", re.compile(r"['\")]\s*having\s+\d+\s*=\s*\d+", _F), 0.9, True),
    Rule("file_access", re.compile(r"\binto\s+(?:out|dump)file\s+['\"]|\bload_file\s*\(|\b(?:pg_read_file|pg_ls_dir|lo_import|utl_http\.request|utl_file\.)\s*\(?|\bxp_(?:cmdshell|dirtree|regread|fileexist)\b|\bsp_(?:executesql|oacreate)\b|\bcopy\s+\w+\s+(?:from|to)\s+program\b", _F), 0.95),
    Rule("blind_subquery", re.compile(r"(?:['\")\d]\s*(?:and|or|\|\||\+)|[=(,]|\bif\b|\bcase\s+when)\s*\(*\s*select\s+[^;]{1,120}?\b(?:from|limit|count\s*\(|substr|ascii)\b", _F), 0.85),
    Rule("char_functions", re.compile(r"\b(?:and|or|select|when|where)\s+\(?\s*(?:ascii|ord|substr|substring|mid|length|if|iif|unicode|hex|bin)\s*\([^;]{0,120}?\)\s*[<>=]", _F), 0.85),
    Rule("condition_call", re.compile(r"\b(?:and|or|xor|,)\s*\(?\s*(?:if|iif|elt|make_set|nullif|ifnull)\s*\(\s*[^,;]{0,60}[=<>(][^,;]{0,60},", _F), 0.85),
    Rule("char_building", re.compile(r"\b(?:char|chr|nchar)\s*\(\s*\d{2,3}\s*\)\s*(?:\|\||\+|,)\s*(?:char|chr|nchar)\s*\(", _F), 0.85),
    Rule("conditional_delay", re.compile(r"\b(?:if|iif|case\s+when)\s*\(?\s*[^)]{1,60}[=<>][^)]{1,60}\b(?:sleep|benchmark|then)\b", _F), 0.8),
    Rule("quote_concat", re.compile(r"'\s*(?:\|\||\+)\s*\(?\s*(?:select|char|chr|user|version|@@version|current_user|database)\b", _F), 0.85, True),
    Rule("server_variable", re.compile(r"(?:select|and|or|=|\()\s*@@(?:version|datadir|hostname|servername)\b", _F), 0.85),
    Rule("select_all", re.compile(r"^\s*['\";)]*\s*select\s+(?:\*|[\w@.,()\s]{1,80}?)\s+from\s+\w+(?:\.\w+)?\s*(?:where\s+\w+\s*(?:=|like|in|<|>)|limit\s+\d|--|;|$)", _F), 0.55),
    Rule("dangling_quote", re.compile(r"^[^'\"\s]{0,40}'\s*(?:and|or)\s+'?[^' ]{0,20}'?\s*=\s*'", _F), 0.9),
)  # fmt: skip
# A statement that is whole in itself, as people quote it; one that is injected goes on where another one was.
_STATEMENT = re.compile(
    r"\s*(?:(?:--|#)[^\n]*\n\s*)*(?:select\s+[\w*\"`\[(][^;]{0,400}?\sfrom\s+[\w\"`\[(]|insert\s+into\s+\w|update\s+[\w\"`.]+\s+set\s|delete\s+from\s+\w|"
    r"(?:create|alter|drop)\s+(?:table|index|view|database|user|column|or\s+replace)\s|with\s+\w+\s+as\s*\(|explain\s)",
    _F,
)
_PROSE_WORDS = 6
_PROSE_PENALTY = 0.45
_STATEMENT_PENALTY = 0.35
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
        rb"['\")\d]\s{0,4}\)*\s{0,4}(or|and|xor|\|\||&&|r?like|regexp)[\s'\"(]",
        rb"\s(or|and|\|\||&&)\s{1,4}\(*['\"]?[\w]{1,20}['\"]?\s{0,4}(=|like)",
        rb"\s(or|\|\|)\s{1,4}(true|not\s|1\b)",
        rb"'\s{0,4}(=|-|\^|\*)\s{0,4}'",
        rb"(or|and|r?like|regexp|\|\||&&|=)\s{0,4}\(\s{0,4}select\b",
        rb"procedure\s{1,4}analyse",
        rb"(pg_read_file|pg_ls_dir|lo_import|utl_http|utl_file)",
        rb"(and|or|xor|,)\s{0,4}\(?(if|iif|elt|make_set|nullif|ifnull)\s{0,4}\(",
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
        text = without_code(value.text, running_text=2)
        found = strongest(RULES, text)
        if found is None:
            return None
        rule, start, end = found
        confidence = rule.confidence
        if prose_words(text[:start]) + prose_words(text[end:]) >= _PROSE_WORDS:
            confidence -= _PROSE_PENALTY
        if _STATEMENT.match(text):
            confidence -= _STATEMENT_PENALTY
        return (confidence, rule.id, redacted(text, start, end)) if confidence >= _LEAST else None
