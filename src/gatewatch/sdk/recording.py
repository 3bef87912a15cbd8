"""One call as a line of Gatewatch NDJSON v1."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

__all__ = ["MAX_BODY_BYTES", "BodyBuffer", "call_record", "is_textual"]

MAX_BODY_BYTES = 65_536
"""Gatewatch reads no more of a body anyway."""
_TEXTUAL = ("json", "xml", "text/", "form", "graphql")


def is_textual(content_type: str) -> bool:
    """Whether bodies of this media type are worth sending."""
    lower = content_type.lower()
    return any(mark in lower for mark in _TEXTUAL)


class BodyBuffer:
    """The beginning of a body and its whole size."""

    __slots__ = ("cut", "data", "size")

    def __init__(self) -> None:
        """Empty."""
        self.data, self.size, self.cut = bytearray(), 0, False

    def add(self, chunk: bytes) -> None:
        """Keep what fits."""
        self.size += len(chunk)
        room = MAX_BODY_BYTES - len(self.data)
        if room > 0:
            self.data += chunk[:room]
        self.cut = self.cut or len(chunk) > room


def _text(body: BodyBuffer | None) -> tuple[str | None, str | None]:
    if body is None:
        return None, None
    try:
        return bytes(body.data).decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(bytes(body.data)).decode(), "base64"


def call_record(
    *,
    started: float,
    finished: float,
    method: str,
    scheme: str,
    host: str,
    path: str,
    query: str,
    status: int,
    client: tuple[str, int | None],
    request_headers: Iterable[tuple[str, str]],
    response_headers: Iterable[tuple[str, str]],
    request_body: BodyBuffer,
    response_body: BodyBuffer,
    route: str | None,
    user: str | None,
) -> dict[str, Any]:
    """The line's members; bodies only of textual types."""
    request, response = list(request_headers), list(response_headers)
    kinds = {
        side: next((v for n, v in headers if n.lower() == "content-type"), "")
        for side, headers in (("q", request), ("r", response))
    }
    request_text, request_encoding = _text(request_body if is_textual(kinds["q"]) or not request_body.size else None)
    response_text, response_encoding = _text(
        response_body if is_textual(kinds["r"]) or not response_body.size else None
    )
    return {
        "id": uuid.uuid4().hex,
        "ts": datetime.fromtimestamp(started, UTC).isoformat(),
        "method": method,
        "scheme": scheme,
        "host": host,
        "path": path,
        "query": query,
        "request_headers": request,
        "response_headers": response,
        "request_body": request_text,
        "request_body_encoding": request_encoding,
        "response_body": response_text,
        "response_body_encoding": response_encoding,
        "status": status,
        "latency_ms": round((finished - started) * 1000, 3),
        "request_size": request_body.size,
        "response_size": response_body.size,
        "client_ip": client[0],
        "client_port": client[1],
        "route_hint": route,
        "consumer": user,
        "truncated": request_body.cut or response_body.cut,
    }
