"""The command line against the REST API, without a socket between them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from tests.integration.test_rest import Rest, rest

from gatewatch.cli.app import run
from gatewatch.egress.guard import Guard
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import alert

__all__ = ["rest"]

Shell = Callable[..., Any]


@pytest.fixture
def shell(rest: Rest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs a command as an admin; with `--json` its document."""
    client = rest.client(Role.ADMIN)

    def request(_: httpx.Client, method: str, path: str, **given: Any) -> httpx.Response:
        given.pop("timeout")
        return client.request(method, path, **given)

    monkeypatch.setattr(httpx.Client, "request", request)

    def typed(*words: str, code: int = 0) -> Any:
        assert run(words) == code, capsys.readouterr().err
        shown = capsys.readouterr()
        return json.loads(shown.out) if "--json" in words else shown.out + shown.err

    return typed


@pytest.fixture
def case(rest: Rest) -> str:
    rest.control.upsert_alerts([alert(1), alert(2)])
    rest.correlation.run()
    return str(rest.control.alert("a0001").incident)


def test_who_did_what_is_found(shell: Shell, case: str) -> None:
    shell("incidents", "comment", case, "looked at it")
    shell("alerts", "comment", "a0001", "noise", "--json")
    (entry,) = shell("audit", "--by", "admin", "--on", "incident", "--json")["items"]
    assert (entry["text"], entry["subject_id"]) == ("looked at it", case)
    assert len(shell("audit", "--by", "admin", "--action", "comment", "--json")["items"]) == 2
    assert shell("audit", "--by", "nobody") == "Audit log: none\n"
    assert "error: --since: " in shell("audit", "--since", "yesterday", code=2)
    assert "noise" in shell("alerts", "activities", "a0001")
    assert "entries, none changed" in shell("audit", "verify")


def test_tasks_are_added_and_done(shell: Shell, case: str) -> None:
    made = shell("tasks", "add", case, "Call them", "--owner", "ann", "--due", "2026-02-01T00:00:00Z", "--json")
    assert shell("tasks", "set", case, made["id"], "--done") == f"{made['id']} Call them: done\n"
    (task,) = shell("tasks", "list", case, "--json")["items"]
    assert (task["done"], task["assigned_to"], task["due_at"]) == (True, "ann", "2026-02-01T00:00:00.000Z")
    shell("tasks", "set", case, made["id"], "--open", "--owner", "", "--due", "")
    (task,) = shell("tasks", "list", case, "--json")["items"]
    assert (task["done"], task["assigned_to"], task["due_at"]) == (False, None, None)
    assert "has no task t9" in shell("tasks", "set", case, "t9", "--done", code=4)


def test_settings_of_a_detector_are_changed_one_by_one(shell: Shell) -> None:
    detector = "volume.traffic_spike"
    (first, second, *_) = shell("detectors", "show", detector, "--json")["settings"]
    values = [f"{one['name']}={json.dumps(one['value'])}" for one in (first, second)]
    shell("detectors", "set", detector, "--set", values[0])
    changed = shell("detectors", "set", detector, "--set", values[1], "--disable", "--json")
    assert changed["changed"] == {first["name"]: first["value"], second["name"]: second["value"], "enabled": False}
    changed = shell("detectors", "set", detector, "--default", first["name"], "--enable", "--json")
    assert changed["changed"] == {second["name"]: second["value"], "enabled": True}
    assert "nothing to change" in shell("detectors", "set", detector, code=2)
    assert "has no setting nonsense" in shell("detectors", "set", detector, "--default", "nonsense", code=2)
    assert "error: " in shell("detectors", "set", detector, "--set", f"{first['name']}=-1", code=2)


def test_flows_are_called_back_and_not_any_more(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin.readline", lambda: "https://x.logic.azure.com/flow?sig=canary\n")
    made = shell("subscriptions", "add", "-", "--json")
    assert made["host"] == "x.logic.azure.com"
    assert "canary" not in shell("subscriptions", "list")
    assert shell("subscriptions", "list", "--kind", "incident", "--json")["items"] == []
    assert shell("subscriptions", "delete", made["id"]) == f"{made['id']} is removed\n"
    assert "error: --kind: " in shell("subscriptions", "list", "--kind", "x", code=2)


def test_what_can_be_read_and_seen_is_listed(shell: Shell) -> None:
    assert "ndjson" in shell("sources", "list")
    assert shell("sources", "coverage", "--json") == {"items": [], "more": False}


def test_alerts_of_an_incident_are_listed(shell: Shell, case: str) -> None:
    assert len(shell("alerts", "list", "--incident", case, "--json")["items"]) == 2
    assert shell("alerts", "list", "--incident", "99999", "--json")["items"] == []


def test_connections_say_what_they_can_and_lack(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    flow, tickets = shell("connections", "list", "--json")["items"]
    assert (flow["name"], flow["enabled"], flow["host"], flow["secrets"]) == ("flow", False, None, {"address": False})
    assert (tickets["host"], tickets["secrets"], tickets["ready"]) == ("127.0.0.1", {"token": False}, False)
    assert "create_issue" in {action["id"] for action in tickets["actions"]}
    assert "token MISSING" in shell("connections", "list")
    assert shell("connections", "test", "tickets", code=14) == "tickets: the secret token can't be read\n"
    monkeypatch.setenv("GW_TEST_TICKETS", "canary-1")
    monkeypatch.setenv("GW_TEST_FLOW", "https://hidden.logic.azure.com.invalid/canary-2")
    assert [one["secrets"] for one in shell("connections", "list", "--json")["items"]] == [
        {"address": True},
        {"token": True},
    ]
    told = shell("connections", "test", "tickets", code=14) + str(
        shell("connections", "test", "flow", "--json", code=14)
    )
    assert told.startswith("tickets: no connection to 127.0.0.1: ")
    told += shell("connections", "list") + shell("connections", "show", "flow")
    assert not [word for word in ("canary", "hidden", "GW_TEST") if word in told]
    assert "Configured are: flow, tickets." in shell("connections", "show", "nothing", code=4)


def test_a_connection_that_answers_is_reached(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GW_TEST_TICKETS", "canary-1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        monkeypatch.setattr(Guard, "connect", lambda _, host, __, ___: socket.create_connection((host, port)))
        assert shell("connections", "test", "tickets") == "tickets can be reached\n"
        with server.accept()[0] as caller:
            assert caller.recv(1) == b""
