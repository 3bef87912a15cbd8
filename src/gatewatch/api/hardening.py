"""What protects the server from requests and the browser from answers, on every route."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["MAX_DOCUMENT_BYTES", "SECURITY_HEADERS", "BodyLimit", "SecurityHeaders"]

SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
MAX_DOCUMENT_BYTES = 1024 * 1024
"""A request's JSON document; the largest meant, 1000 ids of dead letters, has 40 kB."""


class BodyLimit:
    """Refuses larger bodies. The framework reads a JSON body whole before it asks for the token, so this must not wait
    for one: otherwise anybody could fill the memory.
    """  # noqa: D205 - the reason belongs to the first sentence

    def __init__(self, app: ASGIApp, *, streaming: frozenset[str]) -> None:
        """`streaming`: paths that read their body themselves, after the token, with their own limit."""
        self._app, self._streaming = app, streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes."""
        if scope["type"] != "http" or scope["path"] in self._streaming:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        seen = int(declared) if declared.isdecimal() and int(declared) > MAX_DOCUMENT_BYTES else 0

        async def counted() -> Message:
            nonlocal seen
            if seen <= MAX_DOCUMENT_BYTES:
                message = await receive()
                seen += len(message.get("body", b""))
                if seen <= MAX_DOCUMENT_BYTES:
                    return message
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_DOCUMENT_BYTES} octets", {"connection": "close"}
            )

        await self._app(scope, counted, send)


class SecurityHeaders:
    """Adds SECURITY_HEADERS to every answer that does not say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Touch only the start of the answer."""

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, headed)
