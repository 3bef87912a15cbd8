"""A real server process per test that asks for one."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from gatewatch.testing.processes import free_port

_LONGEST_S = 180.0
"""Of waiting for what takes a second or two on an idle machine."""


class ServerProcess:
    """`gatewatch serve` on a data directory; can be killed and started again."""

    def __init__(self, directory: Path, settings: str = "") -> None:
        self.directory, self.port = directory, free_port()
        self.config = directory / "gatewatch.toml"
        self.config.write_text(f"[api]\nport = {self.port}\n[detect]\ntick_s = 1\n{settings}")
        self.log = directory / "serve.log"
        self.token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable,
            "-m",
            "gatewatch",
            "serve",
            "--data-dir",
            str(self.directory / "data"),
            "--config",
            str(self.config),
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        until = time.monotonic() + _LONGEST_S
        while not self._healthy():
            assert self._process.poll() is None, self.log.read_text()
            if time.monotonic() > until:
                self.kill()
                raise AssertionError(self.log.read_text())
            time.sleep(0.05)
        for line in self.log.read_text().splitlines():
            if line.startswith("token: "):
                self.token = line.removeprefix("token: ")

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/v1/health").is_success
        except httpx.HTTPError:
            return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=120)

    def kill(self) -> None:
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        _, alive = psutil.wait_procs(children, timeout=_LONGEST_S)
        assert alive == [], "processes that outlive a killed server"

    def stop(self) -> int:
        if self._process is None or self._process.poll() is not None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_LONGEST_S)

    def settle(self) -> dict[str, Any]:
        """Wait until nothing is in flight; the only source's ledger."""
        until = time.monotonic() + _LONGEST_S
        with self.client() as client:
            while time.monotonic() < until:
                items = client.get("/v1/ledger").raise_for_status().json()["items"]
                if items and not any(item["in_flight"] for item in items):
                    entry: dict[str, Any] = items[0]
                    return entry
                time.sleep(0.1)
        raise AssertionError(f"still in flight: {items}")
