"""WSGI middleware for Flask, Django, Bottle and others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from gatewatch.sdk.recording import BodyBuffer, call_record
from gatewatch.sdk.sending import Sender

__all__ = ["GatewatchWsgi"]

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
App = Callable[[Environ, StartResponse], Iterable[bytes]]


class _Input:
    """The request's body on its way into the application."""

    def __init__(self, stream: Any, buffer: BodyBuffer) -> None:
        self._stream, self._buffer = stream, buffer

    def read(self, *size: int) -> bytes:
        data: bytes = self._stream.read(*size)
        self._buffer.add(data)
        return data

    def readline(self, *size: int) -> bytes:
        data: bytes = self._stream.readline(*size)
        self._buffer.add(data)
        return data

    def readlines(self, *hint: int) -> list[bytes]:
        lines: list[bytes] = self._stream.readlines(*hint)
        for line in lines:
            self._buffer.add(line)
        return lines

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self._buffer.add(line)
            yield line


class _Output:
    """The response on its way out; the call is recorded when the server closes it."""

    def __init__(self, body: Iterable[bytes], buffer: BodyBuffer, finish: Callable[[], None]) -> None:
        self._body, self._buffer, self._finish = body, buffer, finish

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._body:
            self._buffer.add(chunk)
            yield chunk

    def close(self) -> None:
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._finish()


class GatewatchWsgi:
    """Wraps a WSGI application. What the application does, raises or streams goes through untouched."""

    def __init__(self, app: App, sender: Sender) -> None:
        """`sender` may be shared by several applications."""
        self._app, self._sender = app, sender

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Record one call."""
        started, request_body, response_body = time.time(), BodyBuffer(), BodyBuffer()
        answer: dict[str, Any] = {"status": 500, "headers": []}
        environ["wsgi.input"] = _Input(environ["wsgi.input"], request_body)

        def starting(status: str, headers: list[tuple[str, str]], *more: Any) -> Callable[[bytes], object]:
            answer.update(status=int(status[:3]) if status[:3].isdecimal() else 0, headers=list(headers))
            return start_response(status, headers, *more)

        def finish() -> None:
            self._record(environ, started, answer, request_body, response_body)

        try:
            body = self._app(environ, starting)
        except BaseException:
            finish()
            raise
        return _Output(body, response_body, finish)

    def _record(
        self,
        environ: Environ,
        started: float,
        answer: dict[str, Any],
        request_body: BodyBuffer,
        response_body: BodyBuffer,
    ) -> None:
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        port = str(environ.get("REMOTE_PORT", ""))
        self._sender.put(
            call_record(
                started=started,
                finished=time.time(),
                method=environ.get("REQUEST_METHOD", ""),
                scheme=environ.get("wsgi.url_scheme", ""),
                host=str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or ""),
                path=quote(path.encode("latin-1", "replace")) or "/",
                query=environ.get("QUERY_STRING", ""),
                status=answer["status"],
                client=(environ.get("REMOTE_ADDR", ""), int(port) if port.isdecimal() else None),
                request_headers=_headers(environ),
                response_headers=answer["headers"],
                request_body=request_body,
                response_body=response_body,
                route=_route(environ),
                user=environ.get("REMOTE_USER") or None,
            )
        )


def _headers(environ: Environ) -> list[tuple[str, str]]:
    found = [
        (name[5:].replace("_", "-").lower(), str(value)) for name, value in environ.items() if name.startswith("HTTP_")
    ]
    found += [
        (n.replace("_", "-").lower(), str(environ[n])) for n in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(n)
    ]
    return found


def _route(environ: Environ) -> str | None:
    """The framework's template: Flask's rule, Django's resolver match."""
    rule = getattr(getattr(environ.get("werkzeug.request"), "url_rule", None), "rule", None)
    rule = rule or getattr(getattr(environ.get("django.request"), "resolver_match", None), "route", None)
    return rule if isinstance(rule, str) and rule.startswith("/") else None
