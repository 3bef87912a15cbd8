"""What transports over HTTP share: one host, no redirects, and what an answer means."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated

import httpx
import msgspec

from gatewatch.egress.errors import EgressError
from gatewatch.egress.guard import Guard, check_url
from gatewatch.egress.http import HttpClient, retry_after
from gatewatch.egress.secrets import is_reference
from gatewatch.errors import ConfigurationError
from gatewatch.exporters._secrets import resolve
from gatewatch.ports.export import BatchRefusedError, DeliveryError

__all__ = ["Connection", "HttpSettings", "judge", "retry_after"]

_CONTENT_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
_MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""Elasticsearch answers with a line for every item of a batch."""


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


class Connection:
    """A client for one URL's host. The settings name that host, so it may stand in a private network."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises ConfigurationError."""
        self._settings = settings
        self.host = ""
        """For messages; the rest of the address may be a secret."""
        self._client = self._opened("")
        if not is_reference(settings.url):
            self._address()
        self.host = self.host or "the target"

    def post(self, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """The answer, whatever it is. Raises DeliveryError when there is none; its text never has the URL."""
        try:
            url = self._address() + path
            return self._client.send("POST", url, headers=headers, content=content, max_bytes=_MAX_ANSWER_BYTES)
        except (ConfigurationError, EgressError) as error:
            raise DeliveryError(error.message, cure=error.cure) from error

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def _address(self) -> str:
        given = self._settings.url
        url = resolve(given) if is_reference(given) else given
        host = check_url(url, insecure=self._settings.insecure).hostname or ""
        if host != self.host:
            self._client.close()
            self._client, self.host = self._opened(host), host
        return url.rstrip("/")

    def _opened(self, host: str) -> HttpClient:
        settings = self._settings
        return HttpClient(
            Guard([host], private=[host]),
            timeout_s=settings.timeout_s,
            ca_file=settings.ca_file,
            proxy=settings.proxy,
            insecure=settings.insecure,
            keep=True,
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
