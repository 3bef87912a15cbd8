"""ASGI middleware for Starlette, FastAPI, Django, Quart and others."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from gatewatch.sdk.recording import BodyBuffer, call_record
from gatewatch.sdk.sending import Sender

__all__ = ["GatewatchAsgi"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class GatewatchAsgi:
    """Wraps an ASGI application. What the application does, raises or streams goes through untouched."""

    def __init__(self, app: App, sender: Sender) -> None:
        """`sender` may be shared by several applications."""
        self._app, self._sender = app, sender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Record HTTP calls; everything else passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.time(), 0
        request_body, response_body = BodyBuffer(), BodyBuffer()
        response_headers: list[tuple[bytes, bytes]] = []

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                request_body.add(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                response_headers.extend(message.get("headers", ()))
            elif message["type"] == "http.response.body":
                response_body.add(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receiving, sending)
        finally:
            self._record(scope, started, status or 500, response_headers, request_body, response_body)

    def _record(
        self,
        scope: Scope,
        started: float,
        status: int,
        response_headers: list[tuple[bytes, bytes]],
        request_body: BodyBuffer,
        response_body: BodyBuffer,
    ) -> None:
        headers = _decoded(scope.get("headers", ()))
        client = scope.get("client") or ("", None)
        raw_path = scope.get("raw_path") or scope.get("path", "/").encode()
        self._sender.put(
            call_record(
                started=started,
                finished=time.time(),
                method=scope.get("method", ""),
                scheme=scope.get("scheme", ""),
                host=next((value for name, value in headers if name == "host"), ""),
                path=raw_path.decode("latin-1").partition("?")[0],
                query=scope.get("query_string", b"").decode("latin-1"),
                status=status,
                client=(str(client[0]), client[1]),
                request_headers=headers,
                response_headers=_decoded(response_headers),
                request_body=request_body,
                response_body=response_body,
                route=_route(scope),
                user=_user(scope),
            )
        )


def _decoded(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _route(scope: Scope) -> str | None:
    """The framework's template: Starlette and FastAPI put their route into the scope."""
    template = getattr(scope.get("route"), "path_format", None) or getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) and template.startswith("/") else None


def _user(scope: Scope) -> str | None:
    user = scope.get("user")
    name = getattr(user, "display_name", None) or getattr(user, "username", None) if user is not None else None
    return name if isinstance(name, str) and name else None
