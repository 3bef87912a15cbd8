"""Blocks on their way through the workers: a block is cut into pieces that are observed side by side.

Blocks are large because much of what storing one costs does not depend on its size (40 us a row by 4,000 rows, 17 us by
20,000, measured with `benchmarks/pipeline.py` transactions); pieces are small so that all workers have something to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import pairwise

import msgspec

from gatewatch.services.observing.blocks import BlockResult, BlockTask, joined
from gatewatch.services.observing.pool import WorkerPool

__all__ = ["Flight"]

_PIECE_BYTES = 2 * 1024 * 1024


class Flight:
    """One block."""

    def __init__(self, pool: WorkerPool, task: BlockTask) -> None:
        """Give it to the workers."""
        self._pool, self.task = pool, task
        self._pieces: list[tuple[BlockTask, Future[BlockResult]]] = [
            (piece, pool.submit(piece)) for piece in _pieces(task)
        ]

    def result(self) -> BlockResult:
        """Wait for all of it."""
        results = [self._pool.result(piece, future) for piece, future in self._pieces]
        return joined(self.task, results) if len(results) > 1 else results[0]


def _pieces(task: BlockTask) -> Iterator[BlockTask]:
    """The same cuts for the same block: a replay must give the same rows."""
    cuts, size = [0], 0
    for index, place in enumerate(task.places):
        if size >= _PIECE_BYTES:
            cuts.append(index)
            size = 0
        size += len(place.record.payload)
    for start, end in pairwise([*cuts, len(task.places)]):
        yield msgspec.structs.replace(task, places=task.places[start:end])
