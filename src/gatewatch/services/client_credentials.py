"""OAuth 2.0 client credentials (RFC 6749, 4.4) over API tokens: the API token is the client, a short JWT is issued."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from gatewatch.ports.clock import Clock
from gatewatch.ports.control import Role, Token
from gatewatch.services.access import Access, UnauthenticatedError
from gatewatch.services.throttling import Allowance, Throttle

__all__ = ["LIFETIME_S", "ClientCredentials", "Grant", "permissions"]

LIFETIME_S = 3600
_ALGORITHM = "HS256"
_ISSUER = "urn:gatewatch:client-credentials"
_BAD_ATTEMPTS = (Allowance(10, 60), Allowance(100, 3600))
"""Wrong secrets per origin and client. A secret has 256 bits: this spares the server, nobody could guess one anyway."""
_READ = ("Incident.Read.All", "SecurityIncident.Read.All", "SecurityAlert.Read.All")
_WRITE = ("Incident.ReadWrite.All", "SecurityIncident.ReadWrite.All", "SecurityAlert.ReadWrite.All")
_MOST_TEXT = 4096


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What was issued."""

    text: str
    issued_at: int
    expires_in: int
    """Seconds."""


def permissions(role: Role) -> tuple[str, ...]:
    """The application permissions that a role comes to."""
    if role is Role.INGEST:
        return ()
    return _READ if role is Role.VIEWER else (*_READ, *_WRITE)


class ClientCredentials:
    """The JWT only says which API token it stands for: what that may do is read from the store at every use."""

    def __init__(self, access: Access, clock: Clock, key: bytes, *, tenant_id: str, new_id: Callable[[], str]) -> None:
        """`key` signs and is used for nothing else; `tenant_id` names this installation; `new_id` gives unique ids."""
        self._access, self._clock, self._key = access, clock, OctKey.import_key(key)
        self.tenant_id, self.new_id = tenant_id, new_id
        self.throttle = Throttle(clock)

    def issue(self, client_id: str, client_secret: str, *, audience: str, tenant: str, origin: str) -> Grant:
        """A JWT for who knows an API token's secret (alone or as `gw_id_secret`). `origin`: address of who asks.

        Raises UnauthenticatedError; ThrottledError after too many wrong ones from there for this client.
        """
        attempt = f"credentials {origin} {client_id[:64]}"
        self.throttle.check(attempt, _BAD_ATTEMPTS)
        text = client_secret if client_secret.startswith("gw_") else f"gw_{client_id}_{client_secret}"
        try:
            # A whole token text has to be the one of this client.
            token = self._access.authenticate(text if text.startswith(f"gw_{client_id}_") else "")
        except UnauthenticatedError:
            self.throttle.take(attempt, _BAD_ATTEMPTS)
            raise
        return self._signed(token, audience, tenant)

    def _signed(self, token: Token, audience: str, tenant: str) -> Grant:
        now = int(self._clock.now())
        end = min(now + LIFETIME_S, int(token.expires_at or now + LIFETIME_S))
        claims: dict[str, object] = {
            "iss": _ISSUER,
            "aud": audience,
            "iat": now,
            "nbf": now,
            "exp": end,
            "sub": token.id,
            "appid": token.id,
            "app_displayname": token.name,
            "tid": tenant,
            "roles": list(permissions(token.role)),
            "jti": self.new_id(),
        }
        text = jwt.encode({"alg": _ALGORITHM, "typ": "JWT"}, claims, self._key)
        return Grant(text=text, issued_at=now, expires_in=end - now)

    def check(self, text: str, allowed: Role) -> Token:
        """The API token behind a bearer text, JWT or API token itself. Raises Unauthenticated- or ForbiddenError."""
        if text.startswith("gw_"):
            return self._access.check(text, allowed)
        return self._access.vouched(self._subject(text), allowed)

    def _subject(self, text: str) -> str:
        wrong = UnauthenticatedError(
            "this needs a valid access token", cure="Get one from /{tenant}/oauth2/v2.0/token."
        )
        if len(text) > _MOST_TEXT or not text.isascii():
            raise wrong
        try:
            claims = jwt.decode(text, self._key, algorithms=[_ALGORITHM]).claims
            rules = jwt.JWTClaimsRegistry(
                now=lambda: int(self._clock.now()),
                iss={"essential": True, "value": _ISSUER},
                sub={"essential": True},
                exp={"essential": True},
            )
            rules.validate(claims)
        except (JoseError, ValueError) as error:
            raise wrong from error
        return str(claims["sub"])
