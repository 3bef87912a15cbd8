"""HAR 1.2: what browsers and proxies export."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO
from urllib.parse import urlencode, urlsplit

import msgspec

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Headers, Transaction
from gatewatch.ports.wire import Origin, WireFormat, WireFormatMeta

__all__ = ["Har"]


class _Log(msgspec.Struct):
    entries: list[msgspec.Raw]


class _Document(msgspec.Struct):
    log: _Log


_DOCUMENT = msgspec.json.Decoder(_Document)
_ENTRY = msgspec.json.Decoder(dict[str, Any])


class Har(WireFormat):
    """A HAR document; a payload is a smaller HAR document."""

    meta = WireFormatMeta(
        id="har",
        title="HAR 1.2",
        description="Exports of browsers, mitmproxy and API clients.",
        evidence=Evidence.PATH
        | Evidence.REQUEST_HEADERS
        | Evidence.RESPONSE_HEADERS
        | Evidence.REQUEST_BODY
        | Evidence.RESPONSE_BODY
        | Evidence.IDENTITY
        | Evidence.LATENCY
        | Evidence.SIZES
        | Evidence.USER_AGENT,
        references=("http://www.softwareishard.com/blog/har-12-spec/",),
    )

    def sniff(self, head: bytes, name: str) -> float:
        """An object whose beginning has `log`."""
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if not start.startswith(b"{") or b'"log"' not in start[:4096]:
            return 0.0
        return 0.98 if b'"entries"' in head or name.endswith(".har") else 0.6

    def payloads(self, stream: BinaryIO, *, max_bytes: int) -> Iterator[tuple[bytes, int]]:
        """Documents of several entries each; `first_line` counts entries. A broken document is one payload."""
        data = stream.read().removeprefix(b"\xef\xbb\xbf")
        try:
            entries = _DOCUMENT.decode(data).log.entries
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield data, 1
            return
        chunk: list[msgspec.Raw] = []
        size, first = 0, 1
        for number, entry in enumerate(entries, start=1):
            chunk.append(entry)
            size += len(bytes(entry))
            if size >= max_bytes:
                yield _document(chunk), first
                chunk, size, first = [], 0, number + 1
        if chunk:
            yield _document(chunk), first

    def count(self, payload: bytes) -> int:
        """Entries; a broken document counts as one."""
        try:
            return len(_DOCUMENT.decode(payload).log.entries)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return 1

    def decode(self, payload: bytes, origin: Origin) -> Iterator[Transaction | Rejection]:
        """One result per entry, located by the entry's number."""
        try:
            entries = _DOCUMENT.decode(payload).log.entries
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            detail = "not a HAR document: no `log.entries`"
            yield Rejection(reason=RejectionReason.MALFORMED, detail=detail, line=origin.first_line, raw=payload)
            return
        for number, entry in enumerate(entries, start=origin.first_line):
            raw = bytes(entry)
            try:
                yield _transaction(_ENTRY.decode(raw), number, origin)
            except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
                missing = isinstance(error, KeyError)
                yield Rejection(
                    reason=RejectionReason.MISSING_MEMBER if missing else RejectionReason.INVALID_VALUE,
                    detail=f"entry {number} lacks {error}"
                    if missing
                    else f"entry {number} has a member of a wrong form",
                    line=number,
                    raw=raw,
                )


def _document(entries: list[msgspec.Raw]) -> bytes:
    return b'{"log":{"entries":[' + b",".join(bytes(entry) for entry in entries) + b"]}}"


def _headers(items: list[dict[str, Any]] | None) -> Headers:
    return [(str(item["name"]), str(item["value"])) for item in items or [] if not str(item["name"]).startswith(":")]


def _pseudo(items: list[dict[str, Any]] | None, name: str) -> str:
    return next((str(item["value"]) for item in items or [] if item["name"] == name), "")


def _transaction(entry: dict[str, Any], number: int, origin: Origin) -> Transaction:
    request, response = entry["request"], entry["response"]
    moment = datetime.fromisoformat(str(entry["startedDateTime"]))
    url = urlsplit(str(request["url"]))
    status = int(response.get("status") or 0)
    if status and not 100 <= status <= 999:
        raise ValueError("status")
    duration = entry.get("time")
    return Transaction(
        id=f"{origin.position}:{number}",
        ts=(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(),
        method=str(request["method"]),
        path=url.path or "/",
        scheme=url.scheme,
        host=url.netloc.rpartition("@")[2] or _pseudo(request.get("headers"), ":authority"),
        query=url.query,
        http_version=str(request.get("httpVersion") or "").upper().removeprefix("HTTP/"),
        request_headers=_headers(request.get("headers")),
        response_headers=_without_coding(_headers(response.get("headers"))),
        request_body=_posted(request.get("postData")),
        response_body=_content(response.get("content") or {}),
        status=status,
        latency_ms=float(duration) if isinstance(duration, int | float) and duration >= 0 else None,
        request_size=_known(request.get("bodySize")),
        response_size=_known(response.get("bodySize")),
        server_ip=str(entry.get("serverIPAddress") or ""),
    )


def _without_coding(headers: Headers) -> Headers:
    """HAR bodies are already decoded."""
    return [(name, value) for name, value in headers if name.lower() != "content-encoding"]


def _posted(data: dict[str, Any] | None) -> bytes | None:
    if not data:
        return b""
    if data.get("text"):
        return str(data["text"]).encode("utf-8", "surrogatepass")
    pairs = [(str(item.get("name", "")), str(item.get("value", ""))) for item in data.get("params") or []]
    return urlencode(pairs).encode()


def _content(content: dict[str, Any]) -> bytes | None:
    text = content.get("text")
    if text is None:
        return None
    if content.get("encoding") == "base64":
        try:
            return b64decode(str(text), validate=False)
        except Base64Error:
            return str(text).encode()
    return str(text).encode("utf-8", "surrogatepass")


def _known(size: object) -> int | None:
    return size if isinstance(size, int) and size >= 0 else None
