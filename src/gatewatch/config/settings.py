"""All settings with their defaults; a TOML file and environment variables override them (see config.load)."""

from __future__ import annotations

from typing import Annotated

import msgspec

from gatewatch.model.observe_settings import LimitSettings, ObserveSettings, TemplateSettings

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

    tick_s: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    late_s: Annotated[float, msgspec.Meta(gt=0)] = 2_592_000.0
    """How late an event may come and still be judged; raw traffic is kept as long."""
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """Most of the time that one detector may take; a slow one runs less often than every tick."""


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
