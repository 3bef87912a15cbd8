"""Tokens of Microsoft Entra for Azure Resource Manager."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import msgspec

from gatewatch.gateways._http import Http, HttpSettings
from gatewatch.gateways._secrets import SecretReference, resolve
from gatewatch.ports.clock import Clock
from gatewatch.ports.gateways import GatewayAwayError, RefusedError

__all__ = ["AzureSettings", "Tokens"]

_EARLY_S = 120.0


class AzureSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of everything that Azure Resource Manager does."""

    url: str = "https://management.azure.com"
    tenant: str
    client_id: str
    client_secret: SecretReference
    login_url: str = "https://login.microsoftonline.com"


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class Tokens:
    """Client credentials; one token until shortly before it ends."""

    def __init__(self, settings: AzureSettings, clock: Clock) -> None:
        """Opens nothing."""
        self._given, self._clock = settings, clock
        self._http = Http(HttpSettings(url=settings.login_url, ca_file=settings.ca_file, timeout_s=settings.timeout_s))
        self._token, self._until = "", 0.0

    def header(self) -> dict[str, str]:
        """Authorization. Raises GatewayAwayError."""
        now = self._clock.now()
        if now >= self._until:
            asked = {
                "grant_type": "client_credentials",
                "client_id": self._given.client_id,
                "client_secret": resolve(self._given.client_secret),
                "scope": f"{self._given.url.rstrip('/')}/.default",
            }
            path = f"/{quote(self._given.tenant, safe='')}/oauth2/v2.0/token"
            form = {"content-type": "application/x-www-form-urlencoded"}
            try:
                answer = self._http.call("POST", path, content=urlencode(asked).encode(), headers=form)
                token = msgspec.json.decode(answer.body, type=_Token)
            except (RefusedError, msgspec.DecodeError) as error:
                raise GatewayAwayError(
                    "Microsoft Entra gave no token", cure="Check tenant, client_id and client_secret."
                ) from error
            self._token, self._until = token.access_token, now + token.expires_in - _EARLY_S
        return {"authorization": f"Bearer {self._token}"}

    def close(self) -> None:
        """Close connections."""
        self._http.close()
