from __future__ import annotations

import httpx
import pytest

from gatewatch.cli.rest import Server, ServerError, _problem
from gatewatch.errors import InputError

REFUSED = {
    "no token": (401, "Send `Authorization: Bearer gw_…`.", "Give a token with --token or GATEWATCH_TOKEN."),
    "a role too low": (403, "", ""),
    "a role too low, with a cure": (403, "Ask an admin.", "Ask an admin."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_cure_is_one_for_who_types_commands(name: str) -> None:
    status, cure, wanted = REFUSED[name]
    error = _problem(status, f'{{"detail": "no", "cure": "{cure}"}}'.encode())
    assert (error.exit_code, error.message, error.cure) == (8, "no", wanted)


@pytest.mark.parametrize("url", ["localhost:8420", "gatewatch.example", "ftp://x", "http://x:abc"])
def test_what_is_no_address_is_said_to_be_none(url: str) -> None:
    with pytest.raises(InputError, match="is no address of a server"):
        Server(url, "").call("GET", "/v1/health")


def test_an_answer_of_something_else_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(httpx.Client, "request", lambda *_, **__: httpx.Response(200, content=b"<html>hello</html>"))
    with pytest.raises(ServerError, match="is not Gatewatch"):
        Server("http://127.0.0.1:1", "").call("GET", "/v1/incidents")
