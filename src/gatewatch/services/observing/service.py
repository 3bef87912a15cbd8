"""Consumes the journal: promise, observe, store, account; exactly once after any crash (docs/decisions/0002)."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from gatewatch.config.settings import ObserveSettings
from gatewatch.errors import GatewatchError
from gatewatch.model.ledger import LedgerEntry
from gatewatch.observe.templates import TemplateLearner
from gatewatch.ports.journal import BlockRange, Checkpoint, DeadLetters, Journal, StoredRecord
from gatewatch.ports.traffic import TrafficStore
from gatewatch.services.observing.blocks import BlockResult, BlockTask, Place
from gatewatch.services.observing.committing import BlockCommitter, Ledger, RecentIds
from gatewatch.services.observing.flights import Flight
from gatewatch.services.observing.pool import WorkerPool
from gatewatch.services.observing.template_files import TemplateFiles
from gatewatch.telemetry.logs import Log
from gatewatch.telemetry.threads import fault_of

__all__ = ["Observing"]

_LINGER_S = 0.2
_FLIGHTS = 2
"""One is stored while the workers observe the next."""
_SMALL_BYTES = 262_144
_WAIT_S = 0.5
_BACK_OFF_S = 2.0
_MAX_LOGGED_FAULTS = 5


@dataclass(slots=True)
class _Promised:
    """A promised block on its way."""

    promise: BlockRange
    flight: Flight
    received: dict[str, int]


class Observing:
    """One thread that keeps the workers busy and commits their results in order."""

    def __init__(
        self,
        *,
        journal: Journal,
        letters: DeadLetters,
        store: TrafficStore,
        learner: TemplateLearner,
        files: TemplateFiles,
        pool: WorkerPool,
        settings: ObserveSettings,
        log: Log,
    ) -> None:
        """Continue from the journal's checkpoint; promised blocks are replayed first."""
        self._journal, self._files, self._pool = journal, files, pool
        self._settings, self._log = settings, log
        checkpoint = journal.checkpoint()
        self._consumed = self._next = checkpoint.consumed
        self._replay = deque(checkpoint.intent)
        self._promised = {promise.token for promise in checkpoint.intent}
        self._received = {entry.source: entry.received for entry in checkpoint.ledger}
        recent = RecentIds(settings.duplicate_window)
        recent.fill(reversed(store.recent_ids(before_block=checkpoint.consumed, limit=settings.duplicate_window)))
        self._committer = BlockCommitter(
            store=store, letters=letters, learner=learner, ledger=Ledger(checkpoint.ledger), recent=recent
        )
        self._flights: deque[_Promised] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observing", daemon=True)
        self.failing = False
        """The last turn failed by an error of our own; shown by readiness."""
        self.faults = 0
        """Our own errors met since the start."""

    def start(self) -> None:
        """Begin in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End after the blocks in flight; what is left in the journal waits for the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._files.save_learner(self._committer.learner)

    def drained(self) -> bool:
        """Whether everything acknowledged is accounted for."""
        return self._consumed >= self._journal.end()

    def ledger(self) -> tuple[LedgerEntry, ...]:
        """Live counts per source."""
        # Taken before `received`, so that a commit in between can't make `in_flight` negative.
        accounted = self._committer.ledger.entries()
        received = self._journal.received()
        known = {entry.source for entry in accounted}
        fresh = [
            LedgerEntry(source=source, received=count) for source, count in received.items() if source not in known
        ]
        entries = [entry.with_received(received.get(entry.source, entry.received)) for entry in accounted]
        return tuple(sorted([*entries, *fresh], key=lambda entry: entry.source))

    def _run(self) -> None:
        while not (self._stopping.is_set() and not self._flights):
            try:
                self._turn()
            except GatewatchError as error:
                # A full disk or a store that is away: nothing is lost, the same blocks are tried again.
                self._log.error("observing_delayed", code=error.code, why=error.message)
                if self._stopping.wait(_BACK_OFF_S):
                    return
            except Exception as error:  # noqa: BLE001 - supervision point: the thread must not end unseen
                self.faults += 1
                self.failing = True
                self._log.error("observing_fault", fault=fault_of(error))
                if self._stopping.wait(_BACK_OFF_S):
                    return

    def _turn(self) -> None:
        while len(self._flights) < _FLIGHTS and not self._stopping.is_set() and self._launch():
            pass
        if not self._flights:
            self._journal.wait(self._next, _WAIT_S)
            return
        if any(flight.promise.token not in self._promised for flight in self._flights):
            self._commit_checkpoint()
        flight = self._flights[0]
        result = flight.flight.result()
        self._committer.commit(result)
        self.failing = False
        self._flights.popleft()
        self._consumed = flight.promise.end
        for source, count in flight.received.items():
            self._received[source] = self._received.get(source, 0) + count
        self._note_faults(result)
        if not self._flights and self._journal.end() <= self._next:
            self._commit_checkpoint()

    def _launch(self) -> bool:
        """Put one more block on its way; False when there is none yet."""
        if self._replay:
            promise = self._replay[0]
            records = _records_of(self._journal, promise)
        else:
            available = self._journal.end() - self._next
            if available <= 0:
                return False
            if available < _SMALL_BYTES and not self._flights:
                self._stopping.wait(_LINGER_S)
            records = self._journal.read(self._next, max_bytes=self._settings.block_bytes)
            start, end = records[0].offset, records[-1].end
            version = self._committer.learner.version
            promise = BlockRange(start=start, end=end, token=f"b{start:020d}-{end:020d}", template_version=version)
            self._files.save(self._committer.learner)
        task = BlockTask(
            block=promise.start,
            token=promise.token,
            places=[Place(stored.offset, stored.record) for stored in records],
            templates=str(self._files.file(promise.template_version)),
        )
        self._flights.append(_Promised(promise, Flight(self._pool, task), _received_in(records)))
        self._next = promise.end
        if self._replay and self._replay[0] is promise:
            self._replay.popleft()
        return True

    def _commit_checkpoint(self) -> None:
        promises = (*(flight.promise for flight in self._flights), *self._replay)
        self._journal.commit(
            Checkpoint(consumed=self._consumed, intent=promises, ledger=self._committer.ledger.entries(self._received))
        )
        self._promised = {promise.token for promise in promises}
        self._files.drop_all_but({*(promise.template_version for promise in promises), self._committer.learner.version})

    def _note_faults(self, result: BlockResult) -> None:
        self.faults += len(result.faults)
        for fault in result.faults[:_MAX_LOGGED_FAULTS]:
            self._log.error("transaction_fault", block=result.block, fault=fault)


def _records_of(journal: Journal, promise: BlockRange) -> list[StoredRecord]:
    records: list[StoredRecord] = []
    offset = promise.start
    while offset < promise.end:
        found = journal.read(offset, max_bytes=promise.end - offset)
        records += [item for item in found if item.end <= promise.end]
        offset = records[-1].end
    return records


def _received_in(records: list[StoredRecord]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for stored in records:
        counts[stored.record.source] = counts.get(stored.record.source, 0) + stored.record.count
    return counts
