"""Apache Kafka, and Azure Event Hubs through its Kafka endpoint."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

from gatewatch.egress.addresses import is_loopback
from gatewatch.egress.tls import tls_context
from gatewatch.errors import ConfigurationError
from gatewatch.exporters._secrets import SecretReference, resolve
from gatewatch.ports.export import Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["Kafka", "KafkaSettings"]

_TOO_LARGE = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE, KafkaError.INVALID_RECORD})
_CLEAN_UP_S = 5.0


class KafkaSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one topic. Event Hubs: servers `<namespace>.servicebus.windows.net:9093`, user `$ConnectionString`."""

    servers: Annotated[str, msgspec.Meta(min_length=1)]
    """`host:port`, several with commas."""
    topic: Annotated[str, msgspec.Meta(min_length=1)]
    security: Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"] = "sasl_ssl"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    user: str = "$ConnectionString"
    password: SecretReference | None = None
    """For Event Hubs the connection string."""
    ca_file: str = ""
    insecure: bool = False
    """Allow connections without TLS to other machines."""
    max_message_bytes: Annotated[int, msgspec.Meta(ge=1000)] = 1_000_000
    """Event Hubs takes 1 MB in the Standard tier."""
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0


class _Receipts:
    """What became of the messages of one batch."""

    def __init__(self) -> None:
        self.taken: set[int] = set()
        self.failed: dict[int, KafkaError] = {}

    def note(self, index: int, error: KafkaError | None) -> None:
        if error is None:
            self.taken.add(index)
        else:
            self.failed[index] = error


class Kafka(Exporter):
    """The key is `kind:subject`, so one thing's changes stay in order in any number of partitions."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="kafka",
        title="Kafka and Azure Event Hubs",
        description=(
            "Idempotent producer, `acks=all`. The message key is `kind:subject`; headers carry `event_id`, `kind` and "
            "`content-type`. With more than one partition the order holds per thing, not over all."
        ),
        confirmation="All replicas in sync have it (`acks=all`).",
        references=(
            "https://learn.microsoft.com/azure/event-hubs/apache-kafka-configurations",
            "https://docs.confluent.io/platform/current/clients/confluent-kafka-python/html/index.html",
        ),
    )
    settings: ClassVar[type[msgspec.Struct]] = KafkaSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: KafkaSettings = settings
        self._content_type = content.content_type.encode()
        self._producer: Producer | None = None
        self._log = logging.getLogger("gatewatch.kafka")
        self._log.addHandler(logging.NullHandler())
        self._log.propagate = False
        hosts = [server.strip().rpartition(":")[0].strip("[]") for server in settings.servers.split(",")]
        if not settings.security.endswith("ssl") and not settings.insecure and not all(map(is_loopback, hosts)):
            raise ConfigurationError("kafka without TLS", cure="Use security = 'sasl_ssl', or `insecure = true`.")
        if settings.security.startswith("sasl") and settings.password is None:
            raise ConfigurationError("kafka with SASL needs a password")
        if settings.ca_file:
            tls_context(settings.ca_file)

    def send(self, batch: Sequence[Delivery]) -> None:
        """Produce all and wait for every receipt."""
        receipts = _Receipts()
        try:
            self._produce(batch, receipts)
        except (KafkaException, BufferError) as error:
            self._forget()
            raise DeliveryError(f"kafka failed: {_name(error)}") from error
        if len(receipts.taken) == len(batch):
            return
        self._judge(batch, receipts)

    def close(self) -> None:
        """Close connections."""
        self._forget()

    def _produce(self, batch: Sequence[Delivery], receipts: _Receipts) -> None:
        if self._producer is None:
            self._producer = Producer(self._configuration(), logger=self._log)
        for index, item in enumerate(batch):

            def receipt(error: KafkaError | None, _: Message, index: int = index) -> None:
                receipts.note(index, error)

            try:
                self._producer.produce(
                    self._settings.topic,
                    value=item.body,
                    key=f"{item.kind.value}:{item.subject}",
                    headers=[
                        ("event_id", item.event_id.encode()),
                        ("kind", item.kind.value.encode()),
                        ("content-type", self._content_type),
                    ],
                    on_delivery=receipt,
                )
            except KafkaException as error:
                if error.args[0].code() not in _TOO_LARGE:
                    raise
                receipts.note(index, error.args[0])
        self._producer.flush(self._settings.timeout_s)

    def _judge(self, batch: Sequence[Delivery], receipts: _Receipts) -> None:
        refused = {
            index: error.name() for index, error in sorted(receipts.failed.items()) if error.code() in _TOO_LARGE
        }
        open_ = [index for index in range(len(batch)) if index not in receipts.taken and index not in refused]
        if not open_:
            raise DeliveryError("kafka refused messages", settled=len(batch), refused=refused)
        # A message that is still on its way must not arrive behind its own repetition.
        self._forget()
        first = receipts.failed.get(open_[0])
        why = first.name() if first is not None else "no receipt in time"
        raise DeliveryError(f"kafka did not take {len(open_)} messages: {why}", settled=open_[0], refused=refused)

    def _forget(self) -> None:
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(_CLEAN_UP_S)
            self._producer = None

    def _configuration(self) -> dict[str, Any]:
        wanted: dict[str, Any] = {
            "bootstrap.servers": self._settings.servers,
            "security.protocol": self._settings.security,
            "acks": "all",
            "enable.idempotence": True,
            "message.max.bytes": self._settings.max_message_bytes,
            "message.timeout.ms": int(self._settings.timeout_s * 1000),
            "socket.timeout.ms": min(60_000, int(self._settings.timeout_s * 1000)),
            "linger.ms": 5,
            "client.id": "gatewatch",
        }
        if self._settings.ca_file:
            wanted["ssl.ca.location"] = self._settings.ca_file
        if self._settings.password is not None and self._settings.security.startswith("sasl"):
            wanted |= {
                "sasl.mechanism": self._settings.mechanism,
                "sasl.username": self._settings.user,
                "sasl.password": resolve(self._settings.password),
            }
        return wanted


def _name(error: BaseException) -> str:
    known = error.args[0] if error.args else None
    return known.name() if isinstance(known, KafkaError) else type(error).__name__
