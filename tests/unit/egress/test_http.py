"""The guard on real sockets: hosts, addresses, redirects, rebinding, size and time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.connector_servers import Answer, Vendor
from tests.export_servers import Answer as Plain
from tests.export_servers import HttpReceiver, authority

from gatewatch.egress.errors import EgressError, RefusedError
from gatewatch.egress.guard import Guard
from gatewatch.egress.http import HttpClient
from gatewatch.errors import ConfigurationError

Server = Callable[[Answer], Vendor]


@pytest.fixture
def server() -> Iterator[Server]:
    made: list[Vendor] = []

    def make(answer: Answer) -> Vendor:
        made.append(Vendor(lambda _: answer))
        return made[-1]

    yield make
    for one in made:
        one.close()


def client(*hosts: str, private: tuple[str, ...] = (), **more: Any) -> HttpClient:
    resolver = more.pop("resolver", None)
    guard = Guard(hosts, private=private, **({"resolver": resolver} if resolver else {}))
    return HttpClient(guard, **{"timeout_s": 10.0, "insecure": True, **more})


def test_a_host_that_is_named_as_private_is_reached(server: Server) -> None:
    one = server(Answer(200, {"ok": True}))
    answer = client(private=("127.0.0.1",)).send("POST", f"{one.url}/a?b=c", headers={"x": "y"}, content=b"z")
    (request,) = one.requests
    assert answer.json() == {"ok": True}
    assert (request.target, request.body, request.headers["x"]) == ("/a?b=c", b"z", "y")
    assert request.headers["host"] == one.url.removeprefix("http://")


REFUSED: dict[str, dict[str, Any]] = {
    "another host": {"hosts": ("api.example",)},
    "this machine, allowed but not as private": {"hosts": ("127.0.0.1",)},
}


@pytest.mark.parametrize("name", REFUSED)
def test_hosts_that_are_refused_get_nothing(server: Server, name: str) -> None:
    one = server(Answer(200))
    with pytest.raises(RefusedError) as caught:
        client(*REFUSED[name]["hosts"]).send("GET", one.url, headers={})
    assert (caught.value.sent, one.requests) == (False, [])


def test_redirects_are_answers(server: Server) -> None:
    other = server(Answer(200))
    one = server(Answer(302, None, {"location": other.url}))
    answer = client(private=("127.0.0.1",)).send("GET", one.url, headers={})
    assert (answer.status_code, other.requests) == (302, [])


def test_a_name_that_leads_inside_is_refused(server: Server) -> None:
    one = server(Answer(200))
    port = one.url.rpartition(":")[2]
    for addresses in (["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["::ffff:169.254.169.254"]):
        reach = client("api.example", resolver=lambda _host, _port, found=addresses: found)
        with pytest.raises(RefusedError, match=r"api\.example leads to"):
            reach.send("GET", f"http://api.example:{port}/", headers={})
    assert one.requests == []


def test_the_address_that_was_checked_is_the_one_connected_to(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: the name is looked up once, and nothing looks it up again to connect."""
    one = server(Answer(200))
    port = one.url.rpartition(":")[2]
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    system = socket.getaddrinfo
    asked: list[str] = []

    def listen(host: Any, *arguments: Any, **more: Any) -> Any:
        asked.append(str(host))
        return system(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", listen)
    reach = client(private=("inside.example",), resolver=lambda *_: next(answers))
    reach.send("GET", f"http://inside.example:{port}/", headers={})
    assert one.requests[0].headers["host"] == f"inside.example:{port}"
    assert asked == ["127.0.0.1"]


def test_tls_keeps_the_name(tmp_path: Path) -> None:
    trust = authority(tmp_path)
    receiver = HttpReceiver(lambda _: Plain(), trust.server)
    port = receiver.port
    try:
        by_address = client(private=("127.0.0.1",), ca_file=trust.ca_file)
        assert by_address.send("POST", f"https://127.0.0.1:{port}/", headers={}).status_code == 200
        # The certificate is for 127.0.0.1, so the same server under another name is not believed.
        by_name = client(private=("x.example",), ca_file=trust.ca_file, resolver=lambda *_: ["127.0.0.1"])
        with pytest.raises(EgressError) as caught:
            by_name.send("POST", f"https://x.example:{port}/", headers={})
        assert caught.value.sent is False
    finally:
        receiver.close()
    assert len(receiver.requests) == 1


def test_environment_proxies_are_not_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, one = server(Answer(200)), server(Answer(200))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    client(private=("127.0.0.1",)).send("GET", one.url, headers={})
    assert (proxy.requests, len(one.requests)) == ([], 1)


def test_a_named_proxy_is(server: Server) -> None:
    proxy = server(Answer(200, {"by": "proxy"}))
    reach = client("api.example", proxy=proxy.url)
    assert reach.send("GET", "http://api.example/x", headers={}).json() == {"by": "proxy"}
    assert proxy.requests[0].target == "http://api.example/x"
    with pytest.raises(RefusedError):
        reach.send("GET", "http://other.example/x", headers={})


def test_answers_are_bounded_and_not_compressed(server: Server) -> None:
    with pytest.raises(EgressError, match="longer than 1000"):
        client(private=("127.0.0.1",)).send("GET", server(Answer(200, b"x" * 1001)).url, headers={}, max_bytes=1000)
    zipped = server(Answer(200, b"x", {"content-encoding": "gzip"}))
    with pytest.raises(EgressError, match="compressed"):
        client(private=("127.0.0.1",)).send("GET", zipped.url, headers={})
    assert zipped.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("fault", ["slow", "drip", "cut", "cut-before"])
def test_what_is_not_answered_in_time_may_have_been_taken(server: Server, fault: str) -> None:
    one = server(Answer(200, b"x" * 400))
    one.faults.append(fault)
    with pytest.raises(EgressError) as caught:
        client(private=("127.0.0.1",), timeout_s=1.5).send("GET", f"{one.url}/t0ken", headers={})
    assert caught.value.sent is True
    assert "t0ken" not in caught.value.message


URLS = ("ftp://a.example", "https://", "https://u:p@a.example", "https://a.example:x", "https://a.example:0", "//a", "")


@pytest.mark.parametrize("url", URLS)
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(ConfigurationError):
        client("a.example").send("GET", url, headers={})


def test_without_tls_only_to_this_machine_or_when_allowed() -> None:
    with pytest.raises(ConfigurationError, match="without TLS"):
        client("a.example", insecure=False).send("GET", "http://a.example", headers={})
