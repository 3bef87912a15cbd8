"""The processes of the demo, started and ended."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from examples.demo.desk import Desk

from gatewatch.testing.envoy import EnvoyProcess, Listener
from gatewatch.testing.processes import ChildProcess, answers, free_port

__all__ = ["Parts"]

_ROOT = Path(__file__).parents[2]


class Parts:
    """Envoy, shop and Gatewatch as child processes; all end with this object."""

    def __init__(self, directory: Path, threats: list[str]) -> None:
        self.directory = directory
        self.shop_port, self.envoy_port, self.collector_port, self.api_port = (free_port() for _ in range(4))
        self.admin_port = free_port()
        self.desk = Desk()
        self.token = ""
        self._threats = threats
        self._children = ExitStack()

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.envoy_port}"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def __enter__(self) -> Self:
        try:
            self._start()
        except RuntimeError as error:
            self.stop()
            raise SystemExit(f"{error}\nLogs are in {self.directory}") from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        """The shop and Gatewatch first; Envoy ends first, so that Gatewatch drains what it sent."""
        self._children.enter_context(self.desk)
        self._children.enter_context(self._shop())
        gatewatch = self._children.enter_context(self._gatewatch())
        self.token = next(
            line.partition("token: ")[2] for line in gatewatch.output().splitlines() if line.startswith("token: ")
        )
        shop = Listener(
            name="shop",
            port=self.envoy_port,
            upstream=self.shop_port,
            collector=self.collector_port,
            containment=self.directory / "envoy",
        )
        self._children.enter_context(EnvoyProcess(self.directory, [shop], admin=self.admin_port))

    def _shop(self) -> ChildProcess:
        port = str(self.shop_port)
        command = (sys.executable, "-m", "uvicorn", "examples.shop.app:app", "--port", port, "--log-level", "warning")
        log, ready = self.directory / "shop.log", answers(f"http://127.0.0.1:{port}/health")
        return ChildProcess(command, log=log, ready=ready, cwd=_ROOT)

    def _gatewatch(self) -> ChildProcess:
        threat_file = self.directory / "threats.txt"
        threat_file.write_text("# made up for the demo\n" + "\n".join(self._threats) + "\n")
        settings = self.directory / "gatewatch.toml"
        settings.write_text(
            f'[api]\nport = {self.api_port}\n[envoy]\nenabled = true\naddress = "127.0.0.1:{self.collector_port}"\n'
            f'[observe]\ntrusted_proxies = ["127.0.0.0/8"]\n[lists]\nthreat = ["{threat_file}"]\n[detect]\ntick_s = 2\n'
            f'[[gateways]]\nname = "edge"\nkind = "envoy"\n'
            f'[gateways.settings]\ndirectory = "{self.directory / "envoy"}"\n'
            f'admin_url = "http://127.0.0.1:{self.admin_port}"\n' + self.desk.settings()
        )
        data = str(self.directory / "data")
        command = (sys.executable, "-m", "gatewatch", "serve", "--data-dir", data, "--config", str(settings))
        log, ready = self.directory / "gatewatch.log", answers(f"{self.api}/v1/health")
        return ChildProcess(command, log=log, ready=ready, cwd=_ROOT, environment=self.desk.environment())

    def stop(self) -> None:
        """End every child."""
        self._children.close()
