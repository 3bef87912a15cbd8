"""What adapters for AWS share: settings, signed requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from gatewatch.gateways._http import Answer, Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.gateways._sigv4 import Credentials, signed
from gatewatch.ports.clock import Clock

__all__ = ["AwsHttp", "AwsSettings"]


class AwsSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one account and region."""

    url: str = ""
    """'' means the region's own endpoint; a VPC endpoint's address else."""
    region: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}(-[a-z]+){1,3}-\d$")]
    access_key_id: Annotated[str, msgspec.Meta(pattern=r"^\w{8,128}$")]
    secret_access_key: SecretReference
    session_token: SecretReference | None = None
    """For credentials that end by themselves; read again at every request."""


class AwsHttp:
    """Signed requests to one service."""

    def __init__(self, settings: AwsSettings, service: str, clock: Clock) -> None:
        """Raises ConfigurationError."""
        self._given, self._service, self._clock = settings, service, clock
        domain = "amazonaws.com.cn" if settings.region.startswith("cn-") else "amazonaws.com"
        self._url = (settings.url or f"https://{service}.{settings.region}.{domain}").rstrip("/")
        self._http = Http(msgspec.structs.replace(settings, url=self._url))

    def call(
        self, method: str, path: str, *, content: bytes, headers: Mapping[str, str], accept: tuple[int, ...]
    ) -> Answer:
        """As `Http.call`. Raises GatewayAwayError also for a secret that can't be read."""
        session = self._given.session_token
        credentials = Credentials(
            key_id=self._given.access_key_id,
            secret=resolve(self._given.secret_access_key),
            session=resolve(session) if session else "",
        )
        given = signed(
            method,
            self._url + path,
            headers,
            content,
            credentials=credentials,
            region=self._given.region,
            service=self._service,
            at=self._clock.now(),
        )
        return self._http.call(method, path, content=content, headers=given, accept=accept)

    def close(self) -> None:
        """Close connections."""
        self._http.close()
