"""Addresses that a server should not be asked to fetch."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_network

from gatewatch.model.observation import Location
from gatewatch.observe.pattern import Indicator, MatchValue, PatternMeta, Rule, redacted, strongest

__all__ = ["Ssrf"]

_F = re.IGNORECASE
_METADATA = r"(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|metadata\.google\.internal|metadata\.azure\.internal|\[?fd00:ec2::254\]?|\[?::ffff:(?:169\.254\.169\.254|a9fe:a9fe)\]?|2852039166|0xa9fea9fe|0xa9\.0xfe\.0xa9\.0xfe|0251\.0376\.0251\.0376|instance-data)"
RULES = (
    Rule("metadata_service", re.compile(rf"(?:^|[/@=\s\"'(]|://){_METADATA}(?:[/:?\s\"']|$)", _F), 0.95),
    Rule("metadata_path", re.compile(r"/(?:latest/(?:meta-data|user-data|api/token)|computemetadata/v1|metadata/(?:instance|identity|v1))", _F), 0.85),
    Rule("dangerous_scheme", re.compile(r"^\s*(?:gopher|dict|ldaps?|tftp|jar|netdoc|sftp|smb)://", _F), 0.9),
    Rule("file_scheme", re.compile(r"^\s*file:(?://)?/?[a-z/%]", _F), 0.85),
)  # fmt: skip
_URL = re.compile(
    r"(?:^\s*|/)(?:url:|jar:|view-source:)?(?:https?|ftp|wss?|ldaps?):[/\\]{0,4}(?:[^/@?#\\\s]{0,128}@)?(\[[0-9a-f:.%]{2,60}\]|[^/:?#!\\@\s\[\]]{1,255})",
    _F,
)
_PARTS = re.compile(r"0x[0-9a-f]{1,8}|\d{1,12}", _F)
# Names that only resolve inside, and public names that answer with the address they contain.
_INSIDE = re.compile(
    r"^(?:localhost|.{1,200}\.(?:localhost|internal|localdomain|cluster\.local|svc)|kubernetes(?:\.default)?|host\.docker\.internal|ip6-localhost|lvh\.me|localtest\.me|.{0,200}\.localtest\.me)\.?$",
    _F,
)
_EMBEDDED = re.compile(r"(\d{1,3}(?:[.-]\d{1,3}){3})\.(?:nip|sslip|xip)\.io\.?$", _F)
_LOOPBACK, _PRIVATE = 0.8, 0.65
_OCTETS, _OCTET = 4, 255
_INSIDE_NETWORKS = tuple(
    map(
        ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"),
    )
)
"""RFC 1918, RFC 3927, RFC 6598, RFC 4193, RFC 4291."""
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
        rb"(https?|ftp|wss?|ldaps?):[/\\]{0,4}([^\s/]{0,64}@)?(localhost|\[|0x|\d{8,11}|0\d|0\.|127\.|10\.|192\.168\.|172\.|169\.254|100\.)",
        rb"(https?|ftp|wss?):[/\\]{0,4}[^\s/]{0,128}(localhost|\.internal|\.localdomain|\.svc|cluster\.local|kubernetes|\.(nip|sslip|xip)\.io|lvh\.me|localtest\.me)",
    )

    def judge(self, value: MatchValue) -> tuple[float, str, str] | None:
        """A developer's own Referer or Origin on localhost is none."""
        if value.location is Location.REQUEST_HEADER and value.name in _REFERENCE_HEADERS:
            return None
        if found := strongest(RULES, value.text):
            rule, start, end = found
            return rule.confidence, rule.id, redacted(value.text, start, end)
        # In a path the address follows the route; elsewhere it is the whole value, or people only talk about it.
        in_path = value.location is Location.REQUEST_PATH
        match = _URL.search(value.text) if in_path else _URL.match(value.text)
        if match is None:
            return None
        host = match.group(1).lower()
        address = _address(host)
        if _INSIDE.match(host) or (address and (address.is_loopback or address.is_unspecified)):
            return _LOOPBACK, "loopback_url", redacted(value.text, match.start(), match.end())
        if address and any(address.version == net.version and address in net for net in _INSIDE_NETWORKS):
            return _PRIVATE, "private_url", redacted(value.text, match.start(), match.end())
        return None


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a network library would connect to: `127.1`, `0x7f000001`, `0177.0.0.1` and `2130706433` too."""
    if host.startswith("["):
        try:
            found = IPv6Address(host[1:-1].partition("%")[0])
        except ValueError:
            return None
        return found.ipv4_mapped or found
    if embedded := _EMBEDDED.search(host):
        host = embedded.group(1).replace("-", ".")
    parts = host.rstrip(".").split(".")
    if len(parts) > _OCTETS or not all(_PARTS.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [int(part, 16 if part.startswith("0x") else 8 if part[0] == "0" else 10) for part in parts]
    except ValueError:
        return None
    last = 256 ** (_OCTETS + 1 - len(numbers))
    if any(number > _OCTET for number in numbers[:-1]) or numbers[-1] >= last:
        return None
    return IPv4Address(sum(n << (24 - 8 * i) for i, n in enumerate(numbers[:-1])) + numbers[-1])
