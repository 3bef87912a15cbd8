"""The processes of the demo, started and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

import httpx
import yaml

__all__ = ["Parts", "free_port"]

_TYPES = "type.googleapis.com/envoy.extensions"
_ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def envoy_config(listen: int, shop: int, collector: int) -> dict[str, Any]:
    """A plain listener in front of the shop, plus exactly the snippet that Gatewatch ships."""
    snippet = yaml.safe_load(files("gatewatch.sources").joinpath("snippets/envoy.yaml").read_text())
    snippet["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"][
        "socket_address"
    ]["port_value"] = collector
    local = {"socket_address": {"address": "127.0.0.1", "port_value": listen}}
    upstream = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": shop}}}}
    manager = {
        "@type": f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "shop",
        "use_remote_address": True,
        # The demo's clients all come from loopback and tell their address by X-Forwarded-For, like behind a balancer.
        "xff_num_trusted_hops": 1,
        "skip_xff_append": True,
        "generate_request_id": True,
        "access_log": snippet["access_log"],
        "http_filters": snippet["http_filters"],
        "route_config": {
            "virtual_hosts": [
                {"name": "shop", "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "shop"}}]}
            ]
        },
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "static_resources": {
            "listeners": [{"name": "shop", "address": local, "filter_chains": [chain]}],
            "clusters": [
                {
                    "name": "shop",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "load_assignment": {"cluster_name": "shop", "endpoints": [{"lb_endpoints": [upstream]}]},
                },
                *snippet["clusters"],
            ],
        }
    }


class Parts:
    """Envoy, shop and Gatewatch as child processes; all end with this object."""

    def __init__(self, directory: Path, threats: list[str]) -> None:
        self.directory = directory
        self.shop_port, self.envoy_port, self.collector_port, self.api_port = (free_port() for _ in range(4))
        self.token = ""
        self._threats = threats
        self._children: list[tuple[str, subprocess.Popen[bytes]]] = []

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.envoy_port}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, name: str, *command: str) -> None:
        log = (self.directory / f"{name}.log").open("wb")
        child = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self._children.append((name, child))

    def _start(self) -> None:
        python = sys.executable
        threat_file = self.directory / "threats.txt"
        threat_file.write_text("# made up for the demo\n" + "\n".join(self._threats) + "\n")
        settings = self.directory / "gatewatch.toml"
        settings.write_text(
            f'[api]\nport = {self.api_port}\n[envoy]\nenabled = true\naddress = "127.0.0.1:{self.collector_port}"\n'
            f'[observe]\ntrusted_proxies = ["127.0.0.0/8"]\n[lists]\nthreat = ["{threat_file}"]\n[detect]\ntick_s = 2\n'
        )
        self._spawn(
            "shop",
            python,
            "-m",
            "uvicorn",
            "examples.shop.app:app",
            "--port",
            str(self.shop_port),
            "--log-level",
            "warning",
        )
        data = self.directory / "data"
        self._spawn("gatewatch", python, "-m", "gatewatch", "serve", "--data-dir", str(data), "--config", str(settings))
        self._wait("Gatewatch", lambda: httpx.get(f"{self.api}/v1/health").is_success)
        self._wait("the shop", lambda: httpx.get(f"http://127.0.0.1:{self.shop_port}/health").is_success)
        config = self.directory / "envoy.yaml"
        config.write_text(yaml.safe_dump(envoy_config(self.envoy_port, self.shop_port, self.collector_port)))
        envoy = str(Path(python).parent / "envoy")
        self._spawn(
            "envoy", envoy, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning"
        )
        self._wait("Envoy", lambda: httpx.get(f"{self.gateway}/health").is_success)
        output = (self.directory / "gatewatch.log").read_text()
        self.token = next(line.partition("token: ")[2] for line in output.splitlines() if line.startswith("token: "))

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        for _ in range(300):
            for child_name, child in self._children:
                if child.poll() is not None:
                    log = (self.directory / f"{child_name}.log").read_text()[-2000:]
                    raise SystemExit(f"{child_name} ended at once:\n{log}")
            try:
                if answers():
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise SystemExit(f"{name} did not answer within 30 seconds; logs in {self.directory}")

    def stop(self) -> None:
        """End every child, Envoy first so that Gatewatch drains what it sent."""
        for _, child in reversed(self._children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(child.pid, signal.SIGKILL)
                    child.wait()
        self._children.clear()
