"""A real Caddy."""

from __future__ import annotations

import json
from typing import Any

import httpx

from gatewatch.gateways.caddy import Caddy, CaddySettings
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, Rig, before_next_write, program

THEIRS = {"match": [{"path": ["/theirs"]}], "handle": [{"handler": "static_response", "status_code": 204}]}


class CaddyRig(Rig):
    samples = (*ADDRESSES, DISABLED, NARROWED)
    races = True

    def start(self) -> None:
        found, self.port, self.admin = program("caddy", "caddy"), free_port(), free_port()
        self.url, self.edits, self.api = f"http://127.0.0.1:{self.port}", 0, f"http://127.0.0.1:{self.admin}"
        everything = {"handle": [{"handler": "static_response", "status_code": 200}]}
        edge = {"listen": [f"127.0.0.1:{self.port}"], "routes": [everything], "automatic_https": {"disable": True}}
        config: dict[str, Any] = {
            "admin": {"listen": f"127.0.0.1:{self.admin}", "config": {"persist": False}},
            "apps": {"http": {"servers": {"edge": edge}}},
        }
        path = self.directory / "caddy.json"
        path.write_text(json.dumps(config))
        environment = {"HOME": str(self.directory), "XDG_DATA_HOME": str(self.directory)}
        self.process = ChildProcess(
            (found, "run", "--config", str(path)),
            log=self.directory / "out",
            ready=answers(f"{self.url}/"),
            environment=environment,
        )
        self.stack.enter_context(self.process)

    def make(self, site: Site) -> Gateway:
        made = Caddy(CaddySettings(url=self.api, server="edge", client_address="forwarded"), site)
        self.racing = before_next_write(made._http)
        return made

    @property
    def _there(self) -> str:
        return f"{self.api}/config/apps/http/servers/edge/routes"

    def _routes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(self._there, timeout=60).json()
        return found

    def plant(self) -> None:
        self.edits += 1
        put = httpx.put(f"{self._there}/0", json=THEIRS | {"@id": f"t{self.edits}"}, timeout=60)
        put.raise_for_status()

    def planted(self) -> bool:
        found = [route["@id"] for route in self._routes() if "gatewatch" not in route.get("@id", "gatewatch")]
        return sorted(found) == [f"t{number + 1}" for number in range(self.edits)]

    def race(self) -> None:
        self.racing(self.plant)

    def raced(self) -> bool:
        return self.planted()

    def restart(self) -> None:
        self.process.stop()
        self.process.start()

    def cut(self) -> None:
        self.process.stop()

    def mend(self) -> None:
        self.process.start()

    def tamper(self) -> None:
        httpx.delete(f"{self.api}/id/gatewatch-c1", timeout=60).raise_for_status()

    def state(self) -> object:
        return self._routes()
