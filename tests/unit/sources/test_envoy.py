"""Envoy's access-log messages: taken apart without trust, bodies read as the shipped filter writes them."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import pytest
from envoy.data.accesslog.v3 import accesslog_pb2
from envoy.service.accesslog.v3 import als_pb2, als_pb2_grpc
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.bootstrap.installation import SystemClock
from gatewatch.config.settings import EnvoySettings
from gatewatch.errors import InputError
from gatewatch.knowledge.word_lists import words
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Transaction
from gatewatch.ports.journal import JournalRecord
from gatewatch.ports.wire import Origin
from gatewatch.sources.envoy import EnvoyAccessLog, packed
from gatewatch.sources.envoy_collector import EnvoyCollector
from gatewatch.sources.envoy_messages import final_entries
from gatewatch.telemetry.logs import configure
from gatewatch.testing.envoy import snippet

_PATH_FIELD = b"\x2a"  # HTTPRequestProperties.path: field 5, length-delimited


class Memory:
    """Keeps what is appended; the collector needs nothing else of a journal."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, records: Sequence[JournalRecord]) -> int:
        self.records += records
        return len(self.records)


def entry(path: str = "/a", *, intermediate: bool = False, metadata: dict[str, Any] | None = None) -> Any:
    made = accesslog_pb2.HTTPAccessLogEntry()
    made.request.path = path
    made.common_properties.intermediate_log_entry = intermediate
    if metadata:
        made.common_properties.metadata.filter_metadata["gatewatch"].update(metadata)
    return made


def broken() -> bytes:
    """An entry as Envoy makes it when a string it was given is not UTF-8."""
    good: bytes = entry("/ab").SerializeToString()
    return good.replace(_PATH_FIELD + b"\x03/ab", _PATH_FIELD + b"\x03/\xff\xfe")


def message(*entries: bytes) -> bytes:
    logs = b"".join(b"\x0a" + _varint(len(item)) + item for item in entries)
    return b"\x12" + _varint(len(logs)) + logs


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def decoded(*entries: bytes) -> list[Transaction | Rejection]:
    return list(EnvoyAccessLog().decode(packed(list(entries)), Origin(source="s", position="p")))


@pytest.fixture
def collector() -> Iterator[tuple[EnvoyCollector, Memory]]:
    journal = Memory()
    made = EnvoyCollector(EnvoySettings(address="127.0.0.1:0"), journal, SystemClock(), configure(level="error"))
    made.start()
    yield made, journal
    made.stop()


def sent(port: int, *messages: bytes) -> None:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_unary("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs")
        call(iter(messages), timeout=120)


def test_an_unreadable_entry_spoils_no_other(collector: tuple[EnvoyCollector, Memory]) -> None:
    made, journal = collector
    good = [entry(f"/{n}").SerializeToString() for n in range(4)]
    sent(made.port, message(good[0], broken(), good[1]), message(good[2]), message(good[3]))
    made.stop()
    found = [
        item
        for record in journal.records
        for item in EnvoyAccessLog().decode(record.payload, Origin(source="s", position="p"))
    ]
    assert [item.path if isinstance(item, Transaction) else item.reason for item in found] == [
        "/0",
        RejectionReason.MALFORMED,
        "/1",
        "/2",
        "/3",
    ]
    assert sum(record.count for record in journal.records) == 5


def test_who_is_not_envoy_is_refused_and_others_go_on(collector: tuple[EnvoyCollector, Memory]) -> None:
    made, journal = collector
    with pytest.raises(grpc.RpcError) as refused:
        sent(made.port, b"\xff\xff\xff not protobuf")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    sent(made.port, message(entry().SerializeToString()))
    made.stop()
    assert sum(record.count for record in journal.records) == 1


def test_many_envoy_workers_keep_their_streams_open_at_once(collector: tuple[EnvoyCollector, Memory]) -> None:
    made, journal = collector
    leave = threading.Event()

    def stays(number: int) -> Iterator[bytes]:
        yield message(entry(f"/{number}").SerializeToString())
        leave.wait(300)

    with grpc.insecure_channel(f"127.0.0.1:{made.port}") as channel:
        method = channel.stream_unary("/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs")
        calls = [method.future(stays(number), timeout=300) for number in range(100)]
        for _ in range(2400):
            arrived = sum(record.count for record in journal.records)
            if arrived == 100:
                break
            time.sleep(0.05)
        leave.set()
        for call in calls:
            call.result()
    assert arrived == 100


def test_the_generated_client_of_the_protocol_is_understood(collector: tuple[EnvoyCollector, Memory]) -> None:
    made, journal = collector
    logs = als_pb2.StreamAccessLogsMessage(
        http_logs=als_pb2.StreamAccessLogsMessage.HTTPAccessLogEntries(
            log_entry=[entry("/x"), entry("/begun", intermediate=True)]
        )
    )
    with grpc.insecure_channel(f"127.0.0.1:{made.port}") as channel:
        als_pb2_grpc.AccessLogServiceStub(channel).StreamAccessLogs(iter([logs]), timeout=120)
    made.stop()
    assert [record.count for record in journal.records] == [1]


@given(st.binary(max_size=200))
@settings(deadline=None, max_examples=300)
def test_any_message_is_taken_apart_or_refused(octets: bytes) -> None:
    try:
        entries = final_entries(octets)
    except InputError:
        return
    assert len(decoded(*entries)) == len(entries)


BODIES: dict[str, tuple[dict[str, Any], bytes | None]] = {
    "base64 as the shipped filter writes it": ({"request_body_base64": base64.b64encode(b"a\x00\xff")}, b"a\x00\xff"),
    "an empty body": ({"request_body_base64": ""}, b""),
    "plain text of somebody's own filter": ({"request_body": "{}"}, b"{}"),
    "base64 that is none is taken as it is": ({"request_body_base64": "{é}"}, "{é}".encode()),
    "none carried": ({"other": "x"}, None),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_of_metadata(name: str) -> None:
    metadata, body = BODIES[name]
    metadata = {key: value.decode() if isinstance(value, bytes) else value for key, value in metadata.items()}
    (found,) = decoded(entry(metadata=metadata).SerializeToString())
    assert isinstance(found, Transaction)
    assert (found.request_body, found.response_body) == (body, None)


def test_the_snippet_logs_every_header_that_observing_reads() -> None:
    (log,) = snippet()["access_log"]
    logged = set(log["typed_config"]["additional_request_headers_to_log"])
    known = ObserveSettings()
    read = {*known.api_key_headers, *known.certificate_headers, *known.consumer_headers, *words("attacked_headers")}
    read |= {"authorization", "cookie", "content-type", "content-encoding", "x-forwarded-for", "forwarded", "x-real-ip"}
    assert read - logged == {"user-agent", "referer"}  # these two have fields of their own


REQUEST_IDS = {
    "Envoy's own": ("16039b0c-ef9c-4920-b707-aec4fb136808", "16039b0c-ef9c-4920-b707-aec4fb136808@p:1"),
    "none": ("", "entry@p:1"),
    "whatever a client sent": ("token=s3cret", "entry@p:1"),
}


@pytest.mark.parametrize("name", REQUEST_IDS)
def test_only_what_is_an_identifier_becomes_part_of_one(name: str) -> None:
    sent_id, kept = REQUEST_IDS[name]
    made = entry()
    made.request.request_id = sent_id
    (found,) = decoded(made.SerializeToString())
    assert isinstance(found, Transaction)
    assert found.id == kept
