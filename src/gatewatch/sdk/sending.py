"""A bounded queue and a thread that sends. The application never waits for it and never sees its errors."""

from __future__ import annotations

import atexit
import gzip
import json
import queue
import threading
import time
import urllib.error
from typing import Any
from urllib.parse import quote

from gatewatch.sdk.opening import checked, opened

__all__ = ["Sender"]

_BATCH = 500
_BATCH_BYTES = 4 * 1024 * 1024
_LINGER_S = 1.0
_RETRY_S = 2.0
_MAX_RETRY_S = 30.0
_FLUSH_S = 3.0
_LAST_RETRY_S = 0.2


class Sender:
    """Queues records and POSTs them as gzip NDJSON. `dropped` counts what did not fit into the queue."""

    def __init__(
        self, url: str, token: str, *, source: str = "app", queue_size: int = 10_000, timeout_s: float = 10.0
    ) -> None:
        """`url` is Gatewatch's address. Raises ValueError when it is no http(s) address: a mistake of set-up."""
        self._url = f"{checked(url)}/v1/ingest?source={quote(source)}"
        self._token, self._timeout_s = token, timeout_s
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue(queue_size)
        self._stopping = threading.Event()
        self._deadline = 0.0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.dropped = 0
        """Records that were not sent because the queue was full or the end came."""
        self.sent = 0
        """Records that Gatewatch acknowledged."""

    def put(self, record: dict[str, Any]) -> None:
        """Queue a record or count it as dropped; never blocks, never raises."""
        self._ensure_thread()
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.dropped += 1

    def _ensure_thread(self) -> None:
        # Started with the first record, so that a server that forks its workers gets a thread in each of them.
        if self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if (self._thread is None or not self._thread.is_alive()) and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="gatewatch-sender", daemon=True)
                self._thread.start()
                atexit.register(self.close)

    def close(self) -> None:
        """Send what is queued, for a few seconds at most; the rest counts as dropped."""
        self._deadline = self._deadline or time.monotonic() + _FLUSH_S
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_FLUSH_S + 1)
        while not self._queue.empty():
            self._queue.get_nowait()
            self.dropped += 1

    def _run(self) -> None:
        while not (self._stopping.is_set() and (self._queue.empty() or self._late())):
            batch = self._batch()
            if batch:
                self._deliver(batch)

    def _late(self) -> bool:
        """The few seconds that the end may take are over."""
        return self._stopping.is_set() and time.monotonic() > self._deadline

    def _batch(self) -> list[bytes]:
        lines: list[bytes] = []
        size, until = 0, time.monotonic() + _LINGER_S
        while len(lines) < _BATCH and size < _BATCH_BYTES:
            wait = 0.05 if self._stopping.is_set() else max(0.0, until - time.monotonic())
            try:
                record = self._queue.get(timeout=min(wait, 0.2) or 0.001)
            except queue.Empty:
                if self._stopping.is_set() or time.monotonic() >= until:
                    break
                continue
            line = json.dumps(record, separators=(",", ":")).encode("utf-8", "surrogatepass")
            lines.append(line)
            size += len(line)
        return lines

    def _deliver(self, lines: list[bytes]) -> None:
        """The same batch until it is taken: ids make a repetition harmless."""
        body, wait = gzip.compress(b"\n".join(lines) + b"\n", 5), _RETRY_S
        while True:
            retry_after = self._post(body)
            if retry_after is None:
                self.sent += len(lines)
                return
            if retry_after < 0 or self._late():
                self.dropped += len(lines)
                return
            if self._stopping.is_set():
                time.sleep(_LAST_RETRY_S)
            else:
                self._stopping.wait(retry_after or wait)
            wait = min(wait * 2, _MAX_RETRY_S)

    def _post(self, body: bytes) -> float | None:
        """None when taken; seconds to wait (0: the caller's back-off); -1 when it will never be taken."""
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-encoding": "gzip",
            "content-type": "application/x-ndjson",
        }
        try:
            with opened(self._url, headers, timeout_s=self._timeout_s, data=body):
                return None
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 429:
                after = error.headers.get("retry-after", "")
                return float(after) if after.isdecimal() else 0.0
            return -1.0 if 400 <= error.code < 500 and error.code not in (401, 403, 408) else 0.0
        except OSError:
            return 0.0
