"""Addresses that a server should not be asked to fetch."""

from __future__ import annotations

import re

from gatewatch.model.observation import Location
from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["Ssrf"]

_F = re.IGNORECASE
_METADATA = r"(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata\.google\.internal|metadata\.azure\.internal|\[?fd00:ec2::254\]?|\[?::ffff:(?:169\.254\.169\.254|a9fe:a9fe)\]?|2852039166|0xa9fea9fe|0xa9\.0xfe\.0xa9\.0xfe|0251\.0376\.0251\.0376|instance-data)"
_LOOPBACK = r"(?:localhost|127(?:\.\d{1,3}){1,3}|0\.0\.0\.0|\[?::1?\]|\[?::ffff:127\.0\.0\.1\]?|2130706433|0x7f000001|0x7f\.\d|017700000001|0177\.0\.0\.1|127\.1)"
_PRIVATE = r"(?:10(?:\.\d{1,3}){3}|192\.168(?:\.\d{1,3}){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2})"
RULES = (
    Rule("metadata_service", re.compile(rf"(?:^|[/@=\s\"'(]|://){_METADATA}(?:[/:?\s\"']|$)", _F), 0.95),
    Rule("metadata_path", re.compile(r"/(?:latest/(?:meta-data|user-data|api/token)|computemetadata/v1|metadata/(?:instance|identity|v1))", _F), 0.85),
    Rule("dangerous_scheme", re.compile(r"^\s*(?:gopher|dict|ldaps?|tftp|jar|netdoc|sftp|smb)://", _F), 0.9),
    Rule("file_scheme", re.compile(r"^\s*file:(?://)?/?[a-z/%]", _F), 0.85),
    Rule("loopback_url", re.compile(rf"^\s*(?:https?|ftp|wss?):/{{0,3}}(?:[^/@\s]*@)?{_LOOPBACK}(?:[:/?#]|$)", _F), 0.8),
    Rule("private_url", re.compile(rf"^\s*(?:https?|ftp):/{{0,3}}(?:[^/@\s]*@)?{_PRIVATE}(?:[:/?#]|$)", _F), 0.65),
)  # fmt: skip
_REFERENCE_HEADERS = frozenset({"referer", "origin", "host"})


class Ssrf(Indicator):
    """Server-side request forgery."""

    meta = PatternMeta(
        id="ssrf",
        title="Server-side request forgery",
        references=("CWE-918", "OWASP API7:2023"),
        known_misses="Outside names that resolve to inside addresses.",
    )
    expressions = (
        rb"169\.254\.(169\.254|170\.2)",
        rb"metadata\.(google|azure)\.",
        rb"(2852039166|0xa9fea9fe|0xa9\.0xfe|0251\.0376|100\.100\.100\.200|instance-data|fd00:ec2)",
        rb"::ffff:(169|a9fe)",
        rb"/(latest/(meta-data|user-data|api/token)|computemetadata/|metadata/(instance|identity|v1))",
        rb"(gopher|dict|ldaps?|tftp|jar|netdoc|sftp|smb|file):/",
        rb"(https?|ftp|wss?):/{0,3}[^\s/]{0,64}(localhost|127\.|0\.0\.0\.0|\[::|2130706433|0x7f|017700|0177\.)",
        rb"(https?|ftp):/{0,3}(10\.|192\.168\.|172\.)",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """A developer's own Referer or Origin on localhost is none."""
        if value.location is Location.REQUEST_HEADER and value.name in _REFERENCE_HEADERS:
            return None
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        return None
