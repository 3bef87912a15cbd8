"""Forward auth over HTTP: Traefik's forwardAuth, nginx's auth_request, Caddy's forward_auth, Envoy's HTTP ext_authz."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from typing import Any

import uvicorn

from gatewatch.errors import StoreError
from gatewatch.gateways.ext_authz import Checks
from gatewatch.observe.client_address import ClientAddresses

__all__ = ["ForwardAuth"]

_START_S = 10.0


class ForwardAuth:
    """Answers 200 to let a call pass; 403, 429 or 503 otherwise. Any path; everything is told by X-Forwarded headers.

    Those are believed only from the gateways named, as is what X-Forwarded-For says of proxies before them.
    """

    def __init__(self, checks: Checks, address: str, trusted: Sequence[str]) -> None:
        """`address`: host:port. `trusted`: networks of the gateways and the proxies before them."""
        self._checks = checks
        host, _, port = address.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._addresses = ClientAddresses(trusted, ())
        self._vouching = ClientAddresses((), tuple(trusted))
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self.port = 0
        """The port bound."""

    def start(self) -> None:
        """Listen. Raises StoreError when the address is taken."""
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
        except OSError as error:
            listener.close()
            raise StoreError(
                f"can't listen on {self._host}:{self._port}", cure="Set asked.http to a free one."
            ) from error
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            interface="asgi3",
            proxy_headers=False,  # who the peer really is decides whom we believe
            log_level="error",
            access_log=False,
            lifespan="off",
            ws="none",
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="forward-auth", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer what was asked, then close."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_START_S)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        del receive
        if scope["type"] != "http":
            return
        status, headers = self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, scope: Any) -> tuple[int, list[tuple[bytes, bytes]]]:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        peer = (scope.get("client") or ("",))[0]
        _, stranger = self._vouching.resolve(peer, {})
        if stranger:
            return 421, []
        address, _ = self._addresses.resolve(peer, headers)
        query = scope.get("query_string", b"").decode("latin-1")
        asked = scope.get("raw_path", b"/").decode("latin-1").partition("?")[0] + (f"?{query}" if query else "")
        verdict = self._checks.check(
            address=address,
            method=headers.get("x-forwarded-method", scope["method"]),
            host=headers.get("x-forwarded-host") or headers.get("host", ""),
            target=headers.get("x-forwarded-uri", asked),
            headers=headers,
        )
        told = []
        if verdict.retry_after_s:
            told.append((b"retry-after", str(verdict.retry_after_s).encode()))
        if verdict.status == 200 and verdict.enforcement:
            told.append((b"x-gatewatch-mirror", verdict.enforcement.encode()))
        return verdict.status, told
