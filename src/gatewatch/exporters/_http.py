"""What transports over HTTP share: TLS, one host, no redirects, and what an answer means."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.exporters._secrets import resolve
from gatewatch.ports.export import BatchRefusedError, DeliveryError

__all__ = ["Connection", "HttpSettings", "is_loopback", "judge", "retry_after", "tls_context"]

_REFERENCES = ("env:", "file:")
_CONTENT_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of every transport over HTTP."""

    url: str
    """`https://…`; `http://` to this machine, or to anywhere with `insecure`. As `env:NAME` or `file:/path` when the
    address itself is a secret, as a logic app's is."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    insecure: bool = False
    """Allow `http://` to other machines. Certificates are always verified."""
    proxy: str = ""
    """HTTP proxy; the environment's proxies are not used."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Verifying, TLS 1.2 or newer. Raises ConfigurationError for a file that holds no certificates."""
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise ConfigurationError(f"can't use the certificates in {ca_file}: {type(error).__name__}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class Connection:
    """A client for one URL's host."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        self.host = "the target"
        """For messages; the rest of the address may be a secret."""
        if not settings.url.startswith(_REFERENCES):
            self._address()
        self._client = httpx.Client(
            verify=tls_context(settings.ca_file),
            timeout=settings.timeout_s,
            follow_redirects=False,
            trust_env=False,
            proxy=settings.proxy or None,
        )

    def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The answer, whatever it is. Raises DeliveryError when there is none; its text never has the URL."""
        try:
            address = self._address()
        except ConfigurationError as error:
            raise DeliveryError(error.message, cure=error.cure) from error
        try:
            return self._client.post(address + path, content=content, headers=dict(headers))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(f"no answer from {self.host}: {type(error).__name__}") from error

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _address(self) -> str:
        given = self._settings.url
        url = resolve(given) if given.startswith(_REFERENCES) else given
        check_url(url, insecure=self._settings.insecure)
        self.host = urlsplit(url).hostname or self.host
        return url.rstrip("/")


def check_url(url: str, *, insecure: bool) -> None:
    """Raises ConfigurationError; the URL itself may be a secret and is not repeated."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("url is not an http(s) address with a host")
    if parts.username or parts.password:
        raise ConfigurationError("url carries a user or password", cure="Use the transport's own setting for secrets.")
    if parts.scheme == "http" and not insecure and not is_loopback(parts.hostname):
        raise ConfigurationError(
            f"url sends to {parts.hostname} without TLS", cure="Use https://, or allow it with `insecure = true`."
        )


def judge(response: httpx.Response, host: str, *, detail: str = "") -> None:
    """Nothing for 2xx. Raises BatchRefusedError for what can't be taken, DeliveryError for what may be later."""
    if response.is_success:
        return
    told = f"{host} answered {response.status_code}" + (f" ({detail})" if detail else "")
    if response.is_redirect:
        raise DeliveryError(f"{told}: redirects are not followed", cure="Give the address it leads to.")
    if response.status_code in _CONTENT_REFUSED:
        raise BatchRefusedError(told)
    raise DeliveryError(told, retry_after_s=retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Seconds that the target asks to wait (RFC 9110, 10.2.3); a date counts from the answer's own date."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        wanted, told = parsedate_to_datetime(text), parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return None
    return max(0.0, (wanted - told).total_seconds())
