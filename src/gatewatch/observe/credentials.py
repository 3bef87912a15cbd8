"""How credentials are written: who signs a request, what only looks like a token, which cookies are sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["is_blank", "is_key", "is_session_cookie", "query_signer", "signer"]

_BLANK = frozenset({"null", "undefined", "none", "nil", "nan", "false", "true", "[object object]"})
_MEMBER = re.compile(r'([A-Za-z_]{2,20})\s*=\s*"?([^",;&\s]{1,256})')
_NAMES = ("oauth_token", "credential", "keyid", "id", "key", "oauth_consumer_key", "accesskeyid", "app_id", "client_id")
"""Members that name the signer, most particular first: AWS SigV4, RFC 9421 drafts (`keyId`), Hawk, OAuth 1.0."""
_PAIR = re.compile(r"([\w.@/-]{1,128}):[\w+/=-]{16,}")
_QUERY_SIGNERS = frozenset({"x-amz-credential", "x-goog-credential", "awsaccesskeyid", "googleaccessid", "key-pair-id"})
_SIGNATURE, _SIGNED_VERSION = "sig", "sv"
"""Azure shared access signature: service and account SAS always carry both."""
_UNSURE_KEYS = frozenset({"key", "token"})
_MIN_KEY = 12
_SESSION = re.compile(
    r"(?:^|[._-])(?:session(?:[._-]?(?:id|token|key))?|sess(?:id)?|auth[._-]?(?:token|session)|access[._-]?token)$"
    r"|^s?sess[0-9a-f]{32}$|^wordpress_(?:logged_in|sec)_|^\.aspxauth$|^\.aspnetcore\.(?:cookies|identity\.application)",
)
"""Names that frameworks give their session cookie: Rails `_app_session`, Laravel, ASP.NET Core, Auth.js, Drupal …"""
_NO_SESSION = frozenset({"ai_session", "_ga_session", "csrf_session", "analytics_session"})
"""Telemetry of browsers (Application Insights) that everybody has."""
_MIN_SESSION = 16


def is_blank(token: str) -> bool:
    """What clients send when they have no token: `Bearer null`, `Bearer undefined`."""
    return token.strip().lower() in _BLANK


def is_key(name: str, value: str) -> bool:
    """Whether the value of a key parameter is a key: `?key=name&sort=asc` chooses a column."""
    if name not in _UNSURE_KEYS:
        return not is_blank(value)
    return len(value) >= _MIN_KEY and (any(map(str.isdigit, value)) or (value.lower() != value != value.upper()))


def signer(scheme: str, rest: str) -> tuple[str, str]:
    """(`user` or `key`, name) of whom a signed Authorization value names; empty when it tells nobody.

    The signature differs from call to call, so the value as a whole is nobody.
    """
    members = {name.lower(): value for name, value in _MEMBER.findall(rest)}
    if scheme == "digest":
        return "user", members.get("username", "")
    for name in _NAMES:
        if value := members.get(name):
            return "key", value.partition("/")[0]
    if match := _PAIR.fullmatch(rest):
        return "key", match.group(1)
    return "", ""


def query_signer(query: Sequence[tuple[str, str]]) -> str:
    """The key that signed an address, or the shared signature itself; '' when the address is not signed."""
    signature, versioned = "", False
    for name, value in query:
        lower = name.lower()
        if lower in _QUERY_SIGNERS and value:
            return value.partition("/")[0]
        if lower == _SIGNATURE:
            signature = value
        versioned |= lower == _SIGNED_VERSION
    return signature if versioned else ""


def is_session_cookie(name: str, value: str) -> bool:
    """Whether an unknown cookie is a session by its name and is long enough to be one."""
    if len(value) < _MIN_SESSION or name in _NO_SESSION:
        return False
    return _SESSION.search(name.removeprefix("__secure-").removeprefix("__host-")) is not None
