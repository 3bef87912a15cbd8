"""All settings with their defaults; a TOML file and environment variables override them (see config.load)."""

from __future__ import annotations

import msgspec

__all__ = [
    "ApiSettings",
    "DetectSettings",
    "EnvoySettings",
    "JournalSettings",
    "LimitSettings",
    "ListSettings",
    "ObserveSettings",
    "Settings",
    "StoreSettings",
    "TailSettings",
    "TemplateSettings",
    "TrafficSettings",
]

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


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ApiSettings(_Section, frozen=True, kw_only=True):
    """REST."""

    host: str = "127.0.0.1"
    port: int = 8420
    max_request_bytes: int = 64 * _MIB
    """Decompressed size of one ingest request."""


class JournalSettings(_Section, frozen=True, kw_only=True):
    """Durable intake."""

    max_bytes: int = 2048 * _MIB
    """Intake answers 429 above this."""
    segment_bytes: int = 64 * _MIB


class LimitSettings(_Section, frozen=True, kw_only=True):
    """Hard limits of decoding; what they remove is recorded in `Observation.cut`."""

    body_bytes: int = 65_536
    """Defender for APIs reads bodies up to 64 KB (reference/microsoft.md, fact 2)."""
    decompressed_bytes: int = 262_144
    depth: int = 24
    members: int = 512
    """Leaves of one body that are looked at."""
    parameters: int = 64
    """Parameters stored of one transaction."""
    header_lines: int = 128
    value_chars: int = 8192
    """Longest value that is matched against patterns."""


class ObserveSettings(_Section, frozen=True, kw_only=True):
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
    )
    api_key_parameters: tuple[str, ...] = (
        "api_key",
        "apikey",
        "api-key",
        "subscription-key",
        "access_token",
        "key",
        "token",
    )
    session_cookies: tuple[str, ...] = (
        "session",
        "sessionid",
        "sid",
        "jsessionid",
        "phpsessid",
        "connect.sid",
        "asp.net_sessionid",
    )
    certificate_headers: tuple[str, ...] = ("x-forwarded-client-cert", "x-ssl-client-s-dn", "ssl-client-subject-dn")
    consumer_headers: tuple[str, ...] = ("x-consumer-username", "x-authenticated-userid")
    limits: LimitSettings = LimitSettings()
    workers: int = 2
    duplicate_window: int = 500_000
    """Newest transaction ids remembered to recognise a re-sent one; about 100 octets each."""
    block_bytes: int = 4 * _MIB
    """Payload observed and stored as one block."""


class TemplateSettings(_Section, frozen=True, kw_only=True):
    """Bounds of path learning."""

    max_paths: int = 50_000
    """Distinct paths remembered per installation; above it new literal paths go to the unknown bucket."""
    openapi_files: tuple[str, ...] = ()


class TrafficSettings(_Section, frozen=True, kw_only=True):
    """Traffic store."""

    dsn: str = ""
    """'' means embedded, in the data directory; else `chdb:///…` or `https://…`."""
    database: str = "gatewatch"
    retention_days: int = 30
    aggregate_retention_days: int = 400


class StoreSettings(_Section, frozen=True, kw_only=True):
    """Control store."""

    url: str = ""
    """SQLAlchemy URL; '' means SQLite in the data directory."""


class ListSettings(_Section, frozen=True, kw_only=True):
    """Address lists; each a file path or an https URL; reloaded when changed."""

    threat: tuple[str, ...] = ()
    tor: tuple[str, ...] = ()
    ip_info: tuple[str, ...] = ()
    reload_s: float = 60.0


class DetectSettings(_Section, frozen=True, kw_only=True):
    """Scheduling of detectors."""

    tick_s: float = 5.0
    overlap_s: float = 120.0
    """How late an event may come and still be judged."""


class EnvoySettings(_Section, frozen=True, kw_only=True):
    """Envoy access-log service collector."""

    enabled: bool = False
    address: str = "127.0.0.1:8421"
    source: str = "envoy"


class TailSettings(_Section, frozen=True, kw_only=True):
    """One followed file."""

    source: str
    path: str
    format: str = "auto"


class Settings(_Section, frozen=True, kw_only=True):
    """Everything."""

    data_dir: str
    key_file: str = ""
    """Installation key (fingerprints, sealing); '' means `<data_dir>/install.key`, made on first start, mode 0600."""
    api: ApiSettings = ApiSettings()
    journal: JournalSettings = JournalSettings()
    observe: ObserveSettings = ObserveSettings()
    templates: TemplateSettings = TemplateSettings()
    traffic: TrafficSettings = TrafficSettings()
    store: StoreSettings = StoreSettings()
    lists: ListSettings = ListSettings()
    detect: DetectSettings = DetectSettings()
    envoy: EnvoySettings = EnvoySettings()
    tail: tuple[TailSettings, ...] = ()
