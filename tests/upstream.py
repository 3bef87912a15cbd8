"""A real HTTP server in a thread, for gateways under test to stand in front of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from gatewatch.testing.processes import free_port


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port of 127.0.0.1 that the ASGI application answers on."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(2400):
        if server.started:
            break
        time.sleep(0.05)
    assert server.started, "the upstream does not listen"
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


async def request_body(receive: Any) -> bytes:
    """All of it."""
    got, more = b"", True
    while more:
        message = await receive()
        got += message.get("body", b"")
        more = message.get("more_body", False)
    return got
