"""API tokens: made, shown once, checked, revoked."""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections.abc import Callable

from gatewatch.errors import ConflictError, GatewatchError, InputError
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import ControlStore, Role, Token

__all__ = ["Access", "ForbiddenError", "UnauthenticatedError"]

_TOKEN = re.compile(r"gw_([0-9a-f]{12})_([0-9a-f]{64})")
_ORDER = (Role.VIEWER, Role.ANALYST, Role.RESPONDER, Role.ADMIN)
_TOUCH_EVERY_S = 60.0
_OURS = re.compile(
    r"(?:run|rule) .*|correlation|expiry|gatewatch|measurement|nobody|posture|recovery|review|simulation"
)
"""Under these Gatewatch itself stands in the audit log, and nobody else may."""
_LATEST = 253_402_300_800.0
"""Year 10000, which RFC 3339 can't write."""


class UnauthenticatedError(GatewatchError):
    """No token, or one that is unknown, expired or revoked."""

    code = "unauthenticated"
    exit_code = 8


class ForbiddenError(GatewatchError):
    """The token's role does not allow this."""

    code = "forbidden"
    exit_code = 8


class Access:
    """Secrets are 256 random bits, so a plain SHA-256 protects them at rest: there is nothing to guess, and a slow hash
    would only slow every request.
    """  # noqa: D205 - the reason belongs to the first sentence

    def __init__(self, store: ControlStore, clock: Clock, random_bytes: Callable[[int], bytes]) -> None:
        """`random_bytes` gives cryptographic randomness."""
        self._store, self._clock, self._random = store, clock, random_bytes
        self._touched: dict[str, float] = {}
        self._lock = threading.Lock()

    def ensure_first_token(self) -> str | None:
        """An admin token when there is none that works, so that nobody is locked out; its text, to be shown once."""
        if self._working_admins():
            return None
        return self.create("first login", Role.ADMIN)[1]

    def create(self, name: str, role: Role, *, expires_at: float | None = None) -> tuple[Token, str]:
        """(the token as stored, its text). Raises InputError on a bad name or an end that is not ahead."""
        if not name.strip():
            raise InputError("a token needs a name", cure="Say what it is for.")
        if _OURS.fullmatch(name.strip()):
            raise InputError(f"`{name.strip()[:64]}` is a name of Gatewatch's own", cure="Choose another.")
        if expires_at is not None and not self._clock.now() < expires_at < _LATEST:
            raise InputError(
                "expires_at is not in the future", cure="Give a later time, or none for a token that stays."
            )
        token_id, secret = self._random(6).hex(), self._random(32).hex()
        token = Token(
            id=token_id,
            name=name.strip()[:256],
            role=role,
            secret_hash=_hash(secret),
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        self._store.add_token(token)
        return token, f"gw_{token_id}_{secret}"

    def revoke(self, token_id: str) -> None:
        """End a token. Raises NotFoundError; ConflictError for the only admin token that works."""
        with self._lock:
            if self._working_admins() == [token_id]:
                raise ConflictError(
                    "this is the only admin token that works", cure="Make another admin token, then revoke this one."
                )
            self._store.revoke_token(token_id, self._clock.now())

    def _working_admins(self) -> list[str]:
        now = self._clock.now()
        return [token.id for token in self._store.tokens() if token.role is Role.ADMIN and _works(token, now)]

    def check(self, text: str, allowed: Role) -> Token:
        """The token behind a bearer text if it may do what `allowed` may. Raises Unauthenticated- or ForbiddenError."""
        return self._permitted(self.authenticate(text), allowed)

    def authenticate(self, text: str) -> Token:
        """The token behind a bearer text, whatever it may do. Raises UnauthenticatedError."""
        match = _TOKEN.fullmatch(text)
        token = self._store.token(match.group(1)) if match else None
        good = token is not None and match is not None and hmac.compare_digest(token.secret_hash, _hash(match.group(2)))
        if token is None or not good or not _works(token, self._clock.now()):
            raise UnauthenticatedError("this needs a valid API token", cure="Send `Authorization: Bearer gw_…`.")
        return token

    def vouched(self, token_id: str, allowed: Role) -> Token:
        """The token with this id, for who has proven by other means to hold it. Raises as `check` does."""
        token = self._store.token(token_id)
        if token is None or not _works(token, self._clock.now()):
            raise UnauthenticatedError("the API token behind this was ended", cure="Ask for a new one.")
        return self._permitted(token, allowed)

    def _permitted(self, token: Token, allowed: Role) -> Token:
        if not _may(token.role, allowed):
            raise ForbiddenError(f"a token of role {token.role.value} may not do this; it needs {allowed.value}")
        self._touch(token.id, self._clock.now())
        return token

    def _touch(self, token_id: str, now: float) -> None:
        with self._lock:
            if now - self._touched.get(token_id, 0.0) < _TOUCH_EVERY_S:
                return
            self._touched[token_id] = now
        self._store.touch_token(token_id, now)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _works(token: Token, now: float) -> bool:
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > now)


def _may(role: Role, allowed: Role) -> bool:
    if role is Role.ADMIN or role is allowed:
        return True
    return role in _ORDER and allowed in _ORDER and _ORDER.index(role) >= _ORDER.index(allowed)
