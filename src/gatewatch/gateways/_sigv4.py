"""Signature Version 4 of AWS, for requests with a body in memory.

Source: "Create a signed AWS API request" (IAM user guide); services other than S3, so paths are encoded once more.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

__all__ = ["Credentials", "signed"]

_ALGORITHM = "AWS4-HMAC-SHA256"
_PORTS = {"http": 80, "https": 443}


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """Of one AWS principal. Never shown."""

    key_id: str
    secret: str
    session: str = ""

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Credentials({self.key_id})"


def signed(
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    at: float,
) -> dict[str, str]:
    """The headers to send, all of them signed: the given ones (names in small letters), host, date, token, signature.

    `at` in Unix seconds: AWS refuses what is more than five minutes off.
    """
    parts = urlsplit(url)
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    given = {**headers, "host": _host(url), "x-amz-date": moment}
    if credentials.session:
        given["x-amz-security-token"] = credentials.session
    names = sorted(given)
    canonical = "\n".join(
        (
            method,
            quote(parts.path or "/", safe="/-_.~"),
            _query(parts.query),
            *(f"{name}:{' '.join(given[name].split())}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(content).hexdigest(),
        )
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((_ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for word in scope.split("/"):
        key = hmac.digest(key, word.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    told = f"Credential={credentials.key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**given, "authorization": f"{_ALGORITHM} {told}"}


def _host(url: str) -> str:
    """As it is sent: without the scheme's own port."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def _query(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))
