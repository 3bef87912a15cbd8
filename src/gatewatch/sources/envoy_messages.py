"""Takes a StreamAccessLogs message apart without reading its entries, so that one unreadable entry spoils no other.

An embedded message and a `bytes` field are the same on the wire (https://protobuf.dev/programming-guides/encoding), so
a schema that calls the entries bytes gives each entry's octets as Envoy sent them.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from gatewatch.errors import InputError

__all__ = ["SERVICE", "final_entries"]

SERVICE = "envoy.service.accesslog.v3.AccessLogService"
_PACKAGE = "gatewatch.envoy"
_FIELD = descriptor_pb2.FieldDescriptorProto
# Field numbers of envoy/service/accesslog/v3/als.proto and envoy/data/accesslog/v3/accesslog.proto.
_HTTP_LOGS, _LOG_ENTRY, _COMMON_PROPERTIES, _INTERMEDIATE = 2, 1, 1, 27
_MESSAGES = {
    "Stream": ("http_logs", _HTTP_LOGS, _FIELD.TYPE_MESSAGE, "Entries"),
    "Entries": ("log_entry", _LOG_ENTRY, _FIELD.TYPE_BYTES, ""),
    "Entry": ("common", _COMMON_PROPERTIES, _FIELD.TYPE_MESSAGE, "Common"),
    "Common": ("intermediate", _INTERMEDIATE, _FIELD.TYPE_BOOL, ""),
}


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="gatewatch/envoy.proto", package=_PACKAGE, syntax="proto3")
    for name, (field, number, kind, of) in _MESSAGES.items():
        label = _FIELD.LABEL_REPEATED if kind == _FIELD.TYPE_BYTES else _FIELD.LABEL_OPTIONAL
        type_name = f".{_PACKAGE}.{of}" if of else None
        member = _FIELD(name=field, number=number, type=kind, label=label, type_name=type_name)
        file.message_type.add(name=name).field.append(member)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _classes()


def final_entries(message: bytes) -> list[bytes]:
    """Serialised HTTPAccessLogEntry messages, those left out that Envoy calls intermediate (a final one follows).

    Entries that can't be read are kept: they are counted and rejected like any input. Raises InputError when the
    message as a whole is no StreamAccessLogsMessage.
    """
    try:
        stream = _CLASSES["Stream"].FromString(message)
    except DecodeError as error:
        raise InputError("not a StreamAccessLogsMessage", cure="Only Envoy's access log may speak here.") from error
    return [entry for entry in stream.http_logs.log_entry if not _intermediate(entry)]


def _intermediate(entry: bytes) -> bool:
    try:
        return bool(_CLASSES["Entry"].FromString(entry).common.intermediate)
    except DecodeError:
        return False
