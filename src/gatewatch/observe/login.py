"""Whether a call tries to authenticate somebody, and whom."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from gatewatch.observe.leaves import Leaf

__all__ = ["Login", "read_login"]

_SECRETS = re.compile(
    r"(?:^|[._\-\[\]])(?:pass(?:word|wd|phrase|code)?|pwd|pin|otp|totp|mfa_?code|one_?time_?(?:code|password)|verification_?code|client_?secret|mot_?de_?passe|contrasena|senha|passwort|kennwort)$|(?:Password|Passwd|Pin|Otp)$",
    re.IGNORECASE,
)
_APPLICATIONS = re.compile(
    r"(?:^|[._\-\[\]])(?:(?:client|device|app)_?id|serial(?:_?(?:no|number))?)$|(?:ClientId|DeviceId|AppId)$",
    re.IGNORECASE,
)
"""Whom a login without a person is about; beside a person they are the same for everybody."""
_NEW_SECRET = re.compile(
    r"(?:new|confirm|repeat|again|retype|verify)[._-]?pass|pass(?:word)?[._-]?(?:new|confirm|repeat|2)|old_?pass|current_?pass",
    re.IGNORECASE,
)
_USERS = re.compile(
    r"(?:^|[._\-\[\]])(?:user(?:_?name|_?id|_?login)?|login(?:_?name|_?id)?|e?-?mail(?:_?address)?|account(?:_?name)?|identifier|phone(?:_?number)?|benutzer(?:name)?|utilisateur|usuario|cpf|msisdn|handle|nick(?:name)?)$|(?:UserName|Username|Email|Login|UserId)$",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(
    r"/(?:log-?in|sign-?in|signin|authenticate|authentication|auth|sessions?|token|oauth2?/token|connect/token|logon|user_?login|account/login|otp|mfa|2fa|verify-otp|wp-login\.php|wp-login|xmlrpc\.php)/?$",
    re.IGNORECASE,
)
_REGISTER = re.compile(
    r"/(?:register|sign-?up|registration|users|accounts|customers|reset|change|password)[^/]*/?$", re.IGNORECASE
)


class Login(msgspec.Struct, frozen=True, gc=False):
    """An attempt; names are in memory only and become fingerprints."""

    user: str = ""
    secret: str = ""
    basic: bool = False
    """Basic credentials of a call that does something else: its answer is not about the login."""


_roles: dict[str, str] = {}
_REMEMBERED = 16_384


def _role(path: str) -> str:
    """What a member is in a login: none, new (a secret being set), secret, user or application."""
    found = "none"
    if _NEW_SECRET.search(path):
        found = "new"
    elif _SECRETS.search(path):
        found = "secret"
    elif _USERS.search(path):
        found = "user"
    elif _APPLICATIONS.search(path):
        found = "application"
    if len(_roles) >= _REMEMBERED:
        _roles.clear()
    _roles[path] = found
    return found


def read_login(method: str, path: str, leaves: Sequence[Leaf], operation: str) -> Login | None:
    """The attempt that a request makes, or None.

    With a body: a secret-like member, unless the path or the members say that a password is being set. Without a body:
    POST to a path that ends in the words for logging in.
    """
    if method not in ("POST", "PUT", "GET", "PATCH"):
        return None
    said: dict[str, str] = {}
    for leaf in leaves:
        role = _roles.get(leaf.path) or _role(leaf.path)
        if role != "none" and leaf.value:
            said.setdefault(role, leaf.value)
    if not said and method != "POST":
        return None
    named = bool(_LOGIN_PATH.search(path)) or (bool(operation) and _names_login(operation.lower()))
    user, secret = (said.get("user") or said.get("application", "")).strip().lower(), said.get("secret", "")
    if secret and "new" not in said and (named or not _REGISTER.search(path)) and (user or named):
        return Login(user, secret)
    if named and method == "POST":
        return Login(user, secret)
    return None


def _names_login(operation: str) -> bool:
    return "login" in operation or "signin" in operation
