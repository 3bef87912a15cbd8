"""Receives Envoy's gRPC access log and journals it. Back-pressure is not reading the stream."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from envoy.service.accesslog.v3 import als_pb2

from gatewatch.config.settings import EnvoySettings
from gatewatch.errors import InputError, JournalFullError, StoreError
from gatewatch.ports.clock import Clock
from gatewatch.ports.journal import Intake, JournalRecord
from gatewatch.sources.envoy import packed
from gatewatch.sources.envoy_messages import SERVICE, final_entries
from gatewatch.telemetry.logs import Log

__all__ = ["EnvoyCollector"]

_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MAX_STREAMS = 512
"""One per Envoy worker thread, each a thread here; what comes above it is refused, and Envoy counts and tries again."""
_QUEUED_MESSAGES = 256
_BATCH_BYTES = 1024 * 1024
_LINGER_S = 0.05
_STOP_GRACE_S = 2.0
_FULL_POLL_S = 0.25
"""How often room in a full journal is looked for: meanwhile Envoy drops, so not as long as clients are told to wait."""


class EnvoyCollector:
    """One gRPC server; one thread journals what all streams bring, so that one fsync serves many messages.

    Envoy's access log is fire and forget: nothing is acknowledged to it. What arrives is journalled before the next
    message of a full queue is read; while the journal is full Envoy's own buffer fills and it counts what it drops.
    """

    def __init__(self, settings: EnvoySettings, journal: Intake, clock: Clock, log: Log) -> None:
        """Nothing listens before `start`."""
        self._settings, self._journal, self._clock, self._log = settings, journal, clock, log
        self._messages: queue.Queue[list[bytes]] = queue.Queue(_QUEUED_MESSAGES)
        self._stopping = threading.Event()
        self._server: Any = None
        self._thread = threading.Thread(target=self._write, name="envoy-journal", daemon=True)
        self.port = 0
        """The port bound; useful when the settings say 0."""

    def start(self) -> None:
        """Listen. Raises StoreError when the address is taken."""
        self._server = grpc.server(
            ThreadPoolExecutor(_MAX_STREAMS, thread_name_prefix="envoy"),
            maximum_concurrent_rpcs=_MAX_STREAMS,
            options=[("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)],
        )
        self._server.add_generic_rpc_handlers((_Service(self, self._log).handlers(),))
        try:
            self.port = self._server.add_insecure_port(self._settings.address)
        except RuntimeError as error:
            raise StoreError(
                f"can't listen on {self._settings.address}", cure="Set envoy.address to a free one."
            ) from error
        self._server.start()
        self._thread.start()
        self._log.info("envoy_collector_listens", address=self._settings.address)

    def stop(self) -> None:
        """Close the streams, journal what has arrived."""
        if self._server is not None:
            self._server.stop(_STOP_GRACE_S).wait()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def take(self, entries: list[bytes]) -> None:
        """Queue one message's entries; waits while the queue is full."""
        while not self._stopping.is_set():
            try:
                self._messages.put(entries, timeout=1.0)
            except queue.Full:
                continue
            return

    def _write(self) -> None:
        while not (self._stopping.is_set() and self._messages.empty()):
            entries = self._batch()
            if entries:
                self._append(entries)

    def _batch(self) -> list[bytes]:
        try:
            entries = list(self._messages.get(timeout=0.2))
        except queue.Empty:
            return []
        size, until = sum(map(len, entries)), time.monotonic() + _LINGER_S
        while size < _BATCH_BYTES:
            try:
                more = self._messages.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            entries += more
            size += sum(map(len, more))
        return entries

    def _append(self, entries: list[bytes]) -> None:
        record = JournalRecord(
            source=self._settings.source,
            format="envoy-als",
            received_at=self._clock.now(),
            count=len(entries),
            payload=packed(entries),
        )
        waited = False
        while True:
            try:
                self._journal.append([record])
            except JournalFullError:
                if not waited:
                    self._log.warning("journal_full", source=self._settings.source)
                waited = True
                if self._stopping.wait(_FULL_POLL_S):
                    self._log.error("entries_not_taken", source=self._settings.source, count=len(entries))
                    return
                continue
            return


class _Service:
    def __init__(self, collector: EnvoyCollector, log: Log) -> None:
        self._collector, self._log = collector, log

    def handlers(self) -> Any:
        """The service's only method. Messages stay octets: the library would end the stream at the first odd one."""
        method = grpc.stream_unary_rpc_method_handler(
            self.stream, response_serializer=als_pb2.StreamAccessLogsResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler(SERVICE, {"StreamAccessLogs": method})

    def stream(self, messages: Iterator[bytes], context: Any) -> Any:
        """One stream per Envoy worker, as long as Envoy keeps it."""
        try:
            for message in messages:
                if entries := final_entries(message):
                    self._collector.take(entries)
        except InputError as error:
            self._log.warning("envoy_stream_refused", why=error.message)
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        except grpc.RpcError:
            # Envoy went away; it opens a new stream when it is back.
            context.cancel()
        return als_pb2.StreamAccessLogsResponse()
