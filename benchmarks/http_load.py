"""A load generator and an upstream that cost little themselves: plain sockets and epoll, each in a process of its own.

python -m benchmarks.http_load serve --port 8000
python -m benchmarks.http_load drive --port 8001 --connections 12 --seconds 3 [--rate 1000]
"""

from __future__ import annotations

import argparse
import json
import select
import socket
import sys
import time
from collections import deque
from typing import Any

__all__ = ["ANSWER_BYTES", "REQUEST_BYTES", "main"]

_ANSWER_BODY = json.dumps(
    {
        "id": 4711,
        "status": "created",
        "customer": {"id": 7, "name": "Anna", "email": "anna7@example.com"},
        "items": [{"sku": f"SKU-{n}", "qty": 2, "price": 19.99} for n in range(8)],
        "total": 319.84,
    }
).encode()
_ANSWER = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(_ANSWER_BODY)
) + _ANSWER_BODY
_REQUEST_BODY = json.dumps(
    {"items": [{"sku": "SKU-1", "qty": 2}], "note": "please ring twice; " * 12, "zip": "10115"}
).encode()
ANSWER_BYTES, REQUEST_BYTES = len(_ANSWER_BODY), len(_REQUEST_BODY)
_PATHS = 1000


def _requests() -> list[bytes]:
    """Orders of a thousand customers, each with a token of their own."""
    return [
        b"POST /api/users/%d/orders HTTP/1.1\r\nhost: shop.example\r\nuser-agent: bench/1\r\n" % number
        + b"authorization: Bearer t%d\r\ncontent-type: application/json\r\naccept: application/json\r\n" % number
        + b"content-length: %d\r\n\r\n" % len(_REQUEST_BODY)
        + _REQUEST_BODY
        for number in range(_PATHS)
    ]


def _complete(data: bytes) -> bool:
    """Whether a whole message is there; both sides always say Content-Length."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return False
    at = data.lower().find(b"content-length:", 0, head)
    length = int(data[at + 15 : data.find(b"\r\n", at)]) if at >= 0 else 0
    return len(data) >= head + 4 + length


def serve(port: int) -> None:
    """Answer every request alike, until the process is ended."""
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    peers: dict[int, socket.socket] = {}
    buffers: dict[int, bytes] = {}
    while True:
        for number, _ in poll.poll():
            if number == listener.fileno():
                peer, _ = listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                peers[peer.fileno()], buffers[peer.fileno()] = peer, b""
                poll.register(peer, select.EPOLLIN)
                continue
            data = peers[number].recv(65536)
            if not data:
                poll.unregister(number)
                peers.pop(number).close()
                continue
            buffers[number] += data
            if _complete(buffers[number]):
                buffers[number] = b""
                peers[number].sendall(_ANSWER)


class Driver:
    """Keeps connections busy (closed loop), or sends at a fixed rate and counts latency from when a call was due."""

    def __init__(self, port: int, connections: int, rate: float) -> None:
        self._poll, self._requests, self._rate = select.epoll(), _requests(), rate
        self._sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            made = socket.create_connection(("127.0.0.1", port))
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[made.fileno()] = made
            self._poll.register(made, select.EPOLLIN)
        self._buffers = dict.fromkeys(self._sockets, b"")
        self._due: dict[int, float] = {}
        self._idle = deque(self._sockets)
        self.latencies_s: list[float] = []
        self.sent = 0

    def _send(self, number: int, due: float) -> None:
        self._due[number] = due
        self._sockets[number].sendall(self._requests[self.sent % _PATHS])
        self.sent += 1

    def _receive(self, timeout_s: float) -> None:
        for number, _ in self._poll.poll(timeout_s):
            data = self._sockets[number].recv(65536)
            if not data:
                raise ConnectionError("the gateway closed a connection")
            self._buffers[number] += data
            if not _complete(self._buffers[number]):
                continue
            if not self._buffers[number].startswith(b"HTTP/1.1 200"):
                raise ConnectionError("a call was not answered with 200")
            self._buffers[number] = b""
            self.latencies_s.append(time.perf_counter() - self._due.pop(number))
            self._idle.append(number)

    def run(self, seconds: float) -> float:
        """Seconds it took, until the last answer."""
        start = now = time.perf_counter()
        until, due = start + seconds, start
        while (now := time.perf_counter()) < until:
            while self._idle and (not self._rate or due <= now):
                self._send(self._idle.popleft(), due if self._rate else now)
                due += 1 / self._rate if self._rate else 0
            self._receive(max(0.0, min(due, until) - now) if self._rate else 1.0)
        while self._due:
            self._receive(5.0)
        return time.perf_counter() - start


def drive(port: int, connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Calls, rate, own CPU share, and every latency in microseconds."""
    driver = Driver(port, connections, rate)
    cpu = time.process_time()
    took = driver.run(seconds)
    return {
        "calls": driver.sent,
        "seconds": took,
        "cpu_share": (time.process_time() - cpu) / took,
        "latencies_us": [round(value * 1e6) for value in driver.latencies_s],
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["serve", "drive"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=0.0)
    given = parser.parse_args()
    if given.what == "serve":
        serve(given.port)
    json.dump(drive(given.port, given.connections, given.seconds, given.rate), sys.stdout)


if __name__ == "__main__":
    main()
