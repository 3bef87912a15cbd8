"""Real nginx writes its logs, combined and with the format we ship; the follower reads them through rotation."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from tests.server_process import ServerProcess

from gatewatch.bootstrap.installation import SystemClock
from gatewatch.config.settings import TailSettings
from gatewatch.model.observation import Evidence
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet
from gatewatch.plugins import discover
from gatewatch.ports.journal import JournalRecord
from gatewatch.ports.wire import Origin, WireFormat
from gatewatch.sources.tail import FileFollower
from gatewatch.telemetry.logs import configure
from gatewatch.testing.processes import ChildProcess, answers, free_port

FORMATS = {kind.meta.id: kind() for kind in discover("gatewatch.sources", WireFormat)}
SHIPPED = "/var/log/nginx/gatewatch.log"
CONFIG = """
user {user};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_processes 2;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  {snippet}
  access_log {directory}/combined.log combined;
  server {{
    listen 127.0.0.1:{port};
    location = /ready {{ access_log off; return 204; }}
    location /private {{ return 401; }}
    location / {{ default_type application/json; return 200 '{{"ok":true}}'; }}
  }}
}}
"""
_LONGEST_WAIT_S = 180.0


def program() -> str:
    """Debian puts it where not everybody looks."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/local/nginx/sbin")
    assert found, "nginx is missing; install the Debian package nginx-light (`.ci/run` does) and run again"
    return found


class Nginx(ChildProcess):
    """Two workers that log to `combined.log` and `gatewatch.log`."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.url = directory, f"http://127.0.0.1:{(port := free_port())}"
        shipped = files("gatewatch.sources").joinpath("snippets/nginx.conf").read_text()
        assert SHIPPED in shipped
        snippet = shipped.replace(SHIPPED, f"{directory}/gatewatch.log")
        config = directory / "nginx.conf"
        config.write_text(CONFIG.format(directory=directory, snippet=snippet, port=port, user=directory.owner()))
        self._base = (program(), "-p", str(directory), "-c", str(config), "-e", str(directory / "error.log"))
        super().__init__(self._base, log=directory / "nginx.out", ready=answers(f"{self.url}/ready"))

    def rotate(self, number: int) -> None:
        """As logrotate: rename, then tell nginx."""
        for log in ("combined.log", "gatewatch.log"):
            (self.directory / log).rename(self.directory / f"{log}.{number}")
        subprocess.run([*self._base, "-s", "reopen"], check=True, capture_output=True)
        # The master makes the new files when it comes to it; without them there is nothing to rename the next time.
        names = ("combined.log", "gatewatch.log")
        eventually(lambda: all((self.directory / log).exists() for log in names), lambda: f"{names} after {number}")


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    directory = tmp_path / "nginx"
    directory.mkdir()
    with Nginx(directory) as made:
        yield made


class Memory:
    """Keeps what is appended; the follower needs nothing else of a journal."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, records: Sequence[JournalRecord]) -> int:
        self.records += records
        return len(self.records)

    def transactions(self) -> list[Transaction]:
        found = [
            item
            for record in tuple(self.records)
            for item in FORMATS[record.format].decode(record.payload, Origin(source="s", position=record.position))
        ]
        assert all(isinstance(item, Transaction) for item in found), found
        return [item for item in found if isinstance(item, Transaction)]


def eventually(ready: Callable[[], bool], what: Callable[[], object]) -> None:
    until = time.monotonic() + _LONGEST_WAIT_S
    while not ready():
        assert time.monotonic() < until, what()
        time.sleep(0.05)


def follower_of(nginx: Nginx, log: str, journal: Memory) -> FileFollower:
    settings = TailSettings(source=log, path=str(nginx.directory / log))
    data = str(nginx.directory / "data")
    return FileFollower(settings, data, journal, FORMATS, SystemClock(), configure(level="error"))


def followed(nginx: Nginx, log: str) -> list[Transaction]:
    """What a follower that starts now takes of a log that nobody writes to."""
    journal = Memory()
    follower = follower_of(nginx, log, journal)
    while follower.poll():
        pass
    follower.stop()
    return journal.transactions()


def logged(nginx: Nginx, count: int) -> None:
    eventually(
        lambda: all(
            (nginx.directory / log).read_bytes().count(b"\n") == count for log in ("combined.log", "gatewatch.log")
        ),
        lambda: f"nginx logged {count} calls",
    )


AGENT = "Mozilla/5.0 \"quoted\" 'x' \\ \t<b> é"
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a plain GET": ("GET", "/api/users/7?page=2&sort=a%20b", {}),
    "a POST": ("POST", "/api/orders", {"content": b'{"q":1}', "headers": {"content-type": "application/json"}}),
    "a refused call with credentials": ("GET", "/private", {"headers": {"authorization": "Basic YW5uYTpzZWNyZXQ="}}),
    "an API key": ("GET", "/api/keys", {"headers": {"x-api-key": "k-123"}}),
    "behind a proxy": ("GET", "/api/p", {"headers": {"x-forwarded-for": "203.0.113.9"}}),
    "quotes, tabs, backslashes": ("GET", "/api/q", {"headers": {"user-agent": AGENT.encode(), "referer": 'a"b\\c'}}),
    "octets that are not UTF-8": ("GET", "/api/o", {"headers": {"user-agent": b"a\xff\xfeb"}}),
    "an encoded path": ("GET", "/api/%C3%A9%22%5C/x?q=%27%20OR%201%3D1", {}),
    "a path made of odd octets": ("GET", "/api/%ff%00%fe", {}),
}


def called(nginx: Nginx) -> dict[str, httpx.Response]:
    with httpx.Client(base_url=nginx.url, timeout=60) as client:
        return {name: client.request(method, path, **more) for name, (method, path, more) in CALLS.items()}


@pytest.mark.parametrize("log", ["gatewatch.log", "combined.log"])
def test_every_line_that_nginx_writes_is_read(nginx: Nginx, log: str) -> None:
    answered = called(nginx)
    logged(nginx, len(CALLS))
    found = dict(zip(CALLS, followed(nginx, log), strict=True))
    for name, (method, path, _) in CALLS.items():
        item, response = found[name], answered[name]
        seen = f"{item.path}?{item.query}" if item.query else item.path
        assert (item.method, seen, item.status) == (method, path, response.status_code), name
        assert item.response_size == len(response.content), name
        assert (item.client_ip, item.http_version) == ("127.0.0.1", "1.1"), name
        assert abs(item.ts - time.time()) < 300, name


def test_the_shipped_format_carries_who_called(nginx: Nginx) -> None:
    called(nginx)
    logged(nginx, len(CALLS))
    observer = Observer(ObserveSettings(trusted_proxies=("127.0.0.0/8",)), b"k" * 32)
    found = dict(zip(CALLS, followed(nginx, "gatewatch.log"), strict=True))
    seen = {name: observer.observe(item, "nginx", TemplateSet.empty()) for name, item in found.items()}
    assert all(Evidence.IDENTITY & item.evidence for item in seen.values())
    assert all(item.host == "127.0.0.1" for item in seen.values() if item.status != 400), "nginx read no further"
    assert all(item.latency_ms >= 0 for item in seen.values())
    assert len({item.id for item in seen.values()}) == len(CALLS)
    known = seen["a refused call with credentials"]
    assert (known.actor_kind.value, known.actor_id, known.status) == ("subject", "anna", 401)
    assert seen["an API key"].actor_kind.value == "key"
    assert seen["behind a proxy"].client_ip == "203.0.113.9"
    assert dict(found["quotes, tabs, backslashes"].request_headers or [])["User-Agent"] == AGENT
    assert {hit.class_ for hit in seen["an encoded path"].indicators} == {"sql_injection"}


def test_combined_says_what_it_does_not_carry(nginx: Nginx) -> None:
    called(nginx)
    logged(nginx, len(CALLS))
    observer = Observer(ObserveSettings(), b"k" * 32)
    for item in followed(nginx, "combined.log"):
        evidence = Evidence(observer.observe(item, "nginx", TemplateSet.empty()).evidence)
        if not item.user:
            assert not evidence & (Evidence.IDENTITY | Evidence.REQUEST_BODY | Evidence.LATENCY)


class Traffic:
    """A few clients that call without pause, each path once."""

    def __init__(self, nginx: Nginx) -> None:
        self._url, self._stopping, self.paths = nginx.url, threading.Event(), [list[str]() for _ in range(3)]
        self._threads = [threading.Thread(target=self._call, args=(n, paths)) for n, paths in enumerate(self.paths)]

    def _call(self, caller: int, paths: list[str]) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while not self._stopping.is_set():
                path = f"/api/c{caller}/{len(paths)}"
                client.get(path).raise_for_status()
                paths.append(path)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def flow(self, more: int) -> None:
        wanted = self.all().total() + more
        eventually(lambda: self.all().total() >= wanted, lambda: f"{self.all().total()} calls")

    def all(self) -> Counter[str]:
        return Counter(path for paths in self.paths for path in tuple(paths))


@pytest.mark.slow
def test_rotation_under_traffic_loses_and_repeats_nothing(nginx: Nginx) -> None:
    journals = {log: Memory() for log in ("combined.log", "gatewatch.log")}
    with ExitStack() as stack:
        for log, journal in journals.items():
            follower = follower_of(nginx, log, journal)
            stack.callback(follower.stop)
            follower.start()
        with Traffic(nginx) as traffic:
            for number in range(1, 4):
                traffic.flow(150)
                nginx.rotate(number)
            traffic.flow(150)
        sent = traffic.all()

        def counts() -> dict[str, int]:
            return {log: len(journal.transactions()) for log, journal in journals.items()}

        eventually(lambda: min(counts().values()) >= sent.total(), lambda: f"{counts()} of {sent.total()}")
    for log, journal in journals.items():
        assert Counter(item.path for item in journal.transactions()) == sent, log
        positions = [record.position for record in journal.records]
        assert len(positions) == len(set(positions)), log


@pytest.mark.slow
def test_a_server_observes_every_request_once_through_rotation_and_restart(nginx: Nginx, server_at: Any) -> None:
    path = nginx.directory / "gatewatch.log"
    server: ServerProcess = server_at(f'[[tail]]\nsource = "nginx-edge"\npath = "{path}"\n')
    server.start()
    with Traffic(nginx) as traffic:
        traffic.flow(200)
        nginx.rotate(1)
        traffic.flow(200)
        assert server.stop() == 0
        nginx.rotate(2)
        traffic.flow(200)
        server.start()
    sent = traffic.all().total()

    def ledger() -> dict[str, Any]:
        with server.client() as client:
            return next(iter(client.get("/v1/ledger").raise_for_status().json()["items"]), {})

    eventually(lambda: ledger().get("observed", 0) >= sent, lambda: f"{sent} sent, {ledger()}")
    entry = ledger()
    assert (entry["source"], entry["received"], entry["observed"]) == ("nginx-edge", sent, sent)
    assert (entry["duplicate"], entry["rejected"], entry["in_flight"]) == (0, {}, 0)
