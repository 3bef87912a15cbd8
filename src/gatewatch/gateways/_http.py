"""HTTP to gateways' administration: one host, and what its answers mean. Requests leave through `gatewatch.egress`."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

import msgspec

from gatewatch import __version__
from gatewatch.egress.errors import EgressError
from gatewatch.egress.guard import Guard, check_url
from gatewatch.egress.http import HttpClient, retry_after
from gatewatch.ports.gateways import ChangedMeanwhileError, GatewayAwayError, GatewayError, RefusedError

__all__ = ["Answer", "Http", "HttpSettings"]

_CHANGED = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_UNAUTHENTICATED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_AGENT = f"gatewatch/{__version__}"
"""CrowdSec lets nobody in whose agent has no version."""
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
    """A client for one address. The settings name its host, so it may stand in a private network or on this machine."""

    def __init__(self, settings: HttpSettings) -> None:
        """Raises ConfigurationError."""
        self.host = check_url(settings.url, insecure=settings.insecure).hostname or ""
        self._url = settings.url.rstrip("/")
        self._client = HttpClient(
            Guard([self.host], private=[self.host]),
            timeout_s=settings.timeout_s,
            ca_file=settings.ca_file,
            insecure=settings.insecure,
            keep=True,
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
        given = {"user-agent": _AGENT, **(headers or {})}
        if body is not None:
            content = msgspec.json.encode(body)
            given.setdefault("content-type", "application/json")
        try:
            found = self._client.send(
                method, self._url + path, headers=given, content=content or b"", max_bytes=_MAX_ANSWER
            )
        except EgressError as error:
            raise GatewayAwayError(error.message, cure=error.cure) from error
        if not found.is_success and found.status_code not in accept:
            told = f"{self.host} answered {found.status_code} to {method} {path.partition('?')[0]}"
            raise _failure(found.status_code, told, retry_after(found))
        return Answer(found.status_code, found.content, found.headers.get("etag", ""))

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _failure(status: int, told: str, wait_s: float | None) -> GatewayError:
    if status in _CHANGED:
        return ChangedMeanwhileError(told)
    if status in _UNAUTHENTICATED:
        return GatewayAwayError(told, cure="Give a credential that may do this; it is read again at every attempt.")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return GatewayAwayError(told, retry_after_s=wait_s)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return GatewayAwayError(f"{told}: redirects are not followed", cure="Give the address it leads to.")
    return RefusedError(told)
