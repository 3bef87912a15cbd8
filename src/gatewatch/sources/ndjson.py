"""Gatewatch NDJSON v1: one transaction a line. The native format; what the SDK sends and `POST /v1/ingest` takes."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from datetime import UTC, datetime
from typing import Literal

import msgspec

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin, WireFormatMeta
from gatewatch.sources.lines import LineFormat, refuse

__all__ = ["GatewatchNdjson", "Line"]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}", re.ASCII)
_EARLIEST, _LATEST = 0.0, 7_258_118_400.0
_MAX_STATUS = 999
_AT = re.compile(r" - at `\$\.?([^`]*)`$")
_BYTE = re.compile(r"\(byte (\d+)\)")


class Line(msgspec.Struct, kw_only=True, gc=False):
    """One line of Gatewatch NDJSON v1. Unknown members are ignored; a missing optional one is evidence not carried."""

    ts: datetime
    method: str
    path: str
    id: str | None = None
    scheme: str | None = None
    host: str | None = None
    query: str | None = None
    http_version: str | None = None
    request_headers: list[tuple[str, str]] | None = None
    response_headers: list[tuple[str, str]] | None = None
    request_body: str | None = None
    response_body: str | None = None
    request_body_encoding: Literal["utf-8", "base64"] | None = None
    response_body_encoding: Literal["utf-8", "base64"] | None = None
    status: int | None = None
    latency_ms: float | None = None
    request_size: int | None = None
    response_size: int | None = None
    client_ip: str | None = None
    client_port: int | None = None
    server_ip: str | None = None
    server_port: int | None = None
    route_hint: str | None = None
    consumer: str | None = None
    truncated: bool | None = None


_DECODER = msgspec.json.Decoder(Line)


class GatewatchNdjson(LineFormat):
    """Gatewatch NDJSON v1."""

    meta = WireFormatMeta(
        id="ndjson",
        title="Gatewatch NDJSON",
        description="One JSON object a line; schema in docs/reference/gatewatch-ndjson-v1.schema.json.",
        evidence=Evidence(2047),
        references=("https://www.rfc-editor.org/rfc/rfc8259", "https://github.com/ndjson/ndjson-spec"),
    )

    def sniff(self, head: bytes, name: str) -> float:
        """Sure when the first line is an object with our required members."""
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
        if not first.startswith(b"{"):
            return 0.0
        ours = all(f'"{member}"'.encode() in first for member in ("ts", "method", "path"))
        return 0.95 if ours else 0.3 if name.endswith((".ndjson", ".jsonl")) else 0.0

    def read_line(self, line: bytes, number: int, origin: Origin) -> Transaction | Rejection:
        """Decode and validate one line."""
        try:
            item = _DECODER.decode(line)
        except msgspec.ValidationError as error:
            return _invalid(error, number, line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            place = _BYTE.search(str(error))
            column = int(place.group(1)) + 1 if place else 0
            return refuse(RejectionReason.MALFORMED, "not a JSON object", number, line, column)
        ts = item.ts.timestamp() if item.ts.tzinfo else item.ts.replace(tzinfo=UTC).timestamp()
        if mistake := _mistake(item, ts):
            return refuse(RejectionReason.INVALID_VALUE, mistake, number, line)
        try:
            request = _octets(item.request_body, item.request_body_encoding)
            response = _octets(item.response_body, item.response_body_encoding)
        except (Base64Error, ValueError):
            return refuse(RejectionReason.INVALID_VALUE, "a body is not the base64 it claims to be", number, line)
        return _transaction(item, ts, request, response, item.id or f"{origin.position}:{number}")


def _transaction(item: Line, ts: float, request: bytes | None, response: bytes | None, name: str) -> Transaction:
    path, query = item.path, item.query
    if query is None and "?" in path:
        path, _, query = path.partition("?")
    return Transaction(
        id=name,
        ts=ts,
        method=item.method,
        path=path,
        scheme=item.scheme or "",
        host=item.host or "",
        query=query or "",
        http_version=item.http_version or "",
        request_headers=item.request_headers,
        response_headers=item.response_headers,
        request_body=request,
        response_body=response,
        status=item.status or 0,
        latency_ms=item.latency_ms,
        request_size=item.request_size,
        response_size=item.response_size,
        client_ip=item.client_ip or "",
        client_port=item.client_port,
        server_ip=item.server_ip or "",
        server_port=item.server_port,
        route_hint=item.route_hint,
        consumer=item.consumer,
        truncated=bool(item.truncated),
    )


def _octets(text: str | None, encoding: str | None) -> bytes | None:
    if text is None:
        return None
    return b64decode(text, validate=True) if encoding == "base64" else text.encode("utf-8", "surrogatepass")


def _mistake(item: Line, ts: float) -> str:
    if not _EARLIEST <= ts < _LATEST:
        return "`ts` is before 1970 or after 2199"
    if not _TOKEN.fullmatch(item.method):
        return "`method` is not an HTTP method"
    if item.status is not None and item.status != 0 and not 100 <= item.status <= _MAX_STATUS:
        return "`status` is not between 100 and 999"
    if not item.path:
        return "`path` is empty"
    if any(size is not None and size < 0 for size in (item.request_size, item.response_size)):
        return "a size is negative"
    return ""


def _invalid(error: msgspec.ValidationError, number: int, line: bytes) -> Rejection:
    """The decoder's message names members and types, never values."""
    text = str(error)
    if "missing required field" in text:
        return refuse(RejectionReason.MISSING_MEMBER, text.removeprefix("Object "), number, line)
    place = _AT.search(text)
    member = place.group(1).split("[")[0] if place else ""
    column = line.find(f'"{member}"'.encode()) + 1 if member else 0
    detail = _AT.sub("", text) + (f" at `{member}`" if member else "")
    reason = RejectionReason.INVALID_VALUE if member else RejectionReason.MALFORMED
    return refuse(reason, detail if member else "not a JSON object", number, line, column)
