"""Kafka against librdkafka's own broker, read back with a consumer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from tests.unit.exporters.items import exporter, items

from gatewatch.errors import ConfigurationError
from gatewatch.exporters.kafka import Kafka
from gatewatch.ports.export import DeliveryError


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """The broker lives as long as the producer that began it; it speaks the protocol, also idempotent producing."""
    owner = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    (one,) = owner.list_topics(timeout=60).brokers.values()
    yield f"{one.host}:{one.port}"
    owner.flush(1)


def read(broker: str, topic: str, count: int) -> list[Any]:
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "test"})
    partitions = consumer.list_topics(topic, timeout=60).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    found = []
    for _ in range(600):
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            headers = dict(message.headers() or [])
            found.append((message.key(), message.value(), headers))
        if len(found) >= count:
            break
    consumer.close()
    return found


def test_messages_arrive_in_order_with_key_and_event_id(broker: str) -> None:
    target = exporter(Kafka, servers=broker, topic="one", security="plaintext")
    # One thing's changes: its key keeps them in one partition, and that in order.
    target.send(items(3, subject="a1"))
    target.send(items(1, subject="a1"))
    target.close()
    got = read(broker, "one", 4)
    assert [value for _, value, _ in got] == [b'{"n":0}', b'{"n":1}', b'{"n":2}', b'{"n":0}']
    assert got[1][0] == b"alert:a1"
    assert got[1][2] == {"event_id": b"alert:a1:1", "kind": b"alert", "content-type": b"application/json"}


def test_what_is_too_large_is_refused_for_good(broker: str) -> None:
    target = exporter(Kafka, servers=broker, topic="two", security="plaintext", max_message_bytes=5000)
    batch = [*items(1, subject="a"), *items(1, body=b"x" * 6000), items(2, subject="a")[1]]
    with pytest.raises(DeliveryError) as caught:
        target.send(batch)
    assert (caught.value.settled, list(caught.value.refused)) == (3, [1])
    assert [value for _, value, _ in read(broker, "two", 2)] == [b'{"n":0}', b'{"n":1}']
    target.close()


def test_no_broker_means_later() -> None:
    target = exporter(Kafka, servers="127.0.0.1:9", topic="one", security="plaintext", timeout_s=0.5)
    with pytest.raises(DeliveryError) as caught:
        target.send(items(2))
    assert (caught.value.settled, caught.value.refused) == (0, {})
    target.close()


WRONG: dict[str, dict[str, Any]] = {
    "no TLS to another machine": {"servers": "hub.example:9093", "security": "plaintext"},
    "one of several is another machine": {"servers": "127.0.0.1:9,hub.example:9", "security": "plaintext"},
    "SASL without a password": {"servers": "hub.example:9093"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_work_is_said_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError):
        exporter(Kafka, topic="t", **WRONG[name])
