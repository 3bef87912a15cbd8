"""Rendering and sending of export targets, against receivers in the same process.

    python -m benchmarks export [--write]

Rates are of one target in one thread with its store (SQLite): changes read, things read, rendered, sent, position kept.
The receivers share machine and process, so the rates are lower bounds. `plain_posts_per_s` is what the same HTTP
client and receiver do with the webhook's batches and none of our code between.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import structlog

from benchmarks.facts import machine, publish
from gatewatch.bootstrap.exporting import exporting
from gatewatch.config.settings import ExportSettings
from gatewatch.formats.export import all_formats
from gatewatch.model.export import export_item
from gatewatch.services.exporting import Exporting
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import alert
from gatewatch.testing.exports import CONTEXT, rich_alert

ALERTS = 20_000
BATCH = 200


class _Clock:
    def now(self) -> float:
        return time.time()


@contextmanager
def _http() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = b"{}"
            if self.path == "/_bulk":
                count = body.count(b"\n") // 2
                answer = json.dumps({"items": [{"create": {"status": 201}}] * count}).encode()
            elif self.path.startswith("/services"):
                answer = b'{"text":"Success","code":0}'
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def _tcp() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while connection.recv(1 << 16):
                        pass

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def _render() -> dict[str, float]:
    """Microseconds for one alert with everything in it."""
    item, found = export_item(rich_alert()), {}
    for name, format_ in all_formats().items():
        begin = time.perf_counter()
        for _ in range(3000):
            format_.render(item, CONTEXT)
        found[name] = round((time.perf_counter() - begin) / 3000 * 1e6, 1)
    return found


def _drain(control: SqlControlStore, name: str, target: dict[str, Any]) -> float:
    """Alerts a second through one target, by a back-fill over all of them."""
    settings = msgspec.convert(
        {"targets": [{"name": name, "kinds": ["alert"], "poll_s": 0.001} | target]}, ExportSettings
    )
    service: Exporting = exporting(settings, control, _Clock(), structlog.get_logger())
    service.back_fill(name, [], by="benchmark")
    begin = time.perf_counter()
    service.start()
    while service.status(name).delivered < ALERTS:
        time.sleep(0.005)
    took = time.perf_counter() - begin
    service.stop()
    return round(ALERTS / took)


def _plain(url: str) -> float:
    body = b"[" + b",".join([all_formats()["ocsf"].render(export_item(alert(1)), CONTEXT)] * BATCH) + b"]"
    with httpx.Client() as client:
        begin = time.perf_counter()
        for _ in range(ALERTS // BATCH):
            client.post(url, content=body)
        return round(ALERTS / (time.perf_counter() - begin))


def _latency(control: SqlControlStore, url: str, wait: Callable[[], None] = lambda: time.sleep(0.02)) -> float:
    """Milliseconds (median of 50) from a stored alert to a target that took it, looking every 10 ms."""
    target = {"name": "latency", "transport": "webhook", "settings": {"url": url}, "kinds": ["alert"], "poll_s": 0.01}
    settings = msgspec.convert({"targets": [target]}, ExportSettings)
    service = exporting(settings, control, _Clock(), structlog.get_logger())
    service.start()
    took = []
    for number in range(50):
        wait()
        before, begin = service.status("latency").delivered, time.perf_counter()
        control.upsert_alerts([alert(ALERTS + number)], at=time.time())
        while service.status("latency").delivered == before:
            time.sleep(0.0005)
        took.append(1000 * (time.perf_counter() - begin))
    service.stop()
    return round(sorted(took)[25], 1)


def measure() -> dict[str, Any]:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder, _http() as url, _tcp() as port:
        control = SqlControlStore(f"sqlite:///{folder}/control.sqlite")
        control.migrate()
        control.upsert_alerts([alert(n) for n in range(ALERTS)], at=0.0)
        targets: dict[str, dict[str, Any]] = {
            "webhook": {"transport": "webhook", "settings": {"url": url}},
            "splunk-hec": {"transport": "splunk-hec", "settings": {"url": url, "token": f"file:{folder}/token"}},
            "elasticsearch": {"transport": "elasticsearch", "format": "ecs", "settings": {"url": url}},
            "syslog": {
                "transport": "syslog",
                "format": "cef",
                "settings": {"host": "127.0.0.1", "port": port, "protocol": "tcp"},
            },
            "file": {"transport": "file", "settings": {"path": f"{folder}/out.jsonl"}},
        }
        Path(folder, "token").write_text("token")
        result = {
            "alerts": ALERTS,
            "render_us": _render(),
            "alerts_per_s": {name: _drain(control, name, target) for name, target in targets.items()},
            "plain_posts_per_s": _plain(url),
            "stored_to_taken_ms": _latency(control, url),
            "machine": machine(),
        }
        control.close()
    return result


def main() -> None:
    publish("export", measure())
