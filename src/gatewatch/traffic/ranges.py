"""Address ranges as columns."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pyarrow as pa

from gatewatch.errors import StoreError
from gatewatch.observe.columns import packed_address

__all__ = ["RANGE_SCHEMA", "range_batch"]

RANGE_SCHEMA = pa.schema(
    [
        ("list", pa.string()),
        ("first", pa.binary(16)),
        ("last", pa.binary(16)),
        ("label", pa.string()),
        ("detail", pa.string()),
    ]
)


def range_batch(name: str, rows: Iterable[tuple[str, str, str, str]]) -> pa.RecordBatch:
    """Sorted (first, last, label, detail) rows as one batch. Raises StoreError when two ranges overlap."""
    packed = sorted((packed_address(first), packed_address(last), label, detail) for first, last, label, detail in rows)
    for before, after in pairwise(packed):
        if after[0] <= before[1]:
            raise StoreError(f"address list {name!r} has overlapping ranges; flatten them before storing")
    columns = list(zip(*packed, strict=True)) if packed else [(), (), (), ()]
    names = [name] * len(packed)
    arrays = [pa.array(values, field.type) for values, field in zip([names, *columns], RANGE_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=RANGE_SCHEMA)
