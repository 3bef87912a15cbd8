"""Envoy's external authorization over gRPC, answered by what is in force."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import grpc
from envoy.config.core.v3 import base_pb2
from envoy.service.auth.v3 import external_auth_pb2 as auth
from envoy.type.v3 import http_status_pb2
from google.rpc import code_pb2, status_pb2

from gatewatch.errors import StoreError
from gatewatch.model.decision import Verdict
from gatewatch.observe.client_address import ClientAddresses

__all__ = ["Checks", "ExtAuthz"]

_SERVICE = "envoy.service.auth.v3.Authorization"
_THREADS = 8
_STOP_GRACE_S = 2.0


class Checks(Protocol):
    """Judges calls; thread-safe."""

    def check(self, *, address: str, method: str, host: str, target: str, headers: Mapping[str, str]) -> Verdict:
        """`target`: path and query as sent; header names in lower case."""
        ...


class ExtAuthz:
    """One gRPC server. Bodies are not needed.

    Envoy tells the peer of the connection (measured with 1.40), not the client that it trusts: behind proxies the
    client is read from X-Forwarded-For as far as the proxies are trusted.
    """

    def __init__(self, checks: Checks, address: str, trusted: Sequence[str]) -> None:
        """Nothing listens before `start`. `trusted`: networks of the proxies before Envoy."""
        self._checks, self._address = checks, address
        self._addresses = ClientAddresses(trusted, ())
        self._server: Any = None
        self.port = 0
        """The port bound."""

    def start(self) -> None:
        """Listen. Raises StoreError when the address is taken."""
        self._server = grpc.server(
            ThreadPoolExecutor(_THREADS, thread_name_prefix="ext-authz"), options=[("grpc.so_reuseport", 0)]
        )
        method = grpc.unary_unary_rpc_method_handler(
            self._check,
            request_deserializer=auth.CheckRequest.FromString,
            response_serializer=auth.CheckResponse.SerializeToString,
        )
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, {"Check": method}),))
        try:
            self.port = self._server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise StoreError(f"can't listen on {self._address}", cure="Set asked.grpc to a free one.") from error
        self._server.start()

    def stop(self) -> None:
        """Answer what was asked, then close."""
        if self._server is not None:
            self._server.stop(_STOP_GRACE_S).wait()

    def _check(self, request: Any, context: Any) -> Any:
        del context
        http = request.attributes.request.http
        headers = dict(http.headers)
        client, _ = self._addresses.resolve(request.attributes.source.address.socket_address.address, headers)
        verdict = self._checks.check(
            address=client,
            method=http.method,
            host=http.host,
            target=http.path,
            headers=headers,
        )
        if verdict.status == 200:
            mirrored = [_header("x-gatewatch-mirror", verdict.enforcement)] if verdict.enforcement else []
            return auth.CheckResponse(
                status=status_pb2.Status(code=code_pb2.OK), ok_response=auth.OkHttpResponse(headers=mirrored)
            )
        wait = [_header("retry-after", str(verdict.retry_after_s))] if verdict.retry_after_s else []
        denied = auth.DeniedHttpResponse(status=http_status_pb2.HttpStatus(code=verdict.status), headers=wait)
        code = code_pb2.RESOURCE_EXHAUSTED if verdict.status == 429 else code_pb2.PERMISSION_DENIED
        return auth.CheckResponse(status=status_pb2.Status(code=code), denied_response=denied)


def _header(name: str, value: str) -> Any:
    return base_pb2.HeaderValueOption(header=base_pb2.HeaderValue(key=name, value=value))
