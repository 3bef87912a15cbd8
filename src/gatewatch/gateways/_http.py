"""HTTP to gateways' administration: one host, TLS verified, no redirects, no proxies from the environment."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.ports.gateways import ChangedMeanwhileError, GatewayAwayError, RefusedError

__all__ = ["Answer", "Http", "HttpSettings"]

_CHANGED = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_UNAUTHENTICATED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_MAX_ANSWER = 16 * 1024 * 1024


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of every gateway that is told over HTTP."""

    url: str
    """Address of the administration: `https://…`; `http://` to this machine, or to anywhere with `insecure`."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    insecure: bool = False
    """Allow `http://` to other machines. Certificates are always verified."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 10.0


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    body: bytes
    etag: str

    def json(self) -> Any:
        """Decoded; None when there is none. Raises GatewayAwayError for anything else than JSON."""
        if not self.body:
            return None
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GatewayAwayError("the gateway's answer is no JSON") from error


class Http:
    """A client for one address."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises ConfigurationError."""
        _check(settings)
        self._url = settings.url.rstrip("/")
        self.host = urlsplit(settings.url).hostname or ""
        self._client = httpx.Client(
            verify=_tls(settings.ca_file), timeout=settings.timeout_s, follow_redirects=False, trust_env=False
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (),
    ) -> Answer:
        """The answer when it is 2xx or `accept`ed. `body` is sent as JSON.

        Raises GatewayAwayError (no answer, 5xx, 401, 403, 429), ChangedMeanwhileError (409, 412), RefusedError (4xx).
        """
        given = dict(headers or {})
        if body is not None:
            content = msgspec.json.encode(body)
            given.setdefault("content-type", "application/json")
        try:
            found = self._client.request(method, self._url + path, content=content, headers=given)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise GatewayAwayError(f"no answer from {self.host}: {type(error).__name__}") from error
        if len(found.content) > _MAX_ANSWER:
            raise GatewayAwayError(f"{self.host} answered with more than {_MAX_ANSWER} octets")
        if not found.is_success and found.status_code not in accept:
            self._fail(found, method, path)
        return Answer(found.status_code, found.content, found.headers.get("etag", ""))

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _fail(self, found: httpx.Response, method: str, path: str) -> None:
        told = f"{self.host} answered {found.status_code} to {method} {path.partition('?')[0]}"
        status = found.status_code
        if status in _CHANGED:
            raise ChangedMeanwhileError(told)
        if status in _UNAUTHENTICATED:
            raise GatewayAwayError(told, cure="Give a credential that may do this; it is read again at every attempt.")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
            wait = found.headers.get("retry-after", "")
            raise GatewayAwayError(told, retry_after_s=float(wait) if wait.isdecimal() else None)
        if found.is_redirect:
            raise GatewayAwayError(f"{told}: redirects are not followed", cure="Give the address it leads to.")
        raise RefusedError(told)


def _check(settings: HttpSettings) -> None:
    parts = urlsplit(settings.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("url is not an http(s) address with a host")
    if parts.username or parts.password:
        raise ConfigurationError("url carries a user or password", cure="Use the gateway's own setting for secrets.")
    if parts.scheme == "http" and not settings.insecure and not _is_loopback(parts.hostname):
        raise ConfigurationError(
            f"url talks to {parts.hostname} without TLS", cure="Use https://, or allow it with `insecure = true`."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls(ca_file: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ConfigurationError(f"can't use the certificates in {ca_file}: {type(error).__name__}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
