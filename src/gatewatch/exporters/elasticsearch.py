"""Elasticsearch's and OpenSearch's bulk API."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, ClassVar

import msgspec

from gatewatch.errors import ConfigurationError
from gatewatch.exporters._http import Connection, HttpSettings, judge, retry_after
from gatewatch.exporters._secrets import SecretReference, resolve
from gatewatch.model.export import Shape
from gatewatch.ports.export import Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["Elasticsearch", "ElasticsearchSettings"]

_TAKEN = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.CONFLICT})
"""A conflict says that this revision is there already."""
_DOCUMENT_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
_MAX_REASON = 120


class ElasticsearchSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one cluster. Either `api_key`, or `user` and `password`, or neither."""

    index: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._{}-]*$")] = "logs-gatewatch.{kind}-default"
    """Index or data stream; `{kind}` is replaced."""
    api_key: SecretReference | None = None
    """The encoded form, `id:key` in Base64."""
    user: str = ""
    password: SecretReference | None = None


class _Fault(msgspec.Struct):
    type: str = ""


class _Result(msgspec.Struct):
    status: int
    error: _Fault | None = None


class _Item(msgspec.Struct):
    create: _Result


class _Bulk(msgspec.Struct):
    items: list[_Item]


class Elasticsearch(Exporter):
    """`_bulk` with `create`: the event id is the document's `_id`, so a repeat changes nothing."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="elasticsearch",
        title="Elasticsearch bulk API",
        description=(
            "Every revision is a document of its own whose `_id` is the event id; one that is there already is left "
            "alone, so repeats do no harm. Works with indices and data streams (these need `@timestamp`: format `ecs`)."
        ),
        shapes=(Shape.JSON,),
        confirmation="Status 200, 201 or 409 for the item in the bulk answer.",
        references=("https://www.elastic.co/guide/en/elasticsearch/reference/8.11/docs-bulk.html",),
    )
    settings: ClassVar[type[msgspec.Struct]] = ElasticsearchSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: ElasticsearchSettings = settings
        if bool(settings.user) != (settings.password is not None):
            raise ConfigurationError("user and password belong together")
        del content
        self._connection = Connection(settings)

    def send(self, batch: Sequence[Delivery]) -> None:
        """One bulk request."""
        body = b"".join(self._lines(item) for item in batch)
        response = self._connection.post("/_bulk", body, self._headers())
        judge(response, self._connection.host)
        try:
            results = [item.create for item in msgspec.json.decode(response.content, type=_Bulk).items]
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DeliveryError(f"{self._connection.host} gave no bulk answer") from error
        if len(results) != len(batch):
            raise DeliveryError(f"{self._connection.host} answered {len(results)} of {len(batch)} items")
        _settle(results, self._connection.host, retry_after(response))

    def close(self) -> None:
        """Close connections."""
        self._connection.close()

    def _lines(self, item: Delivery) -> bytes:
        index = self._settings.index.replace("{kind}", item.kind.value)
        return msgspec.json.encode({"create": {"_index": index, "_id": item.event_id}}) + b"\n" + item.body + b"\n"

    def _headers(self) -> dict[str, str]:
        headers = {"content-type": "application/x-ndjson"}
        if self._settings.api_key is not None:
            headers["authorization"] = f"ApiKey {resolve(self._settings.api_key)}"
        elif self._settings.password is not None:
            pair = f"{self._settings.user}:{resolve(self._settings.password)}"
            headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers


def _settle(results: Sequence[_Result], host: str, wait: float | None) -> None:
    refused = {index: _reason(one) for index, one in enumerate(results) if one.status in _DOCUMENT_REFUSED}
    again = [
        index for index, one in enumerate(results) if one.status not in _TAKEN and one.status not in _DOCUMENT_REFUSED
    ]
    if again:
        # Later ones were taken, but are sent again behind this one: that keeps the order, and costs a 409 each.
        told = f"{host} put off {len(again)} items: {_reason(results[again[0]])}"
        raise DeliveryError(told, settled=again[0], refused=refused, retry_after_s=wait)
    if refused:
        raise DeliveryError(f"{host} refused {len(refused)} items", settled=len(results), refused=refused)


def _reason(result: _Result) -> str:
    """Status and kind of the error: its text may repeat values."""
    kind = result.error.type[:_MAX_REASON] if result.error else ""
    return f"status {result.status} {kind}".strip()
