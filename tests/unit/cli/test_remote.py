from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import typer
from fastapi.routing import APIRoute

from gatewatch.api.app import ROUTERS
from gatewatch.api.parameters import declared
from gatewatch.cli.app import app, run

ROUTES = [one for router in ROUTERS for one in router.routes if isinstance(one, APIRoute)]

OFFLINE = {
    "serve": "is the server",
    "analyze": "recorded traffic",
    "explain": "recorded traffic",
    "db upgrade": "the stores themselves",
    "db check": "the stores themselves",
    "evidence verify": "has to be possible without whom it accuses",
    "playbooks check": "a file",
    "playbooks schema": "is the same everywhere",
}


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    if not inner or getattr(command, "invoke_without_command", False):
        yield " ".join(words), command
    for word, one in inner.items():
        yield from commands(one, (*words, word))


COMMANDS = dict(commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - OFFLINE.keys()))
def test_every_command_that_asks_a_server_takes_the_same_options(name: str) -> None:
    options = {option for one in COMMANDS[name].params for option in one.opts}
    assert options >= {"--server", "--token", "--json"}
    assert ("--limit" in options) == ("--all" in options)


def test_the_commands_that_ask_no_server_are_all_there() -> None:
    assert set(OFFLINE) <= set(COMMANDS)


LISTS_OF = sorted(name for name, one in COMMANDS.items() if any("--limit" in option.opts for option in one.params))
ELSEWHERE = {"--server", "--token", "--limit", "--all", "--json", "--csv", "--explain", "--rule", "--help"}


def filled(command: Any) -> Iterator[str]:
    """Every option of a list, with something that could be its value."""
    for one in command.params:
        option = one.opts[0]
        if not option.startswith("--"):
            yield "1"
        elif option not in ELSEWHERE:
            yield from (option,) if one.is_flag else (option, "incident 7" if option == "--on" else "1")


@pytest.mark.parametrize("name", LISTS_OF)
def test_a_list_sends_only_parameters_that_the_route_knows(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, set[str]]] = []

    def request(_: Any, __: str, path: str, *, params: dict[str, Any], **___: Any) -> httpx.Response:
        asked.append((path, set(params)))
        return httpx.Response(200, json={"items": [], "next": None})

    monkeypatch.setattr(httpx.Client, "request", request)
    assert run([*name.split(), *filled(COMMANDS[name])]) == 0
    ((path, sent),) = asked
    route = next(one for one in ROUTES if "GET" in (one.methods or ()) and one.path_regex.match(path))
    assert sent <= set(declared(route.dependant))


def refused(**problem: object) -> httpx.Response:
    return httpx.Response(422, json={"status": 422, "code": "input", "detail": "as the server says it", **problem})


def at(place: str) -> list[dict[str, str]]:
    return [{"at": place, "message": "can't be so"}]


TRANSLATED: dict[str, tuple[list[str], list[dict[str, str]], str]] = {
    "a parameter": (["alerts", "list", "--ip", "x"], at("query.client_ip"), "error: --ip: can't be so\n"),
    "one of several values": (["runs", "list", "--state", "x"], at("query.state.0"), "error: --state: can't be so\n"),
    "a parameter that Python has a word for": (
        ["remediations", "list", "--type", "x"],
        at("query.type"),
        "error: --type: can't be so\n",
    ),
    "a member of the body": (
        ["incidents", "set", "7", "--owner", "x"],
        at("body.assigned_to"),
        "error: --owner: can't",
    ),
    "an argument": (["incidents", "comment", "7", "x"], at("body.text"), "error: text: can't be so\n"),
    "a parameter that comes from no option": (
        ["alerts", "list"],
        at("query.other"),
        "error: as the server says it\n",
    ),
    "a place inside a rule": (["alerts", "list"], at("conditions[0].field"), "error: as the server says it\n"),
}


def test_a_server_of_another_version_says_which_options_it_knows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = refused(errors=at("query.incident"), known=["status", "client_ip", "detector", "limit"])
    monkeypatch.setattr(httpx.Client, "request", lambda *_, **__: answer)
    assert run(["alerts", "list", "--incident", "7"]) == 2
    told = "error: --incident: can't be so\n  This server knows --status, --ip, --limit.\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("name", TRANSLATED)
def test_what_the_server_refuses_is_told_about_options(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given, errors, told = TRANSLATED[name]
    monkeypatch.setattr(httpx.Client, "request", lambda *_, **__: refused(errors=errors))
    assert run(given) == 2
    assert capsys.readouterr().err.startswith(told)


LISTS = {
    "a limit": (["--limit", "2"], {"items": [{"id": 0}, {"id": 1}], "more": True}),
    "all": (["--all"], {"items": [{"id": 0}, {"id": 1}, {"id": 2}], "more": False}),
    "as it is": ([], {"items": [{"id": 0}, {"id": 1}, {"id": 2}], "more": False}),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_whether_there_are_more(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given, wanted = LISTS[name]

    def request(*_: Any, params: dict[str, Any], **__: Any) -> httpx.Response:
        return httpx.Response(200, json={"items": [{"id": n} for n in range(min(3, params["limit"]))], "next": None})

    monkeypatch.setattr(httpx.Client, "request", request)
    assert run(["tokens", "list", "--json", *given]) == 0
    assert json.loads(capsys.readouterr().out) == wanted


def test_without_a_yes_nothing_is_carried_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []
    radius = dict.fromkeys(("hours", "calls", "calls_hit", "actors_hit", "bystanders_count", "bystander_calls"), 0)
    judged: dict[str, Any] = {
        "plan": {"incident": None},
        "digest": "d",
        "radius": radius | {"bystanders": []},
        "obstacles": [],
    }
    judged |= {"approvals": 1, "evidence": None}

    def request(_: Any, __: str, path: str, **___: Any) -> httpx.Response:
        asked.append(path)
        return httpx.Response(200, json=judged)

    monkeypatch.setattr(httpx.Client, "request", request)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: False)
    assert run(["containments", "apply", "edge", "block", "address=192.0.2.1", "--reason", "x"]) == 130
    assert asked == ["/v1/containments/judgement"]
    assert capsys.readouterr().err == "nothing was carried out\n"
