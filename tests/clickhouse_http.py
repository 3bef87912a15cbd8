"""ClickHouse's HTTP interface in front of the embedded engine, in a process of its own.

No ClickHouse server can be installed where the tests run, but the engine is the same; what a server adds for us is the
wire: statements, bound parameters and settings in the URL or a form, blocks in the body, errors as a status. Written from
ClickHouse's documentation (interfaces/http). It checks what it is sent: the password, known settings, one statement.

Run: python -m tests.clickhouse_http PORT DIRECTORY USER PASSWORD [CERTIFICATE KEY]
"""

from __future__ import annotations

import gzip
import re
import ssl
import sys
import tempfile
import threading
from base64 import b64decode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb
import zstandard

TRANSPORT = {
    "database", "query", "default_format", "session_id", "session_timeout", "session_check", "query_id", "quota_key",
    "compress", "decompress", "wait_end_of_query", "client_protocol_version", "role", "buffer_size",
    "enable_http_compression", "send_progress_in_http_headers", "http_headers_progress_interval_ms",
}  # fmt: skip
FORMAT = re.compile(rb"\sFORMAT\s+(\w+)\s*$", re.IGNORECASE)
INSERT = re.compile(rb"^\s*INSERT\s+INTO\s+(.+?)\s+FORMAT\s+(\w+)[ \t]*(?:\r?\n|$)", re.IGNORECASE | re.DOTALL)
CODE = re.compile(r"Code: (\d+)")


class Engine:
    """One statement at a time; every request has its own database and settings."""

    def __init__(self, directory: str) -> None:
        self._connection = chdb.connect(directory)
        self._lock = threading.Lock()

    def run(self, sql: bytes, given: dict[str, str], body: bytes) -> bytes:
        settings = {name: value for name, value in given.items() if name not in TRANSPORT and not is_bound(name)}
        bound = {name.removeprefix("param_"): value for name, value in given.items() if is_bound(name)}
        with self._lock:
            self._ask(f"USE {given.get('database') or 'default'}".encode())
            for name, value in settings.items():
                self._ask(f"SET {name} = '{value}'".encode())
            try:
                return self._statement(sql, given.get("default_format", "TabSeparated"), bound, body)
            finally:
                for name in settings:
                    self._ask(f"SET {name} = DEFAULT".encode())

    def _statement(self, sql: bytes, format_: str, bound: dict[str, str], body: bytes) -> bytes:
        if insert := INSERT.match(sql + b"\n"):
            data = sql[insert.end() :] + body
            with tempfile.NamedTemporaryFile(suffix=".block") as file:
                file.write(data)
                file.flush()
                target, name = insert.group(1), insert.group(2)
                return self._ask(b"INSERT INTO %s FROM INFILE '%s' FORMAT %s" % (target, file.name.encode(), name))
        if asked := FORMAT.search(sql):
            format_, sql = asked.group(1).decode(), sql[: asked.start()]
        return self._ask(sql, format_, bound)

    def _ask(self, sql: bytes, format_: str = "TabSeparated", bound: dict[str, str] | None = None) -> bytes:
        result = self._connection.query(sql.decode(), format_, params=bound or None)
        data: bytes = result.bytes()
        return data


def is_bound(name: str) -> bool:
    return name.startswith("param_")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    engine: Engine
    credentials: tuple[str, str]

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/ping":
            self._answer(200, b"Ok.\n")
        else:
            self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            data = b"".join(parts)
        else:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
        coding = self.headers.get("content-encoding", "")
        decoders = {
            "gzip": gzip.decompress,
            "zstd": lambda packed: zstandard.ZstdDecompressor().decompressobj().decompress(packed),
        }
        return decoders[coding](data) if coding else data

    def _serve(self, body: bytes) -> None:
        given = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme != "Basic" or tuple(b64decode(encoded).decode().split(":", 1)) != self.credentials:
            self._answer(403, b"Code: 516. DB::Exception: Authentication failed", code="516")
            return
        if "query" in given:
            sql, rest = given.pop("query").encode(), body
        else:
            sql, rest = body, b""
        try:
            self._answer(200, self.engine.run(sql, given, rest))
        except Exception as error:  # noqa: BLE001 - what the engine raises is the answer
            text = str(error)
            found = CODE.search(text)
            self._answer(500, text.encode(), code=found.group(1) if found else "1000")

    def _answer(self, status: int, body: bytes, *, code: str = "") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-clickhouse-summary", '{"read_rows":"0","written_rows":"0"}')
        if code:
            self.send_header("x-clickhouse-exception-code", code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def main() -> None:
    port, directory, user, password, *tls = sys.argv[1:]
    Handler.engine, Handler.credentials = Engine(directory), (user, password)
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
