"""Calls: inputs, keys, templates that values can't break, connections, and simulations that reach nobody."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.connector_servers import SECRET, Answer, Request
from tests.connector_servers import Vendor as Server

from gatewatch.bootstrap.connections import connections, simulated_connections
from gatewatch.config.settings import ConnectionSettings, Settings
from gatewatch.connectors.definition import Request as Template
from gatewatch.connectors.registry import Connections
from gatewatch.connectors.rendering import context_of, render
from gatewatch.connectors.simulated import SimulatedConnectors
from gatewatch.errors import ConfigurationError
from gatewatch.ports.connectors import ActionCall, ConnectorError, Outcome

from .conftest import KINDS

METAS = {name: kind.meta for name, kind in KINDS.items()}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({}, "summary is missing; source is missing; severity is missing"),
    "another type": ({"summary": 1, "source": "s", "severity": "info"}, "summary is not of type string"),
    "a choice that there is not": ({"summary": "s", "source": "s", "severity": "bad"}, "severity is none of critical"),
    "empty": ({"summary": " ", "source": "s", "severity": "info"}, "summary is empty"),
    "unknown": ({"summary": "s", "source": "s", "severity": "info", "x": 1}, "there is no input x"),
    "no JSON": ({"summary": "s", "source": "s", "severity": "info", "details": {"a": object()}}, "not plain JSON"),
    "huge": ({"summary": "s" * 300_000, "source": "s", "severity": "info"}, "more than 262144 octets"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_inputs_are_told_all_at_once_and_not_repeated(name: str) -> None:
    inputs, told = WRONG[name]
    with pytest.raises(ConnectorError) as caught:
        SimulatedConnectors(METAS).perform(ActionCall(connection="pagerduty", action="trigger", inputs=inputs, key="k"))
    assert told in caught.value.message
    assert "bad" not in caught.value.message


@pytest.mark.parametrize("key", ["", "a b", "x" * 65, "a\n", "ü", 'a"'])
def test_keys_are_safe_characters(key: str) -> None:
    call = ActionCall(connection="pagerduty", action="resolve", inputs={"dedup_key": "d"}, key=key)
    with pytest.raises(ConnectorError, match="the key is not"):
        SimulatedConnectors(METAS).perform(call)


def test_every_action_can_be_simulated_without_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, forbidden)
    simulated = SimulatedConnectors(METAS)
    count = 0
    for name, meta in METAS.items():
        for action in meta.actions:
            call = ActionCall(
                connection=name, action=action.id, inputs={one.name: one.example for one in action.inputs}, key="k"
            )
            result = simulated.perform(call)
            assert result.outcome is simulated.read_back(call).outcome is Outcome.SUCCEEDED
            assert set(result.values) == {one.name for one in action.outputs}
            count += 1
    assert len(simulated.calls) == count > 30


def test_unknown_connections_and_actions() -> None:
    simulated = SimulatedConnectors({"pager": METAS["pagerduty"]})
    with pytest.raises(ConnectorError, match="no connection x"):
        simulated.perform(ActionCall(connection="x", action="trigger", inputs={}, key="k"))
    with pytest.raises(ConnectorError, match="no action page") as caught:
        simulated.perform(ActionCall(connection="pager", action="page", inputs={}, key="k"))
    assert caught.value.cure == "It has trigger, acknowledge, resolve."


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown connector": ({"connector": "pagerdudy"}, "there is no connector pagerdudy"),
    "secret missing": ({"secrets": {}}, "the secret routing_key is missing"),
    "secret that there is not": ({"secrets": {"routing_key": "env:A", "x": "env:A"}}, "there is no secret x"),
    "option that there is not": ({"options": {"x": "1"}}, "there is no option x"),
    "certificates that are none": ({"ca_file": "/dev/null"}, "can't use the certificates in /dev/null"),
    "plain http": ({"url": "http://pager.example"}, "without TLS"),
    "secret address as it is": ({"connector": "teams", "secrets": {}, "url": "https://x.example/s"}, "url is a secret"),
    "no address": ({"connector": "misp", "secrets": {"key": "env:A"}, "url": ""}, "url is missing"),
    "an option that does not fit": (
        {"connector": "servicenow", "secrets": {"password": "env:A"}, "options": {"user": "u", "table": "a/b"}},
        "the option table does not match",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_connections_that_can_not_work_are_told_at_once(name: str) -> None:
    changes, told = BAD[name]
    given_ = {
        "name": "p", "connector": "pagerduty", "url": "https://p.example", "secrets": {"routing_key": "env:A"}, **changes
    }  # fmt: skip
    with pytest.raises(ConfigurationError) as caught:
        Connections([ConnectionSettings(**given_)], KINDS)
    assert told in caught.value.message


def test_a_secret_that_is_not_there_is_a_failure_that_names_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GW_ABSENT", raising=False)
    settings = ConnectionSettings(name="p", connector="pagerduty", secrets={"routing_key": "env:GW_ABSENT"})
    made = connections(Settings(data_dir="x", connections=(settings,)))
    result = made.perform(ActionCall(connection="p", action="resolve", inputs={"dedup_key": "d"}, key="k"))
    assert (result.outcome, result.again) == (Outcome.FAILED, True)
    assert "env:GW_ABSENT is empty" in result.error
    assert set(simulated_connections(Settings(data_dir="x", connections=(settings,))).metas()) == {"p"}


def rendered(template: Template, **inputs: Any) -> Any:
    context = context_of(inputs, tuple(inputs), {}, "run-1", "https://a.example")
    return render(template, context, address="https://a.example/api?v=1", secret=lambda _: SECRET, headers={})


@given(st.text())
def test_what_goes_into_a_path_stays_one_segment(value: str) -> None:
    template = Template(method="GET", path="/items/${inputs.id}/end")
    try:
        made = rendered(template, id=value)
    except ConnectorError:
        assert value in ("", ".", "..") or any("\ud800" <= sign <= "\udfff" for sign in value)
        return
    head, middle, tail = made.url.partition("?")[0].removeprefix("https://a.example/api/").split("/")
    assert (head, tail) == ("items", "end")
    assert re.fullmatch(r"[A-Za-z0-9%._~-]+", middle)
    assert made.url.endswith("?v=1")


@given(st.text(max_size=30).filter(lambda name: name != "v"), st.text(max_size=30))
def test_what_goes_into_a_query_stays_one_parameter(name: str, value: str) -> None:
    made = rendered(Template(method="GET", query="${inputs.q}"), q={name: value})
    assert Request("GET", made.url, {}, b"").query == {"v": "1", name: value}


HEADERS = {
    "a line break": {"x-a": "b\r\nhost: evil"},
    "a null": {"x-a": "b\0"},
    "another script": {"x-a": "ü"},
    "a name with a colon": {"x:a": "b"},
    "the host": {"Host": "evil"},
    "the length": {"Content-Length": "0"},
    "authorization": {"authorization": "x"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_are_refused(name: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        rendered(Template(method="GET", headers="${inputs.h}"), h=HEADERS[name])
    assert "evil" not in caught.value.message


def test_null_is_left_out_and_what_it_empties_too() -> None:
    body = {"a": "${inputs.x}", "b": {"c": "${inputs.x}"}, "d": ["${inputs.x}", {"e": "${inputs.x}"}, 1], "f": {}}
    made = rendered(Template(method="POST", body=body), x=None)
    assert made.content == b'{"d":[1],"f":{}}'


def test_what_looks_like_a_template_in_an_input_stays_text() -> None:
    made = rendered(Template(method="POST", body={"a": "x ${inputs.x}"}), x="${key} {$secret: y}")
    assert made.content == b'{"a":"x ${key} {$secret: y}"}'


def test_any_service_and_no_service() -> None:
    seen: list[Request] = []

    def service(request: Request) -> Answer:
        seen.append(request)
        return Answer(200, {"id": "17"})

    server = Server(service)
    settings = ConnectionSettings(name="any", connector="http", url=f"{server.url}/v1", private_hosts=("127.0.0.1",))
    made = Connections([settings], KINDS)
    try:
        call = ActionCall(connection="any", action="post", inputs={"path": ["a b", "c/d"], "body": {"x": 1}}, key="k-1")
        assert made.perform(call).values == {"status": 200, "body": {"id": "17"}}
        made.perform(ActionCall(connection="any", action="get", inputs={}, key="k-2"))
    finally:
        made.close()
        server.close()
    post, get = seen
    assert (post.target, post.headers["idempotency-key"], post.json) == ("/v1/a%20b/c%2Fd", "k-1", {"x": 1})
    assert (get.method, get.target, "authorization" in get.headers) == ("GET", "/v1", False)
