"""What servers say when an attack gets through."""

from __future__ import annotations

import re
from typing import ClassVar

from gatewatch.observe.pattern import MatchValue, PatternMeta, ResponseSignal

__all__ = ["CommandOutput", "PasswdFile", "ReflectedInput", "SqlError", "StackTrace", "TemplateEvaluated"]


class _Telling(ResponseSignal):
    """A pattern in the body decides alone."""

    pattern: ClassVar[re.Pattern[str]]

    def present(self, body: str, requests: list[MatchValue]) -> bool:
        """Found in the body, and not merely sent back from the request."""
        match = self.pattern.search(body)
        return match is not None and not any(match.group() in value.text for value in requests)


class SqlError(_Telling):
    """Error text of a database."""

    meta = PatternMeta(id="sql_error", title="Database error in the answer", references=("CWE-209",))
    expressions = (
        rb"(sql syntax|sqlstate|syntax error (at or near|in query)|unclosed quotation|unterminated quoted|ora-\d{5}|sqlite)",
        rb"(mysql_|pg_query|odbc .{0,40}driver|psycopg|sqlexception|unrecognized token:|near \"[^\"]{0,40}\": syntax error)",
    )
    pattern = re.compile(
        r"you have an error in your sql syntax|sqlstate\[|syntax error at or near|unclosed quotation mark|unterminated quoted string|\bora-\d{5}\b"
        r"|sqlite3?\.(?:operational|programming)?error|sqlite error|near \"[^\"]{0,40}\": syntax error|unrecognized token:|psycopg2?\.\w*error"
        r"|java\.sql\.sqlexception|mysql_fetch|pg_query\(\)|odbc .{0,40}driver|microsoft ole db|syntax error in query expression",
        re.IGNORECASE,
    )


class StackTrace(_Telling):
    """A stack trace of a common runtime."""

    meta = PatternMeta(id="stack_trace", title="Stack trace in the answer", references=("CWE-209",))
    expressions = (
        rb"traceback \(most recent call last\)",
        rb"\bat [\w$.]{3,120}\([\w]{1,60}\.(java|kt|scala):\d",
        rb"\bat .{1,120}\.(js|ts):\d{1,6}:\d",
        rb"\bat [\w.]{3,120}\(.{0,120}\) in .{1,200}:line \d",
        rb"(fatal error|uncaught exception).{1,200} on line",
        rb"goroutine \d{1,6} \[",
    )
    pattern = re.compile(
        r"traceback \(most recent call last\)|\bat [\w$.<>]+\(\w+\.(?:java|kt|scala):\d+\)|\bat .{1,120}\.(?:js|ts):\d+:\d+"
        r"|\bat [\w.]+\(.{0,120}\) in .{1,200}:line \d+|(?:fatal error|uncaught exception).{1,200} on line|goroutine \d+ \[",
        re.IGNORECASE,
    )


class PasswdFile(_Telling):
    """Content of a system file."""

    meta = PatternMeta(id="passwd_file", title="System file in the answer", references=("CWE-22",))
    expressions = (rb"root:.{0,40}:0:0:", rb"\[(fonts|extensions|boot loader|mci extensions)\]", rb"daemon:x:1:1:")
    pattern = re.compile(
        r"root:[^:\n]{0,40}:0:0:|daemon:x:1:1:|\[(?:fonts|mci extensions)\]\s*\r?\n|\[boot loader\]", re.IGNORECASE
    )


class CommandOutput(_Telling):
    """Output of a shell command or of a metadata service."""

    meta = PatternMeta(id="command_output", title="Command output in the answer", references=("CWE-78", "CWE-918"))
    expressions = (
        rb"uid=\d{1,6}\([a-z_]",
        rb"(linux|darwin) \S{1,60} \d\.\d",
        rb"volume serial number is",
        rb"\"?accesskeyid\"?\s{0,3}:",
        rb"ami-[0-9a-f]{8}",
    )
    pattern = re.compile(
        r"uid=\d+\(\w+\)\s+gid=\d+|\blinux \S{1,60} \d+\.\d+\.\d+|volume serial number is [\dA-F-]+"
        r"|\"accesskeyid\"\s*:\s*\"A[SK]IA|\bami-[0-9a-f]{8,17}\b",
        re.IGNORECASE,
    )


class TemplateEvaluated(ResponseSignal):
    """The result of an expression that the request asked a template engine to compute."""

    meta = PatternMeta(id="template_evaluated", title="Template expression was computed", references=("CWE-1336",))
    expressions = ()
    _expression = re.compile(r"(?:\{\{=?|[$#@*]\{|<%=?|\[\[)\s*(\d{1,6})\s*\*\s*'?(\d{1,6})'?")

    def present(self, body: str, requests: list[MatchValue]) -> bool:
        """The product stands in the answer and the expression does not."""
        for value in requests:
            for match in self._expression.finditer(value.text):
                product = str(int(match.group(1)) * int(match.group(2)))
                if len(product) > 1 and re.search(rf"(?<!\d){product}(?!\d)", body) and match.group() not in body:
                    return True
        return False


class ReflectedInput(ResponseSignal):
    """Markup of the request comes back as markup."""

    meta = PatternMeta(id="reflected_input", title="Markup of the request in the answer", references=("CWE-79",))
    expressions = ()
    _markup = re.compile(r"<\s*(?:script|img|svg|iframe|body|details)\b[^>]{0,120}>?", re.IGNORECASE)

    def present(self, body: str, requests: list[MatchValue]) -> bool:
        """Literally, so escaped output does not count."""
        return any(match.group() in body for value in requests for match in self._markup.finditer(value.text))
