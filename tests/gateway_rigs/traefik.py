"""A real Traefik that asks our forward-auth service about every call, with the configuration that we ship."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from gatewatch.gateways.forward_auth import ForwardAuth
from gatewatch.model.observe_settings import ObserveSettings
from gatewatch.observe.identity import Identities
from gatewatch.services.deciding import Deciding
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.asked import FINGERPRINT, AskedRig


class _Fine(BaseHTTPRequestHandler):
    """An API that is content with everything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _api() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Fine)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class TraefikRig(AskedRig):
    def start(self) -> None:
        checks = Deciding(self, Identities(ObserveSettings(), FINGERPRINT), self.clock)
        service = ForwardAuth(checks, "127.0.0.1:0", ("127.0.0.0/8",))
        service.start()
        self.leave = service.stop
        self.stack.callback(service.stop)
        upstream = self.stack.enter_context(_api())
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        routing = self.directory / "routing.yaml"
        routing.write_text(yaml.safe_dump(_routing(service.port, upstream)))
        config = self.directory / "traefik.yaml"
        config.write_text(yaml.safe_dump(_traefik(port, routing)))
        command = (str(Path(sys.executable).parent / "traefik"), f"--configFile={config}")
        log = self.directory / "traefik.log"
        self.stack.enter_context(ChildProcess(command, log=log, ready=answers(self.url)))


def _routing(service: int, upstream: int) -> dict[str, Any]:
    shipped = files("gatewatch.gateways").joinpath("snippets/traefik.yaml").read_text()
    parts: dict[str, Any] = yaml.safe_load(shipped.replace("127.0.0.1:8423", f"127.0.0.1:{service}"))
    # Calls of tests say by X-Forwarded-For who they come from, as a proxy in front would.
    parts["http"]["middlewares"]["gatewatch"]["forwardAuth"]["trustForwardHeader"] = True
    router = {"rule": "PathPrefix(`/`)", "service": "api", "middlewares": ["gatewatch"], "entryPoints": ["edge"]}
    servers = [{"url": f"http://127.0.0.1:{upstream}"}]
    parts["http"] |= {"routers": {"all": router}, "services": {"api": {"loadBalancer": {"servers": servers}}}}
    return parts


def _traefik(port: int, routing: Path) -> dict[str, Any]:
    trusting = {"forwardedHeaders": {"trustedIPs": ["127.0.0.0/8"]}}
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "entryPoints": {"edge": {"address": f"127.0.0.1:{port}", **trusting}},
        "providers": {"file": {"filename": str(routing), "watch": False}},
    }
