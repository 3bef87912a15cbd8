"""Splunk HTTP Event Collector."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

import httpx
import msgspec

from gatewatch.exporters._http import Connection, HttpSettings, judge
from gatewatch.exporters._secrets import SecretReference, resolve
from gatewatch.model.export import Shape
from gatewatch.ports.export import BatchRefusedError, Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["SplunkHec", "SplunkHecSettings"]

_EVENT_CODES = frozenset({5, 6, 12, 13, 15})
"""No data, invalid data format, event missing, event blank, wrong indexed fields: what an event can be refused for."""


class SplunkHecSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one collector; `url` without the path."""

    token: SecretReference
    index: str = ""
    """'' for the token's own."""
    sourcetype: str = "gatewatch"
    source: str = "gatewatch"
    ack: bool = False
    """Wait until the indexer says that the batch is on disk; the token must allow it."""
    ack_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = 60.0
    ack_poll_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 1.0


class _Answer(msgspec.Struct):
    text: str = ""
    code: int = -1
    number: int | None = msgspec.field(default=None, name="invalid-event-number")
    ack_id: int | None = msgspec.field(default=None, name="ackId")


class _Acks(msgspec.Struct):
    acks: dict[str, bool] = {}


class _Event(msgspec.Struct, omit_defaults=True):
    time: float
    source: str
    sourcetype: str
    event: msgspec.Raw | str
    fields: dict[str, str]
    index: str = ""


class SplunkHec(Exporter):
    """`/services/collector/event`; the event id is the indexed field `event_id`."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="splunk-hec",
        title="Splunk HTTP Event Collector",
        description=(
            "JSON formats become structured events, line formats text. The indexed fields `event_id` and `kind` let "
            "searches drop repeats: `| dedup event_id`. With `ack`, waits for the indexer's acknowledgement."
        ),
        confirmation="Status 200 with code 0; with `ack`, the indexer's acknowledgement.",
        references=(
            "https://help.splunk.com/en/splunk-enterprise/get-data-in/collect-http-event-data",
            "Splunk, HTTP Event Collector error codes",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = SplunkHecSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: SplunkHecSettings = settings
        self._content, self._connection = content, Connection(settings)
        self._channel = str(uuid5(NAMESPACE_URL, settings.url))
        self._waiting = threading.Event()

    def send(self, batch: Sequence[Delivery]) -> None:
        """One request for the batch."""
        body = b"".join(msgspec.json.encode(self._event(item)) for item in batch)
        answer = self._answered(self._post("/services/collector/event", body), len(batch))
        if self._settings.ack:
            self._wait_for(answer.ack_id)

    def close(self) -> None:
        """Close connections."""
        self._waiting.set()
        self._connection.close()

    def _event(self, item: Delivery) -> _Event:
        plain = self._content.shape is Shape.LINE
        return _Event(
            time=round(item.at, 3),
            source=self._settings.source,
            sourcetype=self._settings.sourcetype,
            event=item.body.decode() if plain else msgspec.Raw(item.body),
            fields={"event_id": item.event_id, "kind": item.kind.value},
            index=self._settings.index,
        )

    def _post(self, path: str, body: bytes) -> httpx.Response:
        headers = {"authorization": f"Splunk {resolve(self._settings.token)}", "content-type": "application/json"}
        if self._settings.ack:
            headers["x-splunk-request-channel"] = self._channel
        return self._connection.post(path, body, headers)

    def _answered(self, response: httpx.Response, size: int) -> _Answer:
        try:
            answer = msgspec.json.decode(response.content, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answer = _Answer()
        detail = f"code {answer.code}" if answer.code >= 0 else ""
        if response.status_code == HTTPStatus.BAD_REQUEST and answer.code in _EVENT_CODES:
            told = f"{self._connection.host} refused events: code {answer.code}"
            if answer.number is not None and 0 <= answer.number < size:
                # Whether those before it were indexed is not told, so they are sent again.
                raise DeliveryError(told, refused={answer.number: f"HEC code {answer.code}"})
            raise BatchRefusedError(told)
        if response.status_code == HTTPStatus.BAD_REQUEST:
            # A wrong index, channel or token: nothing is wrong with the events.
            raise DeliveryError(f"{self._connection.host} answered 400 ({detail or 'no code'})")
        judge(response, self._connection.host, detail=detail)
        return answer

    def _wait_for(self, ack_id: int | None) -> None:
        if ack_id is None:
            raise DeliveryError(f"{self._connection.host} gave no acknowledgement id", cure="Allow it for the token.")
        path = f"/services/collector/ack?channel={self._channel}"
        end = time.monotonic() + self._settings.ack_timeout_s
        while time.monotonic() < end:
            response = self._post(path, msgspec.json.encode({"acks": [ack_id]}))
            judge(response, self._connection.host)
            try:
                known = msgspec.json.decode(response.content, type=_Acks)
            except (msgspec.DecodeError, UnicodeDecodeError):
                known = _Acks()
            if known.acks.get(str(ack_id)):
                return
            if self._waiting.wait(self._settings.ack_poll_s):
                break
        raise DeliveryError(f"{self._connection.host} did not acknowledge in time")
