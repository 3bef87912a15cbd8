"""The SDK inside real applications: nothing of theirs changes, everything arrives, trouble stays outside."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from gatewatch.model.transaction import Transaction
from gatewatch.ports.wire import Origin
from gatewatch.sdk import GatewatchAsgi, GatewatchWsgi, Sender
from gatewatch.sources.ndjson import GatewatchNdjson


class Collector:
    """Takes what the SDK sends; can refuse."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = outer.answers.pop(0) if outer.answers else 202
                if status == 202:
                    outer.lines += [line for line in gzip.decompress(body).split(b"\n") if line]
                self.send_response(status)
                if status == 429:
                    self.send_header("retry-after", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def transactions(self) -> list[Transaction]:
        found = list(GatewatchNdjson().decode(b"\n".join(self.lines), Origin(source="s", position="p")))
        assert all(isinstance(item, Transaction) for item in found)
        return [item for item in found if isinstance(item, Transaction)]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def application() -> FastAPI:
    app = FastAPI()

    @app.post("/users/{user_id}/notes")
    async def note(user_id: int, request: Request) -> dict[str, Any]:
        return {"id": user_id, "echo": (await request.json())["text"]}

    @app.get("/stream")
    def stream() -> StreamingResponse:
        return StreamingResponse((f"part{n}\n" for n in range(3)), media_type="text/plain")

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the application's own error")

    return app


async def _calls(app: Any) -> list[int]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.example") as client:
        answers = [
            await client.post("/users/7/notes?x=1", json={"text": "hi"}, headers={"authorization": "Bearer abc"}),
            await client.get("/stream"),
            await client.get("/broken"),
        ]
    assert answers[0].json() == {"id": 7, "echo": "hi"}
    assert answers[1].text == "part0\npart1\npart2\n"
    return [answer.status_code for answer in answers]


def test_an_asgi_application_is_seen_and_not_changed(collector: Collector) -> None:
    sender = Sender(collector.url, "gw_x")
    assert asyncio.run(_calls(GatewatchAsgi(application(), sender))) == [200, 200, 500]
    sender.close()
    first, second, third = collector.transactions()
    assert (first.method, first.path, first.query, first.route_hint) == (
        "POST",
        "/users/7/notes",
        "x=1",
        "/users/{user_id}/notes",
    )
    assert json.loads(first.request_body or b"") == {"text": "hi"}
    assert json.loads(first.response_body or b"") == {"id": 7, "echo": "hi"}
    assert ("authorization", "Bearer abc") in [(n, v) for n, v in first.request_headers or []]
    assert (second.response_body, second.status) == (b"part0\npart1\npart2\n", 200)
    assert (third.path, third.status) == ("/broken", 500)
    assert (sender.sent, sender.dropped) == (3, 0)


def test_other_scopes_pass_through() -> None:
    seen = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    sender = Sender("http://127.0.0.1:1", "t")
    asyncio.run(GatewatchAsgi(app, sender)({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    assert seen == ["websocket"]


def test_a_wsgi_application_is_seen_and_not_changed(collector: Collector) -> None:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("201 Created", [("Content-Type", "application/json")])
        return [b'{"got":', body, b"}"]

    sender = Sender(collector.url, "gw_x")
    with httpx.Client(transport=httpx.WSGITransport(app=GatewatchWsgi(app, sender)), base_url="http://x") as client:
        answer = client.post(
            "/things/a%20b?q=1", content=b'{"a":1}', headers={"content-type": "application/json", "x-key": "k"}
        )
    assert (answer.status_code, answer.text) == (201, '{"got":{"a":1}}')
    sender.close()
    (seen,) = collector.transactions()
    assert (seen.path, seen.query, seen.status) == ("/things/a%20b", "q=1", 201)
    assert (seen.request_body, seen.response_body) == (b'{"a":1}', b'{"got":{"a":1}}')


def test_a_full_journal_is_waited_for_and_nothing_is_sent_twice(collector: Collector) -> None:
    collector.answers = [429, 503]
    sender = Sender(collector.url, "t")
    asyncio.run(_calls(GatewatchAsgi(application(), sender)))
    for _ in range(2400):
        if sender.sent == 3:
            break
        time.sleep(0.05)
    sender.close()
    assert len({item.id for item in collector.transactions()}) == 3
    assert (sender.sent, sender.dropped) == (3, 0)


def test_gatewatch_away_costs_records_and_not_the_application() -> None:
    sender = Sender("http://127.0.0.1:1", "t", queue_size=2)
    app = GatewatchAsgi(application(), sender)
    for _ in range(4):
        assert asyncio.run(_calls(app)) == [200, 200, 500]
    sender.close()
    assert sender.sent == 0
    assert sender.dropped == 12


def test_the_end_is_the_same_for_what_is_under_way_and_for_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = threading.Semaphore(0)
    sender = Sender("http://127.0.0.1:1", "t", queue_size=2)

    def away(_: bytes) -> float:
        tried.release()
        return 0.0

    monkeypatch.setattr(sender, "_post", away)
    sender.put({"n": 0})
    assert tried.acquire(timeout=60)
    sender.put({"n": 1})
    sender.put({"n": 2})
    sender.close()
    assert (sender.sent, sender.dropped) == (0, 3)
    attempts = 0
    while tried.acquire(blocking=False):
        attempts += 1
    assert attempts < 100, "a server that is away is not asked without pause"


def test_large_and_binary_bodies_are_bounded(collector: Collector) -> None:
    app = FastAPI()

    @app.post("/upload")
    async def upload(request: Request) -> dict[str, int]:
        return {"size": len(await request.body())}

    async def calls() -> None:
        transport = httpx.ASGITransport(app=GatewatchAsgi(app, sender))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            await client.post("/upload", content=b"x" * 200_000, headers={"content-type": "text/plain"})
            await client.post("/upload", content=b"\x00\x01" * 1000, headers={"content-type": "image/png"})

    sender = Sender(collector.url, "t")
    asyncio.run(calls())
    sender.close()
    large, binary = collector.transactions()
    assert (len(large.request_body or b""), large.request_size, large.truncated) == (65_536, 200_000, True)
    assert (binary.request_body, binary.request_size) == (None, 2000)


def test_a_wrong_address_is_a_mistake_of_set_up() -> None:
    with pytest.raises(ValueError, match="http"):
        Sender("ftp://x", "t")
