"""The same blocks without a journal: files in, ephemeral store out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from gatewatch.model.ledger import LedgerEntry
from gatewatch.ports.journal import JournalRecord
from gatewatch.services.observing.committing import BlockCommitter
from gatewatch.services.observing.pool import WorkerPool
from gatewatch.services.observing.template_files import TemplateFiles
from gatewatch.services.observing.worker import BlockResult, BlockTask, Place
from gatewatch.telemetry.logs import Log

__all__ = ["OfflineObserving"]


class OfflineObserving:
    """Feeds records through the worker pool and commits in order."""

    def __init__(
        self, *, committer: BlockCommitter, pool: WorkerPool, files: TemplateFiles, workers: int, log: Log
    ) -> None:
        """Nothing runs yet."""
        self._committer, self._pool, self._files, self._log = committer, pool, files, log
        self._depth = workers + 1

    def run(self, records: Iterable[JournalRecord], progress: Callable[[int, int], None]) -> tuple[LedgerEntry, ...]:
        """Observe everything; `progress(octets, transactions)` is called after each block. Returns the ledger."""
        flights: deque[tuple[BlockTask, Future[BlockResult], JournalRecord]] = deque()
        for number, record in enumerate(records):
            task = BlockTask(
                block=number,
                token=f"b{number:012d}",
                places=[Place(number, record)],
                templates=self._files.save(self._committer.learner),
            )
            flights.append((task, self._pool.submit(task), record))
            if len(flights) >= self._depth:
                self._finish(flights.popleft(), progress)
        while flights:
            self._finish(flights.popleft(), progress)
        return self._committer.ledger.entries()

    def _finish(
        self, flight: tuple[BlockTask, Future[BlockResult], JournalRecord], progress: Callable[[int, int], None]
    ) -> None:
        task, future, record = flight
        result = self._pool.result(task, future)
        self._committer.commit(result)
        for fault in result.faults[:5]:
            self._log.error("transaction_fault", block=task.block, fault=fault)
        progress(len(record.payload), record.count)
