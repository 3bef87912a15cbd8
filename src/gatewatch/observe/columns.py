"""Observations as Arrow columns: the schema of table `observations`, field for field."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from itertools import accumulate, chain
from operator import attrgetter

import pyarrow as pa

from gatewatch.model.observation import Observation

__all__ = ["SCHEMA", "packed_address", "to_arrow"]

_STRINGS = pa.list_(pa.string())

SCHEMA = pa.schema(
    [
        ("ts", pa.timestamp("ms", tz="UTC")),
        ("block", pa.uint64()),
        ("row", pa.uint32()),
        ("id", pa.string()),
        ("source", pa.string()),
        ("path_id", pa.uint64()),
        ("method", pa.string()),
        ("host", pa.string()),
        ("status", pa.uint16()),
        ("latency_ms", pa.float32()),
        ("request_size", pa.uint64()),
        ("response_size", pa.uint64()),
        ("evidence", pa.uint32()),
        ("actor_kind", pa.string()),
        ("actor_id", pa.string()),
        ("auth_scheme", pa.string()),
        ("credential", pa.uint64()),
        ("auth_issuer", pa.string()),
        ("auth_algorithm", pa.string()),
        ("auth_expires", pa.int64()),
        ("client_ip", pa.binary(16)),
        ("external", pa.bool_()),
        ("user_agent", pa.string()),
        ("user_agent_value", pa.uint64()),
        ("login_attempt", pa.bool_()),
        ("login_user", pa.uint64()),
        ("login_secret", pa.uint64()),
        ("content_type", pa.string()),
        ("response_shape", pa.uint64()),
        ("response_signals", _STRINGS),
        ("cut", _STRINGS),
        ("parameter_location", _STRINGS),
        ("parameter_name", _STRINGS),
        ("parameter_type", _STRINGS),
        ("parameter_length", pa.list_(pa.uint32())),
        ("parameter_value", pa.list_(pa.uint64())),
        ("parameter_reference", pa.list_(pa.bool_())),
        ("information_type", _STRINGS),
        ("information_location", _STRINGS),
        ("information_path", _STRINGS),
        ("information_count", pa.list_(pa.uint32())),
        ("indicator_class", _STRINGS),
        ("indicator_id", _STRINGS),
        ("indicator_location", _STRINGS),
        ("indicator_name", _STRINGS),
        ("indicator_confidence", pa.list_(pa.float32())),
        ("indicator_snippet", _STRINGS),
    ]
)
"""The one definition of an observation's columns; the `.sql` schema is tested against it."""

_MILLISECONDS = 1000
_TYPES = {field.name: field.type for field in SCHEMA}
_PARTS = {
    "parameter_": ("parameters", ("location", "name", "type", "length", "value", "reference")),
    "information_": ("information", ("type", "location", "path", "count")),
    "indicator_": ("indicators", ("class_", "indicator", "location", "name", "confidence", "snippet")),
}
_INDICATOR_COLUMNS = {"class_": "class", "indicator": "id"}


@lru_cache(maxsize=65_536)
def packed_address(text: str) -> bytes:
    """16 octets as ClickHouse's IPv6 wants them; IPv4 as `::ffff:a.b.c.d`; anything unreadable as `::`."""
    try:
        address = ip_address(text)
    except ValueError:
        return bytes(16)
    if isinstance(address, IPv6Address):
        return address.packed
    return bytes(10) + b"\xff\xff" + address.packed


def to_arrow(observations: Sequence[Observation], *, block: int, first_row: int = 0) -> pa.RecordBatch:
    """Transpose observations into one record batch of `SCHEMA`; `block` is the journal offset they come from."""
    count = len(observations)
    columns: dict[str, pa.Array] = {
        "ts": pa.array([int(o.ts * _MILLISECONDS) for o in observations], _TYPES["ts"]),
        "block": pa.array([block] * count, pa.uint64()),
        "row": pa.array(range(first_row, first_row + count), pa.uint32()),
        "client_ip": pa.array([packed_address(o.client_ip) for o in observations], _TYPES["client_ip"]),
    }
    for prefix, (attribute, members) in _PARTS.items():
        columns.update(_lists(prefix, [getattr(o, attribute) for o in observations], members))
    arrays = [
        columns[field.name]
        if field.name in columns
        else pa.array(list(map(attrgetter(field.name), observations)), field.type)
        for field in SCHEMA
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _lists(prefix: str, groups: Sequence[Sequence[object]], members: Sequence[str]) -> dict[str, pa.Array]:
    """One list column per member, all with the same offsets; the items are transposed once, flat."""
    offsets = pa.array(accumulate(map(len, groups), initial=0), pa.int32())
    flat = list(chain.from_iterable(groups))
    found = {}
    for member in members:
        name = prefix + _INDICATOR_COLUMNS.get(member, member)
        values = pa.array(list(map(attrgetter(member), flat)), _TYPES[name].value_type)
        found[name] = pa.ListArray.from_arrays(offsets, values)
    return found
