"""HTTP: one request, one bounded answer; no redirects, no proxies of the environment, no logs of addresses.

`httpx` would log the whole address, which may be a secret, so its transport layer (`httpcore`) is used directly.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore
import httpx

from gatewatch.egress.errors import EgressError
from gatewatch.egress.guard import Guard, check_url, first_of
from gatewatch.egress.tls import tls_context

__all__ = ["MAX_ANSWER_BYTES", "HttpClient", "retry_after"]

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_NOT_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.UnsupportedProtocol)
_FAILURES = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError)
_OWN_HEADERS = {"accept-encoding": "identity", "user-agent": "gatewatch"}
"""Nothing is compressed: a small answer must not become a large one."""


class HttpClient:
    """For one connection of the settings. Thread-safe."""

    def __init__(
        self,
        guard: Guard,
        *,
        timeout_s: float,
        ca_file: str = "",
        proxy: str = "",
        insecure: bool = False,
        keep: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ConfigurationError for certificates that can't be used.

        `timeout_s` bounds every wait and, unless connections are kept open (`keep`), the whole exchange. With a
        connection for each request, one that could not be opened has surely sent nothing.
        """
        self._guard, self._insecure, self._timeout = guard, insecure, timeout_s
        backend = _Backend(guard if not proxy else _to_proxy(proxy), None if keep else timeout_s, clock)
        idle = None if keep else 0
        context = tls_context(ca_file)
        self._pool = (
            httpcore.HTTPProxy(proxy, ssl_context=context, network_backend=backend, max_keepalive_connections=idle)
            if proxy
            else httpcore.ConnectionPool(context, network_backend=backend, max_keepalive_connections=idle)
        )

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> httpx.Response:
        """The answer, whatever its status. Raises EgressError when there is none, ConfigurationError for the URL."""
        host = check_url(url, insecure=self._insecure).hostname or ""
        self._guard.check_host(host)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)
        with (
            _told(host),
            self._pool.stream(
                method,
                _target(url, host),
                headers=list({**_OWN_HEADERS, **headers}.items()),
                content=content,
                extensions={"timeout": timeouts},
            ) as answer,
        ):
            body = _bounded(answer.iter_stream(), max_bytes, host)
            return _response(answer, body, host)

    def close(self) -> None:
        """Close connections."""
        self._pool.close()


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the target asks to wait (RFC 9110, 10.2.3); a date counts from the answer's own date."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        wanted, told = parsedate_to_datetime(text), parsedate_to_datetime(response.headers.get("date", ""))
        return max(0.0, wanted.timestamp() - told.timestamp())
    except (ValueError, OverflowError):
        return None


@contextmanager
def _told(host: str) -> Iterator[None]:
    try:
        yield
    except _NOT_SENT as error:
        raise EgressError(f"no answer from {host}: {type(error).__name__}", sent=False) from error
    except _FAILURES as error:
        raise EgressError(f"no answer from {host}: {type(error).__name__}", sent=True) from error


def _target(url: str, host: str) -> httpcore.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise EgressError(f"no request to {host}: the address is not valid", sent=False) from error
    return httpcore.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)


def _bounded(parts: Iterable[bytes], most: int, host: str) -> bytes:
    found = bytearray()
    for part in parts:
        found += part
        if len(found) > most:
            raise EgressError(f"the answer of {host} is longer than {most} octets", sent=True)
    return bytes(found)


def _response(answer: httpcore.Response, body: bytes, host: str) -> httpx.Response:
    headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-encoding"]
    encodings = [value for name, value in answer.headers if name.lower() == b"content-encoding"]
    if any(value.strip().lower() not in (b"", b"identity") for value in encodings):
        raise EgressError(f"{host} answered in a compressed form that was not asked for", sent=True)
    return httpx.Response(answer.status, headers=headers, content=body)


def _to_proxy(proxy: str) -> Guard:
    """The proxy is named in the settings, wherever it stands; it then looks up the hosts."""
    host = check_url(proxy, insecure=True).hostname or ""
    return Guard([host], private=[host])


class _Backend(httpcore.NetworkBackend):
    """Connects to addresses that were checked; TLS and the Host header keep the name."""

    def __init__(self, guard: Guard, total_s: float | None, clock: Callable[[], float]) -> None:
        self._guard, self._total, self._clock = guard, total_s, clock
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        until = None if self._total is None else self._clock() + self._total

        def opened(address: str) -> httpcore.NetworkStream:
            return self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

        failures = (httpcore.ConnectError, httpcore.ConnectTimeout)
        stream: httpcore.NetworkStream = first_of(self._guard.addresses(host, port), opened, host, failures)
        return stream if until is None else _Timed(stream, until, self._clock)


class _Timed(httpcore.NetworkStream):
    """A stream that ends at a moment however slowly its octets come."""

    def __init__(self, inner: httpcore.NetworkStream, until: float, clock: Callable[[], float]) -> None:
        self._inner, self._until, self._clock = inner, until, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._left(timeout, httpcore.ConnectTimeout)
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, left), self._until, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def _left(self, timeout: float | None, late: type[httpcore.TimeoutException]) -> float:
        left = self._until - self._clock()
        if left <= 0:
            raise late
        return left if timeout is None else min(timeout, left)
