"""Microsoft Sentinel and Log Analytics through the Logs Ingestion API."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlencode

import httpx
import msgspec

from gatewatch.exporters._http import Connection, HttpSettings, judge
from gatewatch.exporters._secrets import SecretReference, resolve
from gatewatch.model.export import Shape
from gatewatch.ports.export import Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["Sentinel", "SentinelSettings"]

_API_VERSION = "2023-01-01"
_SCOPE = "https://monitor.azure.com/.default"
_EARLY_S = 120.0
"""A token is renewed so long before it ends."""
_MAX_CODE = 80


class SentinelSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one data collection rule; `url` is the endpoint of the rule (kind Direct) or a data collection endpoint."""

    rule: Annotated[str, msgspec.Meta(pattern=r"^dcr-[0-9A-Za-z-]+$")]
    """Immutable id of the data collection rule."""
    stream: Annotated[str, msgspec.Meta(pattern=r"^(Custom|Microsoft)-[0-9A-Za-z_-]+$")]
    tenant: Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z.-]+$")]
    client_id: str
    client_secret: SecretReference
    authority: str = "https://login.microsoftonline.com"
    scope: str = _SCOPE


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 0.0


class _Fault(msgspec.Struct, frozen=True):
    code: str = ""


class _Problem(msgspec.Struct):
    error: _Fault = _Fault()


class _Record(msgspec.Struct):
    TimeGenerated: str
    EventId: str
    Kind: str
    Severity: str
    Data: msgspec.Raw


class Sentinel(Exporter):
    """A JSON array of records with the columns TimeGenerated, EventId, Kind, Severity and Data (dynamic)."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="sentinel",
        title="Microsoft Sentinel (Logs Ingestion API)",
        description=(
            "Records have the columns `TimeGenerated` (datetime), `EventId`, `Kind`, `Severity` (string) and `Data` "
            "(dynamic, what the format made); declare them in the data collection rule's stream. Signs in with client "
            "credentials; the application needs the role Monitoring Metrics Publisher on the rule."
        ),
        shapes=(Shape.JSON,),
        confirmation="Status 204.",
        max_bytes=900_000,
        references=("https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview",),
    )
    settings: ClassVar[type[msgspec.Struct]] = SentinelSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: SentinelSettings = settings
        del content
        self._connection = Connection(settings)
        self._sign_in = Connection(msgspec.structs.replace(settings, url=settings.authority))
        self._path = f"/dataCollectionRules/{settings.rule}/streams/{quote(settings.stream)}?api-version={_API_VERSION}"
        self._token, self._until = "", 0.0

    def send(self, batch: Sequence[Delivery]) -> None:
        """One call; signs in again when the token was refused."""
        body = gzip.compress(msgspec.json.encode([_record(item) for item in batch]), mtime=0)
        response = self._post(body)
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._until = 0.0
            response = self._post(body)
        judge(response, self._connection.host, detail=_code(response))

    def close(self) -> None:
        """Close connections."""
        self._connection.close()
        self._sign_in.close()

    def _post(self, body: bytes) -> httpx.Response:
        headers = {
            "authorization": f"Bearer {self._bearer()}",
            "content-type": "application/json",
            "content-encoding": "gzip",
        }
        return self._connection.post(self._path, body, headers)

    def _bearer(self) -> str:
        if time.monotonic() < self._until:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": resolve(self._settings.client_secret),
            "scope": self._settings.scope,
        }
        path = f"/{self._settings.tenant}/oauth2/v2.0/token"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        response = self._sign_in.post(path, urlencode(form).encode(), headers)
        if not response.is_success:
            # Never a fault of the batch, whatever the status says.
            raise DeliveryError(f"signing in at {self._sign_in.host} failed: status {response.status_code}")
        try:
            token = msgspec.json.decode(response.content, type=_Token)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DeliveryError(f"signing in at {self._sign_in.host} gave no token") from error
        self._token, self._until = token.access_token, time.monotonic() + token.expires_in - _EARLY_S
        return self._token


def _record(item: Delivery) -> _Record:
    return _Record(
        TimeGenerated=datetime.fromtimestamp(item.at, UTC).isoformat(timespec="milliseconds"),
        EventId=item.event_id,
        Kind=item.kind.value,
        Severity=item.severity.value,
        Data=msgspec.Raw(item.body),
    )


def _code(response: httpx.Response) -> str:
    try:
        return msgspec.json.decode(response.content, type=_Problem).error.code[:_MAX_CODE]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
