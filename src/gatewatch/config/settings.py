"""All settings with their defaults; a TOML file and environment variables override them (see config.load)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from gatewatch.config.references import SecretReference
from gatewatch.model.alert import Severity
from gatewatch.model.export import ExportKind
from gatewatch.model.observe_settings import LimitSettings, ObserveSettings, TemplateSettings
from gatewatch.respond.guarding import Guardrails

__all__ = [
    "ApiSettings",
    "AskedSettings",
    "ConnectionSettings",
    "DetectSettings",
    "EnvoySettings",
    "ExportSettings",
    "GatewaySettings",
    "JournalSettings",
    "LimitSettings",
    "ListSettings",
    "ObserveSettings",
    "Settings",
    "StoreSettings",
    "SubscriptionSettings",
    "TailSettings",
    "TargetSettings",
    "TemplateSettings",
    "TrafficSettings",
]

_MIB = 1024 * 1024


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ApiSettings(_Section, frozen=True, kw_only=True):
    """REST."""

    host: str = "127.0.0.1"
    """Address to listen on; keep another than loopback behind a proxy that speaks TLS."""
    port: int = 8420
    """TCP."""
    max_request_bytes: int = 64 * _MIB
    """Decompressed size of one ingest request."""


class JournalSettings(_Section, frozen=True, kw_only=True):
    """Durable intake."""

    max_bytes: int = 2048 * _MIB
    """Intake answers 429 above this."""
    segment_bytes: int = 64 * _MIB
    """A file of the journal is ended at this size; whole files are removed when they are done."""


class TrafficSettings(_Section, frozen=True, kw_only=True):
    """Traffic store."""

    dsn: str = ""
    """'' means embedded, in the data directory; else `chdb:///…` or `https://…`."""
    database: str = "gatewatch"
    """Its name there."""
    retention_days: int = 30
    """Single transactions (without payload) are kept so long."""
    aggregate_retention_days: int = 400
    """Counts and profiles are kept so long."""


class StoreSettings(_Section, frozen=True, kw_only=True):
    """Control store."""

    url: str = ""
    """SQLAlchemy URL; '' means SQLite in the data directory."""


class ListSettings(_Section, frozen=True, kw_only=True):
    """Address lists; each a file path or an https URL; reloaded when changed."""

    threat: tuple[str, ...] = ()
    """Known bad addresses and networks, one in a line."""
    tor: tuple[str, ...] = ()
    """Exit nodes of Tor, one in a line."""
    ip_info: tuple[str, ...] = ()
    """Country and kind of networks: a MaxMind database, or CSV `prefix,country,kind`."""
    reload_s: float = 60.0
    """How often it is looked whether one changed."""


class DetectSettings(_Section, frozen=True, kw_only=True):
    """Scheduling of detectors."""

    tick_s: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    """How often detectors look at what is new."""
    late_s: Annotated[float, msgspec.Meta(gt=0)] = 2_592_000.0
    """How late an event may come and still be judged; raw traffic is kept as long."""
    share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    """Most of the time that one detector may take; a slow one runs less often than every tick."""


class EnvoySettings(_Section, frozen=True, kw_only=True):
    """Envoy access-log service collector."""

    enabled: bool = False
    """Whether Gatewatch listens for it."""
    address: str = "127.0.0.1:8421"
    """host:port, gRPC without TLS: keep it on networks that only gateways reach."""
    source: str = "envoy"
    """Name of the source in the ledger."""


class TargetSettings(_Section, frozen=True, kw_only=True):
    """One target of continuous export."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    """Keeps the position: a target with another name begins anew."""
    transport: str
    """Id of an exporter; docs/reference/exporters.md."""
    format: str = "ocsf"
    """Id of a format; docs/reference/exporters.md."""
    settings: dict[str, str | int | float | bool] = {}
    """The transport's own."""
    enabled: bool = True
    """One that is off is checked when Gatewatch starts, and sent nothing."""
    kinds: tuple[ExportKind, ...] = (ExportKind.ALERT, ExportKind.INCIDENT)
    """What is sent."""
    severity: Severity = Severity.INFORMATIONAL
    """Nothing below; the audit log and the secure score have no severity and pass."""
    status: tuple[str, ...] = ()
    """Only these; a kind of which no status is named passes whole."""
    detectors: tuple[str, ...] = ()
    """Only alerts of these, and incidents with one of them; findings, the audit log and the secure score pass."""
    mode: Literal["streaming", "snapshot", "both"] = "streaming"
    """`snapshot`: everything there is, once in an ISO week (UTC), marked as such."""
    retry_first_s: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    """First pause after a failure; doubles, with jitter, up to `retry_max_s`."""
    retry_max_s: Annotated[float, msgspec.Meta(gt=0)] = 300.0
    """Longest pause between attempts."""
    poll_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 1.0
    """How often the change log is looked at."""
    max_dead_letters: Annotated[int, msgspec.Meta(ge=1)] = 10_000
    """With so many the target waits until somebody sends them again or drops them: nothing is lost unseen."""


class ExportSettings(_Section, frozen=True, kw_only=True):
    """Continuous export."""

    targets: tuple[TargetSettings, ...] = ()
    """Where to."""
    keep_changes_days: Annotated[float, msgspec.Meta(gt=0)] = 7.0
    """How long changes stay in the log after all targets took them."""
    url: str = ""
    """Address of this Gatewatch for people, in links."""


class GatewaySettings(_Section, frozen=True, kw_only=True):
    """One gateway that Gatewatch can tell to contain."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    """What plans name."""
    kind: str
    """docs/reference/gateways.md"""
    settings: dict[str, str | int | float | bool | tuple[str, ...]] = {}
    """The kind's own."""


class AskedSettings(_Section, frozen=True, kw_only=True):
    """Where gateways of kind `asked` ask. No key is needed, so keep both on networks that only gateways reach."""

    grpc: str = "127.0.0.1:8422"
    """ext_authz; '' for none."""
    http: str = "127.0.0.1:8423"
    """Forward auth; '' for none."""
    gateways: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks whose X-Forwarded headers forward auth believes; nobody else is answered."""


class ConnectionSettings(_Section, frozen=True, kw_only=True):
    """One connection to another system, which playbooks name."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
    """What playbooks call it."""
    connector: str
    """Id of a connector; docs/reference/connectors.md."""
    url: str = ""
    """Address of the other system; as `env:NAME` or `file:/path` when the address itself is a secret."""
    secrets: dict[str, SecretReference] = {}
    """The connector's secrets by name, each `env:NAME` or `file:/path`."""
    options: dict[str, str] = {}
    """The connector's own."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that may be reached besides that of the address."""
    private_hosts: tuple[str, ...] = ()
    """Hosts that may be reached in private networks or on this machine; all others have to have public addresses."""
    insecure: bool = False
    """Allow `http://` to other machines. Certificates are always verified."""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    proxy: str = ""
    """HTTP proxy, which then looks up the hosts; the environment's proxies are not used."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0
    """Of a whole request."""
    enabled: bool = True
    """One that is off is checked when Gatewatch starts, and playbooks can't use it."""


class SubscriptionSettings(_Section, frozen=True, kw_only=True):
    """Flows of other systems that ask to be called back."""

    callback_hosts: tuple[str, ...] = ()
    """`host`, `host:port` or `*.domain`, for example `*.logic.azure.com`; without any nobody can subscribe."""
    private_hosts: tuple[str, ...] = ()
    """Those that stand in private networks or on this machine."""


class TailSettings(_Section, frozen=True, kw_only=True):
    """One followed file."""

    source: str
    """Name of the source in the ledger."""
    path: str
    """Of the file, as the server that writes it names it; rotated files are followed."""
    format: str = "auto"
    """Id of a format; docs/reference/formats.md."""


class Settings(_Section, frozen=True, kw_only=True):
    """Everything."""

    data_dir: str
    """Everything Gatewatch keeps; only one server at a time. `--data-dir`, else the user's data directory."""
    key_file: str = ""
    """Installation key (fingerprints, sealing); '' means `<data_dir>/install.key`, made on first start, mode 0600."""
    signing_key_file: str = ""
    """Ed25519 key (PEM) that signs answers and evidence; '' means `<data_dir>/signing.key`, made on first start.

    Servers of one control store need the same: a run takes no answer that another key signed.
    """
    api: ApiSettings = ApiSettings()
    journal: JournalSettings = JournalSettings()
    observe: ObserveSettings = ObserveSettings()
    templates: TemplateSettings = TemplateSettings()
    traffic: TrafficSettings = TrafficSettings()
    store: StoreSettings = StoreSettings()
    lists: ListSettings = ListSettings()
    detect: DetectSettings = DetectSettings()
    envoy: EnvoySettings = EnvoySettings()
    export: ExportSettings = ExportSettings()
    containment: Guardrails = Guardrails()
    tail: tuple[TailSettings, ...] = ()
    """Log files to follow."""
    gateways: tuple[GatewaySettings, ...] = ()
    """Gateways to contain on."""
    asked: AskedSettings = AskedSettings()
    connections: tuple[ConnectionSettings, ...] = ()
    """Other systems."""
    connectors_dir: str = ""
    """Folder of connectors of your own, one YAML file each."""
    subscriptions: SubscriptionSettings = SubscriptionSettings()
