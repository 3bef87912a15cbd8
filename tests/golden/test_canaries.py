"""Secrets planted in every member of every source are nowhere in what is stored, answered, logged or reported."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from gatewatch.formats.export import all_formats
from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.processes import free_port
from tests.golden.planted import MARK, Planted, access_log, envoy_calls, har, json_access_log, ndjson
from tests.server_process import ServerProcess
from tests.upstream import request_body, serving

pytestmark = pytest.mark.slow

ROUTES = (
    "alerts",
    "endpoints",
    "collections",
    "findings",
    "score",
    "score/history",
    "dead-letters",
    "ledger",
    "metrics",
    "detectors",
    "coverage",
    "exports",
)
BROKEN_NDJSON = f"broken {MARK}045\n".encode()
FILES = {
    "ndjson": b"".join(json.dumps(line).encode() + b"\n" for line in ndjson()),
    "access-log": access_log().encode() * 3,
    "json-access-log": json_access_log(),
    "har": har(),
}
DUMP = """
import sys
import clickhouse_connect
client = clickhouse_connect.get_client(dsn=f"chdb://{sys.argv[1]}")
tables = client.query("SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree' AND database != 'system'")
for database, table in tables.result_rows:
    print(database, table)
    sys.stdout.flush()
    sys.stdout.buffer.write(client.raw_query(f"SELECT * FROM {database}.{table}", fmt="TSV"))
"""


def _disguises() -> list[bytes]:
    """The mark in base64 (three alignments, both alphabets are the same here) and in hexadecimal."""
    found = [MARK.encode().hex().encode()]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + MARK.encode())
        found.append(text[-(-shift * 8 // 6) : (shift + len(MARK)) * 8 // 6])
    return found


DISGUISES = _disguises()


def canaries(data: bytes) -> set[str]:
    """What of the planted secrets is in there, plain or in the usual disguises."""
    plain = {match.decode() for match in re.findall(re.escape(MARK.lower()).encode() + rb"\d{0,3}", data.lower())}
    return plain | {disguise.decode() for disguise in DISGUISES if disguise in data}


def found_in(directory: Path) -> dict[str, set[str]]:
    """Canaries by the file they were found in."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    return {str(path.relative_to(directory)): hits for path in files if (hits := canaries(path.read_bytes()))}


def stored_rows(server: ServerProcess) -> bytes:
    """Every row of every table: in the engine's files they are compressed."""
    engine = server.directory / "data" / "traffic"
    return subprocess.run([sys.executable, "-c", DUMP, str(engine)], capture_output=True, check=True).stdout


def answers(server: ServerProcess) -> str:
    with server.client() as client:
        fields = [f"endpoints/{item['id']}/fields" for item in client.get("/v1/endpoints?limit=500").json()["items"]]
        single = [f"alerts/{item['id']}" for item in client.get("/v1/alerts?limit=200").json()["items"]]
        return "".join(client.get(f"/v1/{route}").text for route in (*ROUTES, *fields, *single))


def assert_nothing_kept(server: ServerProcess, told: str) -> None:
    """`told`: what REST answered. Ends the server."""
    assert server.stop() == 0
    assert canaries(told.encode()) == set()
    assert found_in(server.directory) == {}
    rows = stored_rows(server)
    assert b"gatewatch observations" in rows
    assert canaries(rows) == set()


def test_the_search_finds_what_there_is_to_find(tmp_path: Path) -> None:
    for name, data in FILES.items():
        assert len(canaries(data)) > 4, name
    for number, text in enumerate((MARK, base64.b64encode(f"x{MARK}y".encode()).decode(), MARK.encode().hex())):
        (tmp_path / str(number)).write_text(f"..{text}..")
    assert set(found_in(tmp_path)) == {"0", "1", "2"}


def _exports(directory: Path) -> str:
    """A file per format beside the data, where what is kept is searched."""
    return "".join(
        f'[[export.targets]]\nname = "{name}"\ntransport = "file"\nformat = "{name}"\n'
        f'kinds = {[kind.value for kind in format_.meta.kinds]}\nsettings = {{ path = "{directory}/export.{name}" }}\n'
        for name, format_ in all_formats().items()
    )


def test_a_server_keeps_and_exports_no_secret(server_at: Any, tmp_path: Path) -> None:
    server: ServerProcess = server_at(_exports(tmp_path))
    server.start()
    with server.client() as client:
        for name, data in FILES.items():
            body = data + BROKEN_NDJSON if name == "ndjson" else data
            parameters = {"format": name, "source": name}
            assert client.post("/v1/ingest", params=parameters, content=body).raise_for_status().json()["accepted"] > 3
        server.settle()
        ledger = {item["source"]: item for item in client.get("/v1/ledger").json()["items"]}
    assert set(ledger) == set(FILES)
    assert all(item["observed"] and item["rejected"] for item in ledger.values()), ledger
    _exported(server, tmp_path)
    server.stop()
    server.start()
    assert_nothing_kept(server, answers(server))


def _exported(server: ServerProcess, directory: Path) -> None:
    """Wait until every format wrote every alert that there is."""
    with server.client() as client:
        for _ in range(1800):
            known = [alert["id"] for alert in client.get("/v1/alerts?limit=500").json()["items"]]
            files = [directory / f"export.{name}" for name in all_formats()]
            told = [file.read_text() if file.exists() else "" for file in files]
            if len(known) > 1 and all(alert in text for alert in known for text in told):
                return
            time.sleep(0.1)
    raise AssertionError("not everything was exported")


@pytest.mark.parametrize("name", FILES)
def test_an_analysis_writes_no_secret(tmp_path: Path, name: str) -> None:
    source, out = tmp_path / f"traffic.{name}", tmp_path / "out"
    source.write_bytes(FILES[name])

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "gatewatch", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    told = run("analyze", str(source), "--format", name, "--out", str(out))
    for number in range(1, 5):
        wanted = f"req-{number}" if name == "ndjson" else str(number)
        told += run("explain", str(source), "--format", name, "--id", wanted)
    assert "1" in told
    assert canaries(told.encode()) == set()
    assert len(list(out.iterdir())) == 8
    assert found_in(out) == {}


def _answering(calls: list[Planted]) -> Any:
    by_path = {call.path.partition("?")[0]: call for call in calls}

    async def upstream(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        await request_body(receive)
        call = by_path[scope["raw_path"].decode()]
        headers = [(name.encode(), value.encode()) for name, value in call.answer_headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": call.answer})

    return upstream


def test_bodies_and_headers_through_a_real_envoy_leave_no_secret(server_at: Any, tmp_path: Path) -> None:
    collector, port, directory, calls = free_port(), free_port(), tmp_path / "envoy", envoy_calls()
    directory.mkdir()
    server: ServerProcess = server_at(
        f'[envoy]\nenabled = true\naddress = "127.0.0.1:{collector}"\n[observe]\ntrusted_proxies = ["127.0.0.0/8"]\n'
    )
    server.start()
    with serving(_answering(calls)) as upstream:
        listener = Listener(name="planted", port=port, upstream=upstream, collector=collector)
        url = f"http://127.0.0.1:{port}"
        with EnvoyProcess(directory, [listener]), httpx.Client(base_url=url, timeout=60) as client:
            statuses = [
                client.request(call.method, call.path, headers=call.headers, content=call.body).status_code
                for call in calls
            ]
            assert statuses.count(200) >= len(calls) - 1, statuses
            _received(server, len(calls))
    entry = server.settle()
    assert (entry["observed"], entry["rejected"]) == (len(calls), {})
    _seen(server, "credit_card")
    assert_nothing_kept(server, answers(server))


def _received(server: ServerProcess, count: int) -> None:
    with server.client() as client:
        for _ in range(1800):
            items = client.get("/v1/ledger").raise_for_status().json()["items"]
            if items and items[0]["received"] >= count:
                return
            time.sleep(0.1)
    raise AssertionError(items)


def _seen(server: ServerProcess, kind: str) -> None:
    """Wait until the inventory shows an information type that is in bodies only: bodies were looked at."""
    kinds: set[str] = set()
    with server.client() as client:
        for _ in range(1800):
            items = client.get("/v1/endpoints?limit=500").raise_for_status().json()["items"]
            kinds |= {fact["type"] for item in items for fact in item["information_types"]}
            if kind in kinds:
                return
            time.sleep(0.1)
    raise AssertionError(kinds)
