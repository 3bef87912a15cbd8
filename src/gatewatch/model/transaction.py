"""One request and its response, as a source saw it. In memory only; never stored, logged or sent."""

from __future__ import annotations

import msgspec

__all__ = ["Headers", "Transaction"]

Headers = list[tuple[str, str]]
"""Header lines in wire order; names as received (any case)."""


class Transaction(msgspec.Struct, kw_only=True, gc=False):
    """One request/response pair.

    `None` always means "this source does not carry it", which is different from empty.
    Not frozen because a source may fill it in pieces; nobody changes it after the source yielded it.
    """

    id: str
    """Unique within its source; what makes a re-sent transaction a duplicate."""
    ts: float
    """Start of the request, Unix seconds (UTC)."""
    method: str
    path: str
    """Raw as on the wire, still percent-encoded, without query."""
    scheme: str = ""
    host: str = ""
    """Host header or authority as received (port included when it was there)."""
    query: str = ""
    """Raw as on the wire, without `?`."""
    http_version: str = ""
    request_headers: Headers | None = None
    response_headers: Headers | None = None
    request_body: bytes | None = None
    """Body octets as transferred (content codings still applied), possibly cut: see `truncated`."""
    response_body: bytes | None = None
    status: int = 0
    """0: no response was seen."""
    latency_ms: float | None = None
    request_size: int | None = None
    """Body bytes."""
    response_size: int | None = None
    client_ip: str = ""
    """The peer the gateway saw. Proxies are resolved in observe, from the trusted-proxy list."""
    client_port: int | None = None
    server_ip: str = ""
    server_port: int | None = None
    route_hint: str | None = None
    """The gateway's own route template, `/users/{id}` style."""
    consumer: str | None = None
    """The gateway's name for the authenticated caller."""
    user: str | None = None
    """User name from an access log's %u field or a framework."""
    client_certificate: str | None = None
    """Subject of a verified client certificate."""
    truncated: bool = False
    """The source cut at least one body."""
