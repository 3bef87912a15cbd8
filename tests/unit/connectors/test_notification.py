"""apprise inside the guard: what it may reach, and what it tells."""

from __future__ import annotations

import logging
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.connector_servers import Answer
from tests.connector_servers import Vendor as Server

from gatewatch.config.settings import ConnectionSettings
from gatewatch.connectors.notification import Notification
from gatewatch.connectors.reach import Reach
from gatewatch.egress.foreign import guarded
from gatewatch.egress.guard import Guard
from gatewatch.ports.connectors import ActionCall, ActionResult, ConnectorError, Outcome

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # apprise's own


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(lambda _: Answer(200, {}))
    yield made
    made.close()


def notify(monkeypatch: pytest.MonkeyPatch, url: str, **changes: Any) -> ActionResult:
    monkeypatch.setenv("GW_TEST_URL", url)
    chosen = {"name": "n", "connector": "apprise", "url": "env:GW_TEST_URL", "timeout_s": 60.0, **changes}
    connector = Notification(Reach(ConnectionSettings(**chosen), Notification.requirements))
    return connector.perform(ActionCall(connection="n", action="notify", inputs={"text": "Two", "title": "T"}, key="k"))


def address(server: Server, host: str = "127.0.0.1") -> str:
    return f"json://{host}:{server.url.rpartition(':')[2]}/t0ken-in-the-path"


def test_a_notification(monkeypatch: pytest.MonkeyPatch, server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = notify(monkeypatch, address(server), private_hosts=("127.0.0.1",))
    assert result.outcome is Outcome.SUCCEEDED
    (request,) = server.requests
    assert (request.json["title"], request.json["message"]) == ("T", "Two")
    assert "t0ken" not in caplog.text


def test_addresses_inside_are_refused_unless_named(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    for host in ("127.0.0.1", "localhost"):
        result = notify(monkeypatch, address(server, host))
        assert (result.outcome, result.again) == (Outcome.FAILED, False)
        assert f"{host} leads to an address of this machine" in result.error
    assert server.requests == []


def test_redirects_lead_nowhere(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.faults.append(Answer(307, None, {"location": "http://169.254.169.254/latest/meta-data/"}))
    result = notify(monkeypatch, address(server), private_hosts=("127.0.0.1",))
    assert result.outcome is Outcome.UNKNOWN
    assert len(server.requests) == 1


def test_proxies_of_the_environment_are_refused(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    result = notify(monkeypatch, "json://api.example/x", insecure=True)
    assert result.outcome is Outcome.FAILED
    assert server.requests == []


def test_an_answer_that_is_none_leaves_the_outcome_open(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    server.faults.append("cut")
    result = notify(monkeypatch, address(server), private_hosts=("127.0.0.1",))
    assert (result.outcome, result.again) == (Outcome.UNKNOWN, False)


REFUSED = {
    "no schema of apprise": "nonsense://x",
    "no certificate checks": "jsons://api.example/x?verify=no",
    "no TLS": "json://api.example/x",
}


@pytest.mark.parametrize("name", REFUSED)
def test_addresses_that_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ConnectorError):
        notify(monkeypatch, REFUSED[name])


def test_services_of_this_machine_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert notify(monkeypatch, "syslog://").outcome is Outcome.FAILED


def test_other_threads_are_left_alone(server: Server) -> None:
    port = int(server.url.rpartition(":")[2])
    reached: list[bool] = []

    def other() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=60):
            reached.append(True)

    begun, go = threading.Event(), threading.Event()

    def waiting() -> None:
        begun.set()
        go.wait(60)
        other()

    thread = threading.Thread(target=waiting)
    thread.start()
    begun.wait(60)
    with guarded(Guard(["api.example"])) as trace:
        go.set()
        with pytest.raises(PermissionError):
            socket.create_connection(("127.0.0.1", port))
        with pytest.raises(PermissionError):
            subprocess.run(["true"], check=False)
        thread.join(60)
    assert (reached, len(trace.refusals), trace.connections) == ([True], 2, 0)
    other()
    assert reached == [True, True]
