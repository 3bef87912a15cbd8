"""Envoy access-log entries: `HTTPAccessLogEntry` messages, with bodies in dynamic metadata where our Lua filter ran."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from struct import Struct
from typing import Any, BinaryIO

from envoy.data.accesslog.v3 import accesslog_pb2
from google.protobuf.message import DecodeError

from gatewatch.model.observation import Evidence
from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.model.transaction import Headers, Transaction
from gatewatch.ports.wire import Origin, WireFormat, WireFormatMeta
from gatewatch.sources.access_log import split_target

__all__ = ["EnvoyAccessLog", "packed"]

_LENGTH = Struct("<I")
_NAMESPACE = "gatewatch"
_REQUEST_ID = re.compile(r"[0-9A-Fa-f-]{16,64}")
"""What Envoy generates, and tracers; a client may send anything, and where Envoy keeps that we would store it."""


def packed(entries: list[bytes]) -> bytes:
    """Serialised entries as one payload."""
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def _pieces(payload: bytes) -> Iterator[bytes]:
    position = 0
    while position + _LENGTH.size <= len(payload):
        (length,) = _LENGTH.unpack_from(payload, position)
        position += _LENGTH.size
        yield payload[position : position + length]
        position += length


class EnvoyAccessLog(WireFormat):
    """What the access-log service collector journals: length-prefixed protobuf messages."""

    meta = WireFormatMeta(
        id="envoy-als",
        title="Envoy access-log service",
        description="gRPC access log; bodies by the shipped Lua filter (sources/snippets/envoy.yaml).",
        evidence=Evidence(2047) & ~Evidence.ROUTE,
        references=("https://www.envoyproxy.io/docs/envoy/latest/api-v3/data/accesslog/v3/accesslog.proto",),
    )

    def sniff(self, head: bytes, name: str) -> float:
        """A stream, not a file that people have."""
        del head, name
        return 0.0

    def payloads(self, stream: BinaryIO, *, max_bytes: int) -> Iterator[tuple[bytes, int]]:
        """Whole messages, about `max_bytes` at a time."""
        chunk: list[bytes] = []
        size, first = 0, 1
        for number, entry in enumerate(_pieces(stream.read()), start=1):
            chunk.append(entry)
            size += len(entry)
            if size >= max_bytes:
                yield packed(chunk), first
                chunk, size, first = [], 0, number + 1
        if chunk:
            yield packed(chunk), first

    def count(self, payload: bytes) -> int:
        """Messages."""
        return sum(1 for _ in _pieces(payload))

    def decode(self, payload: bytes, origin: Origin) -> Iterator[Transaction | Rejection]:
        """One result per message."""
        for number, piece in enumerate(_pieces(payload), start=origin.first_line):
            entry = accesslog_pb2.HTTPAccessLogEntry()
            try:
                entry.ParseFromString(piece)
            except DecodeError:
                detail = "not an HTTPAccessLogEntry"
                yield Rejection(
                    reason=RejectionReason.MALFORMED, detail=detail, line=number, raw=_LENGTH.pack(len(piece)) + piece
                )
                continue
            yield _transaction(entry, f"{origin.position}:{number}")


def _method(request: Any) -> str:
    field = request.DESCRIPTOR.fields_by_name["request_method"]
    name = field.enum_type.values_by_number[request.request_method].name if request.request_method else ""
    return name or request.request_headers.get(":method", "") or "_OTHER"


def _headers(request: Any) -> Headers:
    found: Headers = [(name, value) for name, value in request.request_headers.items() if not name.startswith(":")]
    named = {name for name, _ in found}
    for header, value in (
        ("user-agent", request.user_agent),
        ("referer", request.referer),
        ("x-forwarded-for", request.forwarded_for),
    ):
        if value and header not in named:
            found.append((header, value))
    return found


def _address(address: Any) -> tuple[str, int | None]:
    socket = address.socket_address
    return socket.address, socket.port_value or None


def _duration_ms(common: Any) -> float | None:
    for name in ("duration", "time_to_last_downstream_tx_byte", "time_to_last_upstream_rx_byte"):
        if common.HasField(name):
            value = getattr(common, name)
            return float(value.seconds * 1000 + value.nanos / 1e6)
    return None


def _transaction(entry: Any, generated: str) -> Transaction:
    common, request, response = entry.common_properties, entry.request, entry.response
    metadata = (
        common.metadata.filter_metadata[_NAMESPACE].fields if _NAMESPACE in common.metadata.filter_metadata else {}
    )
    client, client_port = _address(common.downstream_direct_remote_address)
    if not client:
        client, client_port = _address(common.downstream_remote_address)
    server, server_port = _address(common.downstream_local_address)
    scheme, host, path, query = split_target(request.original_path or request.path)
    return Transaction(
        id=f"{request.request_id if _REQUEST_ID.fullmatch(request.request_id) else 'entry'}@{generated}",
        ts=common.start_time.seconds + common.start_time.nanos / 1e9,
        method=_method(request),
        path=path or "/",
        scheme=scheme or request.scheme,
        host=host or request.authority,
        query=query,
        http_version={1: "1.0", 2: "1.1", 3: "2", 4: "3"}.get(entry.protocol_version, ""),
        request_headers=_headers(request),
        response_headers=list(response.response_headers.items()),
        request_body=_body(metadata, "request_body"),
        response_body=_body(metadata, "response_body"),
        status=response.response_code.value,
        latency_ms=_duration_ms(common),
        request_size=request.request_body_bytes,
        response_size=response.response_body_bytes,
        client_ip=client,
        client_port=client_port,
        server_ip=server,
        server_port=server_port,
        client_certificate=common.tls_properties.peer_certificate_properties.subject or None,
        truncated="truncated" in metadata and metadata["truncated"].bool_value,
    )


def _body(metadata: Any, name: str) -> bytes | None:
    """The body that the shipped Lua filter put there as base64, or that another one put there as plain text."""
    if f"{name}_base64" in metadata:
        text = str(metadata[f"{name}_base64"].string_value)
        try:
            return b64decode(text, validate=True)
        except ValueError:
            return text.encode()
    return str(metadata[name].string_value).encode() if name in metadata else None
