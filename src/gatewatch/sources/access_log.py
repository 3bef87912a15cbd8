"""Access logs of nginx and Apache: common, combined and their usual extensions."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from urllib.parse import urlsplit

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin, WireFormatMeta
from gatewatch.sources.lines import LineFormat, refuse

__all__ = ["AccessLog", "log_time", "split_request", "split_target"]

_LINE = re.compile(
    r"""
    ^(?:(?P<vhost>[\w.-]+(?::\d+)?)\s+)?                # vhost_combined
    (?P<client>[0-9A-Fa-f:.]+|[\w.-]+)\s+\S+\s+(?P<user>"[^"]*"|\S+|\S+\ \S+?)\s+
    \[(?P<time>[^\]]{20,40})\]\s+
    "(?P<request>(?:[^"\\]|\\.)*)"\s+
    (?P<status>\d{3}|-)\s+(?P<size>\d+|-)
    (?:\s+"(?P<referer>(?:[^"\\]|\\.)*)"\s+"(?P<agent>(?:[^"\\]|\\.)*(?:"(?!\s|$)(?:[^"\\]|\\.)*)*)"?)?
    (?P<rest>.*)$
    """,
    re.VERBOSE,
)
_MONTHS = {name: i for i, name in enumerate(calendar.month_abbr) if name}
_ESCAPE = re.compile(r"\\x([0-9A-Fa-f]{2})|\\(.)")
_METHOD = re.compile(r"[A-Za-z_-]{1,32}")
_SECONDS = re.compile(r"^\s+(?:rt=|request_time=)?(\d+\.\d{3})(?:\s|$)")


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        return (
            chr(int(match.group(1), 16))
            if match.group(1)
            else {"n": "\n", "t": "\t"}.get(match.group(2), match.group(2))
        )

    return _ESCAPE.sub(character, text) if "\\" in text else text


@lru_cache(maxsize=8192)
def log_time(text: str) -> float | None:
    """`10/Oct/2000:13:55:36 -0700` or ISO 8601 as Unix seconds; None when it is neither."""
    try:
        if text[2] == "/":
            day, month, rest = text.split("/", 2)
            year, hour, minute, second = rest.split(" ")[0].split(":")
            zone = rest.partition(" ")[2] or "+0000"
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:5])) * (-1 if zone[0] == "-" else 1)
            moment = datetime(
                int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=timezone(offset)
            )
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment.timestamp()
    except (ValueError, KeyError, IndexError, OverflowError):
        return None


def split_target(target: str) -> tuple[str, str, str, str]:
    """(scheme, host, path, query) of a request target in any form."""
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return "", "", path, query
    try:
        url = urlsplit(target)
    except ValueError:
        return "", "", target, ""
    if url.scheme in ("http", "https") and url.netloc:
        return url.scheme, url.netloc, url.path or "/", url.query
    path, _, query = target.partition("?")
    return "", "", path, query


class AccessLog(LineFormat):
    """Common, combined, vhost_combined; what follows the user agent is tolerated."""

    meta = WireFormatMeta(
        id="access-log",
        title="Access log (common, combined)",
        description="nginx and Apache logs; no headers but Referer and User-Agent, no bodies, no identity but %u.",
        evidence=Evidence.PATH | Evidence.CLIENT_ADDRESS | Evidence.USER_AGENT | Evidence.SIZES,
        references=(
            "https://httpd.apache.org/docs/2.4/logs.html",
            "https://nginx.org/en/docs/http/ngx_http_log_module.html",
        ),
    )

    def sniff(self, head: bytes, name: str) -> float:
        """Share of the first lines that read."""
        del name
        lines = [line for line in head.split(b"\n")[:20] if line.strip()]
        if len(lines) > 1:
            lines = lines[:-1]
        read = sum(bool(_LINE.match(line.decode("utf-8", "replace"))) for line in lines)
        return 0.9 * read / len(lines) if lines else 0.0

    def read_line(self, line: bytes, number: int, origin: Origin) -> Transaction | Rejection:
        """One log line; a garbage request keeps its place with method `-`."""
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        match = _LINE.match(text)
        if match is None:
            return refuse(RejectionReason.MALFORMED, "not a line of a common or combined log", number, line)
        ts = log_time(match["time"])
        if ts is None:
            return refuse(
                RejectionReason.INVALID_VALUE,
                "the time in brackets can't be read",
                number,
                line,
                match.start("time") + 1,
            )
        return _transaction(match, ts, f"{origin.position}:{number}")


def split_request(text: str) -> tuple[str, str, str]:
    """(method, target, version) of a request line; `-` where it is garbage, such as TLS octets on a plain port."""
    words = text.split(" ")
    if len(words) < 2 or not _METHOD.fullmatch(words[0]):
        return "-", "-", ""
    version = words[-1].removeprefix("HTTP/") if len(words) > 2 else ""
    return words[0], _unescaped(" ".join(words[1:-1] if len(words) > 2 else words[1:])), version


def _transaction(match: re.Match[str], ts: float, generated: str) -> Transaction:
    method, target, version = split_request(match["request"])
    scheme, host, path, query = split_target(target)
    named = (("Referer", match["referer"]), ("User-Agent", match["agent"]))
    headers = [(header, _unescaped(value)) for header, value in named if value and value != "-"]
    seconds = _SECONDS.match(match["rest"])
    user = match["user"].strip('"')
    return Transaction(
        id=generated,
        ts=ts,
        method=method,
        path=path or "/",
        scheme=scheme,
        host=host or match["vhost"] or "",
        query=query,
        http_version=version,
        request_headers=headers if match["agent"] is not None else None,
        status=int(match["status"]) if match["status"] != "-" else 0,
        response_size=int(match["size"]) if match["size"] != "-" else 0,
        latency_ms=float(seconds.group(1)) * 1000 if seconds else None,
        client_ip=match["client"],
        user=user if user != "-" else None,
    )
