"""Worker processes. A block that kills its worker is halved until the poisonous record stands alone."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection

import msgspec

from gatewatch.model.rejection import Rejection, RejectionReason
from gatewatch.observe.columns import to_arrow
from gatewatch.ports.journal import DeadLetter
from gatewatch.services.observing.blocks import BlockResult, BlockTask, encoded, joined
from gatewatch.services.observing.worker import BlockObserver

__all__ = ["WorkerPool"]

_observer: BlockObserver | None = None


def _initialise(factory: Callable[[], BlockObserver]) -> None:
    global _observer  # noqa: PLW0603 - one observer per worker process, made once
    # The main process decides when workers end; Ctrl-C reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    _observer = factory()
    # Observing makes hundreds of short-lived objects a transaction and no cycles; what was compiled stays for good.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _end_with_parent() -> None:
    # A worker waits for work on a pipe whose other end it holds itself: after a kill -9 of the server it would wait
    # for ever.
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _observe(task: BlockTask) -> BlockResult:
    if _observer is None:
        raise RuntimeError("the worker was not initialised")
    return _observer.run(task)


class WorkerPool:
    """Runs `BlockObserver` in `workers` processes (start method spawn: the store's engine must not be forked)."""

    def __init__(self, factory: Callable[[], BlockObserver], *, workers: int) -> None:
        """`factory` must be picklable; it runs once in each worker."""
        self._factory, self._workers = factory, max(1, workers)
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_initialise,
            initargs=(self._factory,),
        )

    def submit(self, task: BlockTask) -> Future[BlockResult]:
        """Begin a block."""
        try:
            return self._executor.submit(_observe, task)
        except BrokenProcessPool:
            self._replace()
            return self._executor.submit(_observe, task)

    def result(self, task: BlockTask, future: Future[BlockResult]) -> BlockResult:
        """Wait for a block; when its worker died, try again, alone, then in halves."""
        try:
            return future.result()
        except BrokenProcessPool:
            self._replace()
        return self._carefully(task)

    def _carefully(self, task: BlockTask) -> BlockResult:
        try:
            return self._executor.submit(_observe, task).result()
        except BrokenProcessPool:
            self._replace()
        if len(task.places) == 1:
            return _poisonous(task)
        middle = len(task.places) // 2
        halves = (task.places[:middle], task.places[middle:])
        return joined(task, [self._carefully(msgspec.structs.replace(task, places=half)) for half in halves])

    def _replace(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._start()

    def close(self) -> None:
        """End the workers."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _poisonous(task: BlockTask) -> BlockResult:
    """Everything of one record refused, because observing it ends the worker."""
    place = task.places[0]
    record = place.record
    refusal = Rejection(
        reason=RejectionReason.FAULT, detail="the worker process died", line=record.first_line, raw=record.payload
    )
    letter = DeadLetter(
        id=f"{task.token}-{place.offset:020d}",
        source=record.source,
        format=record.format,
        received_at=record.received_at,
        rejection=refusal,
    )
    return BlockResult(
        block=task.block,
        token=task.token,
        columns=encoded(to_arrow([], block=task.block)),
        sightings=[],
        letters=[letter],
        observed={},
        rejected={record.source: {RejectionReason.FAULT.value: record.count}},
        faults=["a worker process died"],
    )
