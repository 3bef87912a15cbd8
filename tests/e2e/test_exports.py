"""Kill -9 of the exporting process at random moments, and export as users of the server meet it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import alert
from tests.export_servers import Answer, HttpReceiver, Request
from tests.server_process import ServerProcess

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
TOTAL, KILLS = 3000, 8
SOON = 180.0


def soon(condition: Callable[[], bool]) -> None:
    for _ in range(int(SOON / 0.05)):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


class Siem:
    """Keeps every event in the order in which it came; away for every seventh request."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.requests = 0
        self.server = HttpReceiver(self.answer)

    def answer(self, request: Request) -> Answer:
        self.requests += 1
        if self.requests % 7 == 0:
            return Answer(503)
        self.events += json.loads(request.body)
        return Answer()


@pytest.fixture
def siem() -> Iterator[Siem]:
    made = Siem()
    yield made
    made.server.close()


class Exporter:
    """The process; can be killed and started again."""

    def __init__(self, url: str, settings: dict[str, Any]) -> None:
        self.command = [sys.executable, "-m", "tests.exporter_process", url, json.dumps(settings)]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def check(events: list[dict[str, Any]], written: int) -> int:
    """Nothing lost, first arrivals in order, repeats the same to the letter; how many repeats."""
    first: dict[str, dict[str, Any]] = {}
    repeats = 0
    for event in events:
        known = first.setdefault(event["event"]["id"], event)
        repeats += known is not event
        assert known == event, "a repeat says something else"
    assert [event["gatewatch"]["id"] for event in first.values()] == [f"a{n:04d}" for n in range(written)]
    return repeats


def test_kill_9_loses_nothing_and_keeps_the_order(tmp_path: Path, siem: Siem) -> None:
    url = f"sqlite:///{tmp_path}/control.sqlite"
    control = SqlControlStore(url)
    control.migrate()
    kept = {"poll_s": 0.01, "retry_first_s": 0.02, "retry_max_s": 0.1, "kinds": ["alert"], "format": "ecs"}
    targets = [
        {"name": "siem", "transport": "webhook", "settings": {"url": siem.server.url}, **kept},
        {"name": "file", "transport": "file", "settings": {"path": f"{tmp_path}/out.jsonl"}, **kept},
    ]
    process = Exporter(url, {"targets": targets})
    process.start()
    done = threading.Event()

    def write() -> None:
        for start in range(0, TOTAL, 10):
            control.upsert_alerts([alert(n) for n in range(start, start + 10)], at=time.time())
            time.sleep(0.01)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    chosen = random.Random(20261121)
    for _ in range(KILLS):
        time.sleep(chosen.uniform(0.05, 0.8))
        process.kill()
        process.start()
    writer.join()
    last = f"a{TOTAL - 1:04d}"
    out = tmp_path / "out.jsonl"
    soon(lambda: any(event["gatewatch"]["id"] == last for event in siem.events[-2000:]))
    soon(lambda: last.encode() in out.read_bytes())
    process.kill()
    control.close()
    check(siem.events, TOTAL)
    check([json.loads(line) for line in out.read_bytes().splitlines()], TOTAL)


def line(number: int) -> bytes:
    return (
        json.dumps(
            {
                "id": f"r{number}",
                "ts": datetime.now(UTC).isoformat(),
                "method": "GET",
                "host": "api.example",
                "path": f"/api/users/{number}",
                "request_headers": [["User-Agent", "javascript:"]],
                "status": 200,
                "client_ip": "203.0.113.9",
            }
        ).encode()
        + b"\n"
    )


def gatewatch(server: ServerProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatewatch", *arguments, "--server", server.url, "--token", server.token]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_detected_attack_reaches_the_siem_through_the_server(server_at: Any, siem: Siem) -> None:
    server: ServerProcess = server_at(
        f'[[export.targets]]\nname = "siem"\ntransport = "webhook"\nkinds = ["alert", "incident", "finding", "audit"]\n'
        f'settings = {{ url = "{siem.server.url}" }}\n'
    )
    server.start()
    assert gatewatch(server, "exports", "test", "siem").stdout == "siem took the test message\n"
    with server.client() as client:
        client.post("/v1/ingest", content=b"".join(line(n) for n in range(20))).raise_for_status()
        soon(lambda: {2003, 2004, 2005, 6003} <= {event["class_uid"] for event in siem.events})
        ready = client.get("/v1/ready").json()["parts"]
        assert ready["exports"] is True
        metrics = client.get("/v1/metrics").text
        assert 'gatewatch_export_lag_items{target="siem"}' in metrics
        assert client.get("/v1/exports/other").status_code == 404

    def shown() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(gatewatch(server, "exports", "list", "--json").stdout)["items"][0]
        return found

    # The SIEM is away now and then; what is under way meanwhile waits for it.
    soon(lambda: shown()["state"] == "running")
    assert "settings" not in shown()
    assert json.loads(gatewatch(server, "exports", "pause", "siem", "--json").stdout)["state"] == "paused"
    assert json.loads(gatewatch(server, "exports", "resume", "siem", "--json").stdout)["state"] in (
        "running",
        "waiting",
    )
    soon(lambda: shown()["state"] == "running")
    assert gatewatch(server, "exports", "back-fill", "siem", "--kind", "finding").returncode == 0
    soon(lambda: sum(event["class_uid"] == 2003 for event in siem.events) >= 2)
    assert gatewatch(server, "exports", "dead-letters", "siem").stdout == "Dead letters: none\n"
    assert gatewatch(server, "exports", "resend", "siem", "x").stdout == "resent 0\n"
    assert gatewatch(server, "exports", "show", "other").returncode == 4
    assert server.stop() == 0


def test_a_wrong_target_is_told_at_the_start(server_at: Any) -> None:
    server: ServerProcess = server_at(
        '[[export.targets]]\nname = "siem"\ntransport = "splunk-hec"\nformat = "defender"\nkinds = ["audit"]\n'
        'settings = { url = "https://splunk.example", token = "env:HEC" }\n'
    )
    with pytest.raises(AssertionError, match="the format defender can't say audit"):
        server.start()
