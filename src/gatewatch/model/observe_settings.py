"""Settings of the pure stages observe and templates; `config.settings` holds them with all the others."""

from __future__ import annotations

import msgspec

__all__ = ["LimitSettings", "ObserveSettings", "TemplateSettings"]

_MIB = 1024 * 1024
_PRIVATE = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "::1/128",
    "fc00::/7",
    "fe80::/10",
)


class LimitSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hard limits of decoding; what they remove is recorded in `Observation.cut`."""

    body_bytes: int = 65_536
    """Defender for APIs reads bodies up to 64 KB (reference/microsoft.md, fact 2)."""
    decompressed_bytes: int = 262_144
    """Of one body."""
    depth: int = 24
    """Of nested values."""
    members: int = 512
    """Leaves of one body that are looked at."""
    parameters: int = 64
    """Parameters stored of one transaction."""
    header_lines: int = 128
    """Of one message."""
    value_chars: int = 8192
    """Longest value that is matched against patterns."""


class ObserveSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How transactions become observations."""

    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For / Forwarded is believed."""
    internal_networks: tuple[str, ...] = _PRIVATE
    """Everything else is external."""
    api_key_headers: tuple[str, ...] = (
        "x-api-key",
        "api-key",
        "apikey",
        "x-apikey",
        "ocp-apim-subscription-key",
        "x-auth-token",
        "x-access-token",
        "x-auth-key",
        "x-api-token",
        "x-session-token",
        "x-goog-api-key",
        "x-functions-key",
        "x-rapidapi-key",
        "x-vault-token",
        "x-shopify-access-token",
        "private-token",
        "x-gitlab-token",
        "cf-access-jwt-assertion",
        "x-goog-iap-jwt-assertion",
        "x-amzn-oidc-data",
    )
    """Headers that carry an API key."""
    api_key_parameters: tuple[str, ...] = (
        "api_key",
        "apikey",
        "api-key",
        "subscription-key",
        "access_token",
        "key",
        "token",
    )
    """Query parameters that carry one."""
    session_cookies: tuple[str, ...] = (
        "session",
        "sessionid",
        "sid",
        "jsessionid",
        "phpsessid",
        "connect.sid",
        "asp.net_sessionid",
    )
    """Cookies that are a session."""
    certificate_headers: tuple[str, ...] = ("x-forwarded-client-cert", "x-ssl-client-s-dn", "ssl-client-subject-dn")
    """Headers by which a gateway tells of a client certificate; it has to remove those that callers send."""
    consumer_headers: tuple[str, ...] = ("x-consumer-username", "x-authenticated-userid")
    """Headers by which a gateway tells whom it has authenticated; it has to remove those that callers send."""
    limits: LimitSettings = LimitSettings()
    workers: int = 2
    """Processes that observe."""
    duplicate_window: int = 500_000
    """Newest transaction ids remembered to recognise a re-sent one; about 100 octets each."""
    block_bytes: int = 8 * _MIB
    """Most payload that is stored as one block; there is less in it when less is waiting."""


class TemplateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bounds of path learning."""

    max_paths: int = 50_000
    """Distinct paths remembered per installation; above it new literal paths go to the unknown bucket."""
    openapi_files: tuple[str, ...] = ()
    """Descriptions whose paths are templates from the beginning."""
