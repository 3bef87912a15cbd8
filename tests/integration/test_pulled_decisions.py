"""Those that pull and those that ask: an unmodified bouncer, our middleware, forward auth behind a real nginx."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from tests.gateway_rigs.asked import FINGERPRINT
from tests.gateway_rigs.nginx import CONFIG
from tests.gateway_rigs.rig import ENDPOINT, eventually, one, program
from tests.upstream import serving

from gatewatch.api.problems import install_problems
from gatewatch.api.resources.decisions import router
from gatewatch.bootstrap.installation import SystemClock
from gatewatch.gateways.bouncers import Bouncers
from gatewatch.gateways.forward_auth import ForwardAuth
from gatewatch.gateways.middleware import Middleware
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.model.enforcement import Enforcement
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.identity import Identities
from gatewatch.ports.control import Role
from gatewatch.ports.gateways import Site
from gatewatch.sdk.enforcing import Enforcer, EnforcingAsgi, EnforcingWsgi
from gatewatch.services.access import Access
from gatewatch.services.deciding import Deciding
from gatewatch.services.feeding import DecisionFeed
from gatewatch.store.sql import SqlControlStore
from gatewatch.telemetry.logs import configure
from gatewatch.testing.processes import ChildProcess, answers, free_port

BOUNCER = """
bin_path: {script}
feed_via_stdin: true
piddir: {directory}/
update_frequency: 1s
cache_retention_duration: 1s
daemonize: false
log_mode: stdout
log_level: info
api_url: {url}/
api_key: {key}
prometheus: {{ enabled: false }}
"""


def far(made: Enforcement) -> Enforcement:
    return Enforcement(
        id=made.id,
        scope=made.scope,
        effect=made.effect,
        calls=made.calls,
        per_s=made.per_s,
        expires_at=SystemClock().now() + 3600,
    )


BLOCKED, OTHER = far(one(1)), far(one(2, "198.51.100.0/24", kind=ScopeKind.RANGE))


class Edge:
    """Gatewatch's REST resource on a port, with boards behind it."""

    def __init__(self, directory: Path) -> None:
        clock = SystemClock()

        def site(name: str) -> Site:
            (directory / name).mkdir()
            return Site(name=name, directory=directory / name, clock=clock)

        self.bouncers = Bouncers(Bouncers.settings(), site("bouncers"))
        self.middleware = Middleware(Middleware.settings(), site("middleware"))
        self.control = SqlControlStore(f"sqlite:///{directory}/control.sqlite")
        self.control.migrate()
        access = Access(self.control, clock, lambda size: bytes(range(size)))
        self.key = access.create("edge", Role.GATEWAY)[1]
        self.app = FastAPI()

        class Parts:
            feed = DecisionFeed(self.bouncers, self.middleware, clock)
            access: Any

        Parts.access = access
        self.app.state.services = Parts
        self.app.include_router(router)
        install_problems(self.app, configure(level="error"))


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[Edge]:
    made = Edge(tmp_path)
    yield made
    made.control.close()


def test_an_unmodified_bouncer_enforces_and_lets_go(edge: Edge, tmp_path: Path) -> None:
    found = program("crowdsec-custom-bouncer", "crowdsec-custom-bouncer")
    told, script = tmp_path / "told", tmp_path / "enforce"
    script.write_text(f"#!/bin/sh\nexec cat >> {told}\n")
    script.chmod(0o755)

    def heard() -> list[tuple[str, str, str]]:
        lines = told.read_text().splitlines() if told.exists() else []
        items = [json.loads(line) for line in lines]
        return [(item["action"], item["type"], item["value"]) for item in items]

    edge.bouncers.apply([BLOCKED])
    with serving(edge.app) as port:
        config = tmp_path / "bouncer.yaml"
        config.write_text(
            BOUNCER.format(script=script, directory=tmp_path, url=f"http://127.0.0.1:{port}", key=edge.key)
        )
        with ChildProcess(
            (found, "-c", str(config)), log=tmp_path / "log", ready=lambda: ("add", "ban", "203.0.113.7") in heard()
        ):
            edge.bouncers.apply([BLOCKED, OTHER])
            eventually(lambda: ("add", "ban", "198.51.100.0/24") in heard(), True)
            edge.bouncers.apply([OTHER])
            eventually(lambda: ("del", "ban", "203.0.113.7") in heard(), True)
            assert ("del", "ban", "198.51.100.0/24") not in heard()


def test_only_a_key_of_role_gateway_pulls(edge: Edge) -> None:
    edge.bouncers.apply([BLOCKED])
    with serving(edge.app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        for path in ("/v1/decisions", "/v1/decisions/stream", "/v1/enforcements"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers={"x-api-key": "gw_000000000000_" + "0" * 64}).status_code == 401
            assert client.get(path, headers={"x-api-key": edge.key}).status_code == 200
        client.headers["x-api-key"] = edge.key
        assert client.head("/v1/decisions").status_code == 200
        assert client.get("/v1/decisions?ip=203.0.113.7").json()[0]["type"] == "ban"
        assert client.get("/v1/decisions?ip=203.0.113.8").json() is None
        assert client.get("/v1/decisions?ip=nonsense").status_code == 422
        assert client.post("/v1/usage-metrics", json={}).status_code == 201


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def test_the_middleware_enforces_what_it_pulls(edge: Edge) -> None:
    disabled = far(one(3, ENDPOINT, kind=ScopeKind.ENDPOINT, effect=Effect.DISABLE_ENDPOINT))
    throttled = far(one(4, "198.51.100.7", effect=Effect.THROTTLE, calls=2))
    edge.middleware.apply([BLOCKED, disabled, throttled])
    with serving(edge.app) as port:
        enforcer = Enforcer(f"http://127.0.0.1:{port}", edge.key, trusted_proxies=["127.0.0.0/8"])
        assert enforcer.pull() and enforcer.pull(), "the second time nothing has changed"
        with serving(EnforcingAsgi(application, enforcer)) as app:

            def call(address: str, path: str = "/") -> int:
                headers = {"x-forwarded-for": address, "host": "shop.example"}
                return httpx.get(f"http://127.0.0.1:{app}{path}", headers=headers, timeout=60).status_code

            assert [call(BLOCKED.scope.value), call("192.0.2.1")] == [403, 200]
            assert [call("192.0.2.1", path) for path in ("/api/users/7", "/api/%75sers/7", "/api/users/me")] == [
                503,
                503,
                200,
            ]
            assert [call("198.51.100.7") for _ in range(4)] == [200, 200, 429, 429]
        environ = {"REMOTE_ADDR": "203.0.113.7", "REQUEST_METHOD": "GET", "HTTP_HOST": "shop.example", "PATH_INFO": "/"}
        seen: list[str] = []

        def inner(_: Any, start: Any) -> list[bytes]:
            start("200 OK", [])
            return [b"ok"]

        wrapped = EnforcingWsgi(inner, enforcer)

        def starting(status: str, *_: Any) -> Any:
            seen.append(status)

        wrapped(environ, starting)
        wrapped(environ | {"REMOTE_ADDR": "192.0.2.1"}, starting)
        assert seen == ["403 Forbidden", "200 OK"]
        edge.middleware.apply([])
        assert enforcer.pull()
    assert not enforcer.pull() and enforcer.failures == 1, "Gatewatch is away"
    assert enforcer.judge(peer="203.0.113.7", forwarded_for="", method="GET", host="", path="/") is None
    enforcer.close()


class Shown:
    def __init__(self, *enforcements: Enforcement) -> None:
        self.enforcements = enforcements

    def current(self) -> Sequence[Enforcement]:
        return self.enforcements

    def ended_since(self, moment: float) -> Sequence[Enforcement]:
        return ()


def test_nginx_asks_by_auth_request(tmp_path: Path) -> None:
    key = far(one(5, f"key:{FINGERPRINT('k-123'):016x}", kind=ScopeKind.ACTOR, effect=Effect.SUSPEND_KEY))
    checks = Deciding(Shown(BLOCKED, key), Identities(ObserveSettings(), FINGERPRINT), SystemClock())
    service = ForwardAuth(checks, "127.0.0.1:0", ("127.0.0.0/8",))
    service.start()
    asks = f"""auth_request /gatewatch;
    location = /gatewatch {{
      internal; proxy_pass http://127.0.0.1:{service.port}/; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Method $request_method; proxy_set_header X-Forwarded-Uri $request_uri;
      proxy_set_header X-Forwarded-Host $host;
    }}"""
    port, status = free_port(), free_port()
    text = CONFIG.format(
        directory=tmp_path, user=tmp_path.owner(), port=port, status=status, http="", server="", version="", theirs=asks
    )
    config = tmp_path / "nginx.conf"
    config.write_text(text)
    command = (program("nginx", "nginx-light"), "-p", str(tmp_path), "-c", str(config), "-e", f"{tmp_path}/error.log")
    try:
        with ChildProcess(command, log=tmp_path / "out", ready=answers(f"http://127.0.0.1:{port}/")):

            def call(**headers: str) -> int:
                return httpx.get(f"http://127.0.0.1:{port}/x", headers=headers, timeout=60).status_code

            assert call(**{"x-forwarded-for": "203.0.113.7"}) == 403
            assert call(**{"x-forwarded-for": "203.0.113.8"}) == 200
            assert call(**{"x-forwarded-for": "203.0.113.8", "x-api-key": "k-123"}) == 403
            assert call(**{"x-forwarded-for": "203.0.113.8", "x-api-key": "k-124"}) == 200
    finally:
        service.stop()


def test_asked_by_many_at_once_a_throttle_counts_right() -> None:
    throttled = far(one(6, "198.51.100.7", effect=Effect.THROTTLE, calls=50, per_s=3600))
    checks = Deciding(Shown(throttled), Identities(ObserveSettings(), FINGERPRINT), SystemClock())
    seen: list[int] = []

    def ask() -> None:
        for _ in range(25):
            verdict = checks.check(address="198.51.100.7", method="GET", host="", target="/", headers={})
            seen.append(verdict.status)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(200) in (50, 51) and seen.count(429) == 100 - seen.count(200)
