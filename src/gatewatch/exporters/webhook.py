"""HTTP POST to any address, signed."""

from __future__ import annotations

import hmac
import time
from collections.abc import Sequence
from hashlib import blake2b, sha256
from typing import Any, ClassVar

import msgspec

from gatewatch.exporters._http import Connection, HttpSettings, judge
from gatewatch.exporters._secrets import SecretReference, resolve
from gatewatch.model.export import Shape
from gatewatch.ports.export import BatchRefusedError, Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["Webhook", "WebhookSettings", "signature"]


class WebhookSettings(HttpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one webhook."""

    secret: SecretReference | None = None
    """Key of the signature; without one, nothing is signed."""
    token: SecretReference | None = None
    """Sent as `Authorization: Bearer`."""
    single: bool = False
    """One request per item, whose body is the item itself (logic apps); else one per batch."""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`v1=` and the hexadecimal HMAC-SHA256 over timestamp, a full stop and the body."""
    return "v1=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, sha256).hexdigest()


class Webhook(Exporter):
    """Headers: `Gatewatch-Timestamp`, `Gatewatch-Signature`, `Gatewatch-Delivery`."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="webhook",
        title="HTTP webhook",
        description=(
            "POSTs a batch: a JSON array for JSON formats, else lines. `Gatewatch-Timestamp` has Unix seconds, "
            "`Gatewatch-Signature` `v1=` and the hexadecimal HMAC-SHA256, keyed with the secret, over timestamp, `.` "
            "and the octets of the body; receivers should refuse timestamps that are minutes old. "
            "`Gatewatch-Delivery` is the same when the same batch is sent again."
        ),
        confirmation="Any 2xx answer.",
        max_items=200,
        references=("RFC 2104", "RFC 9110"),
    )
    settings: ClassVar[type[msgspec.Struct]] = WebhookSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: WebhookSettings = settings
        self._content, self._connection = content, Connection(settings)

    def send(self, batch: Sequence[Delivery]) -> None:
        """One request, or one per item."""
        if not self._settings.single:
            self._post(self._joined(batch), batch)
            return
        for index, item in enumerate(batch):
            try:
                self._post(item.body, [item])
            except BatchRefusedError as error:
                raise DeliveryError(error.message, settled=index + 1, refused={index: error.message}) from error
            except DeliveryError as error:
                error.settled = index
                raise

    def close(self) -> None:
        """Close connections."""
        self._connection.close()

    def _joined(self, batch: Sequence[Delivery]) -> bytes:
        if self._content.shape is Shape.JSON:
            return b"[" + b",".join(item.body for item in batch) + b"]"
        lines = [item.body for item in batch]
        return b"\n".join([self._content.preamble, *lines] if self._content.preamble else lines) + b"\n"

    def _post(self, body: bytes, batch: Sequence[Delivery]) -> None:
        timestamp = str(int(time.time()))
        names = "\n".join(item.event_id for item in batch).encode()
        headers = {
            "content-type": self._content.content_type,
            "gatewatch-timestamp": timestamp,
            "gatewatch-delivery": blake2b(names, digest_size=16).hexdigest(),
        }
        if self._settings.secret is not None:
            headers["gatewatch-signature"] = signature(resolve(self._settings.secret), timestamp, body)
        if self._settings.token is not None:
            headers["authorization"] = f"Bearer {resolve(self._settings.token)}"
        judge(self._connection.post("", body, headers), self._connection.host)
