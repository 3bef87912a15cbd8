"""A real Envoy with the snippet we ship."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import yaml

from gatewatch.gateways.envoy import Envoy, EnvoySettings
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, Rig

_TYPE = "type.googleapis.com/envoy.extensions.filters"


class EnvoyRig(Rig):
    samples = (*ADDRESSES, DISABLED, NARROWED, THROTTLED)
    survives = True

    def start(self) -> None:
        self.port, self.admin = free_port(), free_port()
        self.url, self.files = f"http://127.0.0.1:{self.port}", self.directory / "envoy"
        self.gateway().prepare()
        config = self.directory / "envoy.yaml"
        config.write_text(yaml.safe_dump(self._config()))
        command = (str(Path(sys.executable).parent / "envoy"), "-c", str(config), "--concurrency", "1")
        self.process = ChildProcess(
            (*command, "--use-dynamic-base-id", "--log-level", "warning"),
            log=self.directory / "envoy.log",
            ready=answers(f"http://127.0.0.1:{self.admin}/ready"),
        )
        self.stack.enter_context(self.process)

    def _config(self) -> dict[str, Any]:
        shipped = files("gatewatch.gateways").joinpath("snippets/envoy.yaml").read_text()
        filters = yaml.safe_load(shipped.replace("/var/lib/gatewatch/envoy", str(self.files)))["http_filters"]
        router = {"name": "envoy.filters.http.router", "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"}}
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 200}}
        manager = {
            "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "edge",
            "use_remote_address": True,
            "xff_num_trusted_hops": 1,
            "normalize_path": True,
            "merge_slashes": True,
            "http_filters": [*filters, router],
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        }
        chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        address = {"socket_address": {"address": "127.0.0.1", "port_value": self.port}}
        return {
            "node": {"id": "edge-1", "cluster": "edge"},
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": self.admin}}},
            "static_resources": {"listeners": [{"name": "edge", "address": address, "filter_chains": [chain]}]},
        }

    def make(self, site: Site) -> Gateway:
        seen = {"jwt_metadata": "token", "consumer_header": "x-consumer"}
        settings = EnvoySettings(directory=str(self.files), admin_url=f"http://127.0.0.1:{self.admin}", **seen)
        if not hasattr(self, "process"):
            settings = EnvoySettings(directory=str(self.files))
        return Envoy(settings, site)

    def plant(self) -> None:
        (self.files / "theirs.json").write_text("{}")

    def planted(self) -> bool:
        return (self.files / "theirs.json").read_text() == "{}"

    def restart(self) -> None:
        self.process.stop()
        self.process.start()

    def cut(self) -> None:
        self.process.stop()

    def mend(self) -> None:
        self.process.start()

    def tamper(self) -> None:
        path = self.files / "gatewatch-block.json"
        spoilt = self.files / "spoilt"
        spoilt.write_text(path.read_text().replace("203.0.113.7", "203.0.113.99"))
        spoilt.replace(path)

    def state(self) -> object:
        url = f"http://127.0.0.1:{self.admin}/config_dump?resource=ecds_filters"
        dump = httpx.get(url, timeout=60).json()["configs"]
        return sorted((item["ecds_filter"]["name"], item["version_info"], item["last_updated"]) for item in dump)
