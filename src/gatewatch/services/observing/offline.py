"""The same blocks without a journal: files in, ephemeral store out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from gatewatch.model.ledger import LedgerEntry
from gatewatch.ports.journal import JournalRecord
from gatewatch.services.observing.blocks import BlockTask, Place
from gatewatch.services.observing.committing import BlockCommitter
from gatewatch.services.observing.flights import Flight
from gatewatch.services.observing.pool import WorkerPool
from gatewatch.services.observing.template_files import TemplateFiles
from gatewatch.telemetry.logs import Log

__all__ = ["OfflineObserving"]

_FLIGHTS = 2
"""One is stored while the workers observe the next."""


class OfflineObserving:
    """Feeds records through the worker pool and commits in order."""

    def __init__(
        self, *, committer: BlockCommitter, pool: WorkerPool, files: TemplateFiles, block_bytes: int, log: Log
    ) -> None:
        """Nothing runs yet."""
        self._committer, self._pool, self._files, self._log = committer, pool, files, log
        self._block_bytes = block_bytes

    def run(self, records: Iterable[JournalRecord], progress: Callable[[int, int], None]) -> tuple[LedgerEntry, ...]:
        """Observe everything; `progress(octets, transactions)` is called after each block. Returns the ledger."""
        flights: deque[Flight] = deque()
        for places in self._blocks(records):
            number = places[0].offset
            task = BlockTask(
                block=number,
                token=f"b{number:012d}",
                places=places,
                templates=self._files.save(self._committer.learner),
            )
            flights.append(Flight(self._pool, task))
            if len(flights) >= _FLIGHTS:
                self._finish(flights.popleft(), progress)
        while flights:
            self._finish(flights.popleft(), progress)
        return self._committer.ledger.entries()

    def _blocks(self, records: Iterable[JournalRecord]) -> Iterator[list[Place]]:
        places: list[Place] = []
        size = 0
        for number, record in enumerate(records):
            if places and size + len(record.payload) > self._block_bytes:
                yield places
                places, size = [], 0
            places.append(Place(number, record))
            size += len(record.payload)
        if places:
            yield places

    def _finish(self, flight: Flight, progress: Callable[[int, int], None]) -> None:
        task, result = flight.task, flight.result()
        self._committer.commit(result)
        for fault in result.faults[:5]:
            self._log.error("transaction_fault", block=task.block, fault=fault)
        records = [place.record for place in task.places]
        progress(sum(len(record.payload) for record in records), sum(record.count for record in records))
