"""Real Envoy with the snippet we ship, in front of a real upstream, logging to our collector."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.upstream import request_body, serving

from gatewatch.bootstrap.installation import SystemClock
from gatewatch.config.settings import EnvoySettings
from gatewatch.journal.files import FileJournal
from gatewatch.model.observation import Evidence, Observation
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.model.transaction import Transaction
from gatewatch.observe.observer import Observer
from gatewatch.observe.templates import TemplateSet
from gatewatch.ports.journal import Checkpoint, Intake, JournalRecord
from gatewatch.ports.wire import Origin
from gatewatch.sources.envoy import EnvoyAccessLog
from gatewatch.sources.envoy_collector import EnvoyCollector
from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.processes import free_port

pytestmark = pytest.mark.xdist_group("envoy")

LIMIT = 65_536
PERSON = json.dumps({"id": 7, "email": "anna@example.com", "note": "é" * 400}).encode()
PACKED = gzip.compress(PERSON, mtime=0)
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
JSON = {"content-type": "application/json"}
_LONGEST_WAIT_S = 180.0
_WRITTEN, _DROPPED = "access_logs.grpc_access_log.logs_written", "access_logs.grpc_access_log.logs_dropped"


class Memory:
    """Keeps what is appended; the collector needs nothing else of a journal."""

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, records: Sequence[JournalRecord]) -> int:
        self.records += records
        return len(self.records)

    def transactions(self) -> list[Transaction]:
        return [item for record in tuple(self.records) for item in transactions(record.payload)]


class Lines:
    """A log that remembers its events."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_: object) -> None:
        self.events.append(event)

    warning = error = info


def transactions(payload: bytes) -> list[Transaction]:
    found = list(EnvoyAccessLog().decode(payload, Origin(source="envoy", position="0")))
    assert all(isinstance(item, Transaction) for item in found), found
    return [item for item in found if isinstance(item, Transaction)]


def eventually(ready: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + _LONGEST_WAIT_S
    while not ready():
        assert time.monotonic() < until, f"never: {what}"
        time.sleep(0.05)


async def upstream(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answers by path; `/echo` gives back what it got, with its type."""
    if scope["type"] != "http":
        return
    got = await request_body(receive)
    sent_type = dict(scope["headers"]).get(b"content-type", b"application/octet-stream")
    status, kind, parts = {
        "/echo": (200, sent_type, [got]),
        "/person": (200, b"application/json", [PERSON]),
        "/gzip": (200, b"application/json", [PACKED]),
        "/image": (200, b"image/png", [IMAGE]),
        "/stream": (200, b"text/event-stream", [b"data: %d\n\n" % n for n in range(5)]),
        "/latin": (200, b"text/plain; charset=iso-8859-1", ["café".encode("latin-1")]),
        "/nothing": (204, b"", []),
    }.get(scope["path"], (404, b"text/plain", [b"no"]))
    headers = [(b"content-type", kind)] if kind else []
    headers += [(b"content-encoding", b"gzip")] if scope["path"] == "/gzip" else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for part in parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body"})


@pytest.fixture(scope="module")
def upstream_port() -> Iterator[int]:
    with serving(upstream) as port:
        yield port


@contextmanager
def collecting(port: int, journal: Intake, log: Lines | None = None) -> Iterator[EnvoyCollector]:
    made = EnvoyCollector(EnvoySettings(address=f"127.0.0.1:{port}"), journal, SystemClock(), log or Lines())
    made.start()
    try:
        yield made
    finally:
        made.stop()


class Gateway:
    """One Envoy with a listener per situation; all log to collectors of their own but `bodies` and `log_only`."""

    def __init__(self, directory: Path, upstream_port: int, collector_port: int, journal: Memory) -> None:
        self.journal, self._numbers = journal, count()
        names = ("bodies", "log_only", "http2", "restarted", "away", "full")
        self.ports = {name: free_port() for name in names}
        self.collectors = {name: free_port() for name in names[3:]}
        shared = {"bodies": collector_port, "log_only": collector_port, "http2": None}
        self.envoy = EnvoyProcess(
            directory,
            [
                Listener(
                    name=name,
                    port=self.ports[name],
                    # Envoy is the HTTP/2 client too: this one speaks it to the listener `bodies`.
                    upstream=self.ports["bodies"] if name == "http2" else upstream_port,
                    upstream_http2=name == "http2",
                    collector=shared[name] if name in shared else self.collectors[name],
                    bodies=name != "log_only",
                )
                for name in names
            ],
        )

    def client(self, name: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.ports[name]}", headers={"x-forwarded-for": "203.0.113.7"}, timeout=60
        )

    def counter(self, name: str) -> int:
        return self.envoy.counters("access_logs")[name]

    def seen(self, listener: str, method: str, path: str, **more: Any) -> tuple[httpx.Response, Transaction]:
        """The client's response and what Gatewatch made of the call."""
        mark = f"mark={next(self._numbers)}"
        with self.client(listener) as client:
            response = client.request(method, f"{path}?{mark}", **more)
        eventually(lambda: any(item.query == mark for item in self.journal.transactions()), f"{path} is logged")
        (found,) = [item for item in self.journal.transactions() if item.query == mark]
        return response, found


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, upstream_port: int) -> Iterator[Gateway]:
    journal = Memory()
    with collecting(0, journal) as collector:
        made = Gateway(tmp_path_factory.mktemp("envoy"), upstream_port, collector.port, journal)
        with made.envoy:
            yield made


@pytest.fixture(scope="module")
def observer() -> Observer:
    return Observer(ObserveSettings(trusted_proxies=("127.0.0.0/8",)), b"k" * 32)


@dataclass(frozen=True)
class Carried:
    """A call and what must arrive of it."""

    path: str
    request: bytes | None
    response: bytes | None
    method: str = "POST"
    listener: str = "bodies"
    send: dict[str, Any] = field(default_factory=dict)
    chunks: tuple[bytes, ...] = ()
    """Sent chunked, as JSON."""
    truncated: bool = False
    version: str = "1.1"


LONG = json.dumps({"text": "x" * 150_000}).encode()
EDGE = b"a" * LIMIT
CARRIED = {
    "JSON both ways": Carried("/echo", b'{"q":1}', b'{"q":1}', send={"content": b'{"q":1}', "headers": JSON}),
    "a form": Carried("/echo", b"a=1&b=2", b"a=1&b=2", send={"data": {"a": "1", "b": "2"}}),
    "text that is not ASCII": Carried("/person", None, PERSON, method="GET"),
    "text that is not UTF-8": Carried("/latin", None, b"caf\xe9", method="GET"),
    "a NUL in the middle": Carried(
        "/echo", b'{"a":"\x00<b>"}', b'{"a":"\x00<b>"}', send={"content": b'{"a":"\x00<b>"}', "headers": JSON}
    ),
    "a gzip response, still packed": Carried("/gzip", None, PACKED, method="GET"),
    "a gzip request, still packed": Carried(
        "/echo",
        PACKED,
        PACKED,
        send={"content": PACKED, "headers": {**JSON, "content-encoding": "gzip"}},
    ),
    "longer than the bound: cut and marked": Carried(
        "/echo", LONG[:LIMIT], LONG[:LIMIT], send={"content": LONG, "headers": JSON}, truncated=True
    ),
    "exactly the bound: whole": Carried(
        "/echo", EDGE, EDGE, send={"content": EDGE, "headers": {"content-type": "text/plain"}}
    ),
    "a binary response is not carried": Carried("/image", None, None, method="GET"),
    "a binary upload is not carried": Carried(
        "/echo", None, None, send={"content": IMAGE, "headers": {"content-type": "application/octet-stream"}}
    ),
    "a chunked upload": Carried("/echo", b'{"a":1}', b'{"a":1}', chunks=(b'{"a"', b":", b"1}")),
    "a chunked upload longer than the bound": Carried(
        "/echo", LONG[:LIMIT], LONG[:LIMIT], chunks=(LONG[:60_000], LONG[60_000:]), truncated=True
    ),
    "a streamed response": Carried("/stream", None, b"".join(b"data: %d\n\n" % n for n in range(5)), method="GET"),
    "HTTP/2": Carried(
        "/echo", b'{"q":2}', b'{"q":2}', listener="http2", send={"content": b'{"q":2}', "headers": JSON}, version="2"
    ),
    "no body at all": Carried("/nothing", None, None, method="GET"),
    "an empty body that has a type": Carried("/nothing", b"", None, send={"headers": JSON}),
    "the access log alone": Carried(
        "/echo", None, None, listener="log_only", send={"content": b'{"q":1}', "headers": JSON}
    ),
}


@pytest.mark.parametrize("name", CARRIED)
def test_what_of_a_call_arrives(gateway: Gateway, name: str) -> None:
    case = CARRIED[name]
    # An iterator has no length: httpx sends it chunked.
    send = {"content": iter(case.chunks), "headers": JSON} if case.chunks else case.send
    response, found = gateway.seen(case.listener, case.method, case.path, **send)
    assert response.status_code in (200, 204)
    assert found.response_body == case.response
    assert (found.request_body, found.truncated) == (case.request, case.truncated)
    assert (found.method, found.path, found.status) == (case.method, case.path, response.status_code)
    assert (found.http_version, found.client_ip) == (case.version, "127.0.0.1")
    if case.truncated:
        assert found.request_size == len(LONG)
        assert len(response.content) == len(LONG)


def test_observing_reads_what_arrives(gateway: Gateway, observer: Observer) -> None:
    def observed(listener: str, method: str, path: str, **more: Any) -> Observation:
        _, found = gateway.seen(listener, method, path, **more)
        return observer.observe(found, "envoy", TemplateSet.empty())

    packed = observed("bodies", "GET", "/gzip")
    assert {hit.type for hit in packed.information} == {"email"}
    assert (packed.client_ip, packed.external) == ("203.0.113.7", True)
    attack = observed("bodies", "POST", "/echo", content=b"{\"q\":\"\x00 1' OR '1'='1\"}", headers=JSON)
    assert {hit.class_ for hit in attack.indicators} == {"sql_injection"}
    cut = observed("bodies", "POST", "/echo", content=LONG, headers=JSON)
    assert "source" in cut.cut
    known = observed("log_only", "GET", "/person", headers={"authorization": "Basic YW5uYTpzZWNyZXQ="})
    assert (known.actor_kind.value, known.actor_id) == ("subject", "anna")


def test_evidence_says_whether_bodies_are_carried(gateway: Gateway, observer: Observer) -> None:
    def evidence(listener: str) -> Evidence:
        _, found = gateway.seen(listener, "POST", "/echo", content=b'{"q":1}', headers=JSON)
        return Evidence(observer.observe(found, "envoy", TemplateSet.empty()).evidence)

    bodies = Evidence.REQUEST_BODY | Evidence.RESPONSE_BODY
    everything = EnvoyAccessLog.meta.evidence
    assert evidence("bodies") == everything
    assert evidence("log_only") == everything & ~bodies


def test_a_call_without_any_credential_says_so(gateway: Gateway, observer: Observer) -> None:
    with httpx.Client(headers={}, timeout=60) as client:
        client.headers.clear()
        mark = "mark=bare"
        client.get(f"http://127.0.0.1:{gateway.ports['log_only']}/person?{mark}").raise_for_status()
    eventually(lambda: any(item.query == mark for item in gateway.journal.transactions()), "the bare call is logged")
    (found,) = [item for item in gateway.journal.transactions() if item.query == mark]
    assert Evidence.IDENTITY & observer.observe(found, "envoy", TemplateSet.empty()).evidence


ODD = {
    "octets that are not UTF-8 in a header": ("/person", {"x-api-key": b"\xff\xfe\x80key", "referer": b"\xc3("}),
    "octets that are not UTF-8 in the user agent": ("/person", {"user-agent": b"a\xffb"}),
    "percent-encoded odd octets in the path": ("/%ff%00%fe", {}),
    "two cookies and a very long header": ("/person", {"cookie": "a=1; b=2", "x-correlation-id": "z" * 20_000}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_requests_are_seen_like_any_other(gateway: Gateway, name: str) -> None:
    path, headers = ODD[name]
    response, found = gateway.seen("bodies", "GET", path, headers=headers)
    assert found.status == response.status_code
    assert found.path == path


@pytest.mark.slow
def test_a_collector_that_restarts_is_found_again(gateway: Gateway) -> None:
    before, after, port = Memory(), Memory(), gateway.collectors["restarted"]
    numbers = count()
    with gateway.client("restarted") as client:

        def call() -> str:
            query = f"n={next(numbers)}"
            client.get(f"/person?{query}").raise_for_status()
            return query

        with collecting(port, before):
            wanted = {call() for _ in range(20)}
            eventually(lambda: wanted == {item.query for item in before.transactions()}, "calls before the restart")
        for _ in range(20):
            call()
        with collecting(port, after):
            eventually(lambda: bool(call() and after.records), "Envoy finds the collector again")
            late = {call() for _ in range(50)}
            eventually(lambda: late <= {item.query for item in after.transactions()}, "calls after the restart")
    queries = [item.query for item in (*before.transactions(), *after.transactions())]
    assert len(queries) == len(set(queries))


def test_gatewatch_away_from_the_start_harms_nobody_and_is_found_later(gateway: Gateway) -> None:
    journal = Memory()
    with gateway.client("away") as client:
        for number in range(50):
            answer = client.post(f"/echo?n={number}", content=LONG, headers=JSON)
            assert (answer.status_code, len(answer.content)) == (200, len(LONG))
        with collecting(gateway.collectors["away"], journal):

            def arrives() -> bool:
                client.get("/person?late").raise_for_status()
                return any(item.query == "late" for item in journal.transactions())

            eventually(arrives, "calls arrive once Gatewatch is there")


def until_dropped(gateway: Gateway, log: Lines) -> int:
    """Calls with bodies through the listener `full` until the journal is full and Envoy drops entries; how many.

    A collector that is given little of the machine lets Envoy drop before the journal is full.
    """
    calls, before = 0, gateway.counter(_DROPPED)
    with gateway.client("full") as client:
        while gateway.counter(_DROPPED) == before or "journal_full" not in log.events:
            assert calls < 5000, "Envoy never noticed"
            for _ in range(50):
                answer = client.post(f"/echo?n={calls}", content=EDGE, headers={"content-type": "text/plain"})
                assert (answer.status_code, len(answer.content)) == (200, LIMIT)
                calls += 1
    return calls


@pytest.mark.slow
def test_a_full_journal_pushes_back_to_envoy_and_harms_no_call(gateway: Gateway, tmp_path: Path) -> None:
    journal = FileJournal(tmp_path / "journal", b"k" * 32, max_bytes=5_000_000, segment_bytes=500_000)
    log, written, dropped = Lines(), gateway.counter(_WRITTEN), gateway.counter(_DROPPED)
    seen: list[str] = []
    with closing(journal), collecting(gateway.collectors["full"], journal, log):
        calls = until_dropped(gateway, log)

        def logged() -> int:
            return gateway.counter(_WRITTEN) - written + gateway.counter(_DROPPED) - dropped

        # Envoy counts a call a moment after its client has the answer.
        eventually(lambda: logged() == calls, "every call was written or dropped")
        lost = gateway.counter(_DROPPED) - dropped
        assert journal.used_bytes() <= 5_000_000

        def drained() -> bool:
            consumed = journal.checkpoint().consumed
            for stored in journal.read(consumed, max_bytes=1 << 20):
                seen.extend(item.query for item in transactions(stored.record.payload))
                consumed = stored.end
            journal.commit(Checkpoint(consumed=consumed))
            return len(seen) == calls - lost

        # Room again: all that Envoy counts as written arrives, once.
        eventually(drained, "what Envoy wrote is in the journal")
    assert len(set(seen)) == len(seen)
