"""Blocks between the main process and the workers: what goes out, what comes back."""

from __future__ import annotations

import msgspec
import pyarrow as pa

from gatewatch.model.path import PathSighting
from gatewatch.ports.journal import DeadLetter, JournalRecord

__all__ = ["BlockResult", "BlockTask", "Place", "encoded", "joined"]


class Place(msgspec.Struct, frozen=True):
    """A record and where it stands in the journal (or in the run, offline)."""

    offset: int
    record: JournalRecord


class BlockTask(msgspec.Struct, frozen=True, kw_only=True):
    """One block to observe."""

    block: int
    """Journal offset of its first record; what the rows carry."""
    token: str
    places: list[Place]
    templates: str
    """File of the pickled template set; workers keep the last ones they loaded."""


class BlockResult(msgspec.Struct, kw_only=True):
    """What became of a block."""

    block: int
    token: str
    columns: bytes
    """Arrow IPC stream of one record batch."""
    sightings: list[PathSighting]
    letters: list[DeadLetter]
    observed: dict[str, int]
    """Per source, before duplicates are taken out."""
    rejected: dict[str, dict[str, int]]
    faults: list[str]
    """Our own errors, as `Type at function`; for the log."""

    def batch(self) -> pa.RecordBatch:
        """The observations."""
        with pa.ipc.open_stream(self.columns) as reader:
            return reader.read_next_batch()


def encoded(batch: pa.RecordBatch) -> bytes:
    """One batch as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue().to_pybytes())


def joined(task: BlockTask, parts: list[BlockResult]) -> BlockResult:
    """What the parts of one block give together."""
    together = BlockResult(
        block=task.block,
        token=task.token,
        columns=encoded(_concatenated([part.batch() for part in parts])),
        sightings=[item for part in parts for item in part.sightings],
        letters=[item for part in parts for item in part.letters],
        observed={},
        rejected={},
        faults=[item for part in parts for item in part.faults],
    )
    _add_counts(together, parts)
    together.letters = [
        msgspec.structs.replace(letter, id=f"{task.token}-{index:06d}") for index, letter in enumerate(together.letters)
    ]
    return together


def _add_counts(together: BlockResult, parts: list[BlockResult]) -> None:
    for part in parts:
        for source, count in part.observed.items():
            together.observed[source] = together.observed.get(source, 0) + count
        for source, reasons in part.rejected.items():
            mine = together.rejected.setdefault(source, {})
            for reason, count in reasons.items():
                mine[reason] = mine.get(reason, 0) + count


def _concatenated(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """One batch, its rows numbered through."""
    whole = pa.concat_batches(batches)
    row = whole.schema.get_field_index("row")
    return whole.set_column(row, whole.schema.field(row), pa.array(range(whole.num_rows), pa.uint32()))
