"""Everything that is read from a transaction before anybody judges it: headers, query, bodies, path template."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl

from gatewatch.knowledge.word_lists import words
from gatewatch.model.observe_settings import LimitSettings
from gatewatch.model.transaction import Headers, Transaction
from gatewatch.observe.bodies import Body, decode_body
from gatewatch.observe.graphql_body import looks_like_graphql, operation
from gatewatch.observe.leaves import Cuts, Leaf, flatten
from gatewatch.observe.templates.template_set import PathMatch, TemplateSet, normal_host

__all__ = ["Parsed", "Parser", "known_method"]

_METHODS = words("http_methods")
_NO_HEADERS: dict[str, str] = {}
_MAX_NAMES = 4096
_SINGLE = frozenset({"authorization", "content-encoding", "content-length", "content-type", "host"})
"""The first line counts; lines of any other name belong together (RFC 9110 5.3), so that none hides another."""


class Parsed:
    """Everything read from one transaction; lives as long as one block and holds payload."""

    __slots__ = (
        "cuts", "headers", "host", "match", "method", "query", "request", "response", "response_headers", "transaction",
    )  # fmt: skip

    transaction: Transaction
    cuts: Cuts
    headers: dict[str, str]
    response_headers: dict[str, str]
    host: str
    method: str
    query: list[tuple[str, str]]
    request: Body
    response: Body
    match: PathMatch


class Parser:
    """One per process; not thread-safe. Never raises on any transaction that a source can give."""

    def __init__(self, limits: LimitSettings) -> None:
        """What exceeds the limits is recorded in `Parsed.cuts`."""
        self._limits = limits
        self._names: dict[str, str] = {}

    def parse(self, transactions: Sequence[Transaction], templates: TemplateSet) -> list[Parsed]:
        """One result per transaction. Step by step over all of them: see `observer.BATCH`."""
        found = [self._headed(transaction) for transaction in transactions]
        for parsed in found:
            parsed.query = _query(parsed.transaction.query, self._limits.members, parsed.cuts)
        for parsed in found:
            self._read_bodies(parsed)
        for parsed in found:
            transaction = parsed.transaction
            parsed.match = templates.match(
                parsed.method,
                parsed.host,
                transaction.path,
                operation=parsed.request.operation,
                status=transaction.status,
                hint=transaction.route_hint,
            )
        return found

    def _headed(self, transaction: Transaction) -> Parsed:
        parsed = Parsed()
        parsed.transaction = transaction
        cuts = parsed.cuts = Cuts(set())
        if transaction.truncated:
            cuts.add("source")
        parsed.headers = self._headers(transaction.request_headers, cuts)
        parsed.response_headers = self._headers(transaction.response_headers, cuts)
        parsed.host = normal_host(transaction.host or parsed.headers.get("host", ""))
        parsed.method = known_method(transaction.method)
        return parsed

    def _headers(self, lines: Headers | None, cuts: Cuts) -> dict[str, str]:
        if not lines:
            return _NO_HEADERS
        if len(lines) > self._limits.header_lines:
            cuts.add("headers")
            lines = lines[: self._limits.header_lines]
        names = self._names
        found: dict[str, str] = {}
        for name, value in lines:
            lower = names.get(name)
            if lower is None:
                if len(names) > _MAX_NAMES:
                    names.clear()
                lower = names[name] = name.lower()
            if lower not in found:
                found[lower] = value
            elif lower not in _SINGLE:
                found[lower] += ("; " if lower == "cookie" else ", ") + value
        return found

    def _read_bodies(self, parsed: Parsed) -> None:
        transaction, cuts = parsed.transaction, parsed.cuts
        parsed.request = self._body(transaction.request_body, parsed.headers, cuts, "request_body")
        parsed.response = self._body(transaction.response_body, parsed.response_headers, cuts, "response_body")
        if parsed.query and not parsed.request.operation and (document := dict(parsed.query).get("query", "")):
            parsed.request.operation = operation(document) if looks_like_graphql(document) else ""

    def _body(self, data: bytes | None, headers: dict[str, str], cuts: Cuts, side: str) -> Body:
        if not data:
            return Body()
        if len(data) > self._limits.body_bytes:
            data = data[: self._limits.body_bytes]
            cuts.add(side)
        # A response is flattened only when its text holds a candidate of some information type.
        return decode_body(data, headers, self._limits, cuts, side=side, leaves=side == "request_body")

    def response_leaves(self, parsed: Parsed) -> list[Leaf]:
        """The response body's leaves."""
        body = parsed.response
        if body.content is not None:
            return flatten(body.content, self._limits, parsed.cuts)
        if body.leaves:
            return body.leaves
        headers = {"content-type": parsed.response_headers.get("content-type", "")}
        return decode_body(body.data, headers, self._limits, parsed.cuts, side="response_body").leaves


def known_method(method: str) -> str:
    """Upper case; `_OTHER` for what no standard or common extension knows."""
    upper = method.upper()
    return upper if upper in _METHODS else "_OTHER"


def _query(text: str, members: int, cuts: Cuts) -> list[tuple[str, str]]:
    if not text:
        return []
    pairs = text.split("&")
    if len(pairs) > members:
        cuts.add("members")
        pairs = pairs[:members]
    if "%" not in text and "+" not in text:
        return [(name, value) for name, _, value in [pair.partition("=") for pair in pairs if pair]]
    return parse_qsl("&".join(pairs), keep_blank_values=True, errors="replace")
