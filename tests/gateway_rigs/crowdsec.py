"""A real local API of CrowdSec; an unmodified bouncer is asked what it would do."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from typing import Any

import httpx

from gatewatch.gateways.crowdsec import CrowdSec, CrowdSecSettings
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import Rig, program

CONFIG = """
common: {{ daemonize: false, log_media: stdout, log_level: info, working_dir: "{directory}" }}
config_paths:
  config_dir: {directory}/
  data_dir: {directory}/
  simulation_path: {directory}/simulation.yaml
  hub_dir: {directory}/hub
  index_path: {directory}/hub/.index.json
  notification_dir: {directory}/notifications
  plugin_dir: {directory}/plugins
crowdsec_service: {{ enable: false }}
cscli: {{ output: json }}
db_config: {{ type: sqlite, db_path: "{directory}/crowdsec.db", use_wal: false }}
api:
  client: {{ credentials_path: "{directory}/client.yaml" }}
  server: {{ listen_uri: "127.0.0.1:{port}", profiles_path: "{directory}/profiles.yaml", use_forwarded_for_headers: false }}
prometheus: {{ enabled: false }}
"""
PROFILES = "name: none\nfilters: ['false']\ndecisions: [{type: ban, duration: 1h}]\non_success: break\n"


class CrowdSecRig(Rig):
    real = False
    survives = True

    def start(self) -> None:
        found, self.port = program("crowdsec", "crowdsec"), free_port()
        self.cscli, self.config = program("cscli", "crowdsec"), self.directory / "config.yaml"
        self.config.write_text(CONFIG.format(directory=self.directory, port=self.port))
        (self.directory / "profiles.yaml").write_text(PROFILES)
        (self.directory / "simulation.yaml").write_text("simulation: false\n")
        (self.directory / "hub").mkdir()
        (self.directory / "hub" / ".index.json").write_text("{}")
        for name in ("notifications", "plugins"):
            (self.directory / name).mkdir()
        self.password = secrets.token_hex(16)
        os.environ["TEST_LAPI"] = self.password
        self.say(
            "machines", "add", "gatewatch", "--password", self.password, "--file", str(self.directory / "client.yaml")
        )
        added = self.say("bouncers", "add", "edge", "-o", "raw")
        self.key = added.strip()
        self.api = f"http://127.0.0.1:{self.port}"
        self.process = ChildProcess(
            (found, "-c", str(self.config), "-no-cs"), log=self.directory / "out", ready=answers(f"{self.api}/health")
        )
        self.stack.enter_context(self.process)

    def say(self, *words: str) -> str:
        done = subprocess.run([self.cscli, "-c", str(self.config), *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def make(self, site: Site) -> Gateway:
        settings = CrowdSecSettings(url=self.api, machine="gatewatch", password="env:TEST_LAPI")
        return CrowdSec(settings, site)

    def decisions(self) -> list[dict[str, Any]]:
        found = httpx.get(f"{self.api}/v1/decisions", headers={"x-api-key": self.key}, timeout=60).json()
        return list(found or [])

    def plant(self) -> None:
        self.say("decisions", "add", "--ip", "192.0.2.1", "--duration", "4h")

    def planted(self) -> bool:
        return "192.0.2.1" in {one["value"] for one in self.decisions()}

    def restart(self) -> None:
        self.process.stop()
        self.process.start()

    def cut(self) -> None:
        self.process.stop()

    def mend(self) -> None:
        self.process.start()

    def tamper(self) -> None:
        self.say("decisions", "delete", "--ip", "203.0.113.7")

    def state(self) -> object:
        return json.dumps(sorted((one["id"], one["value"], one["type"]) for one in self.decisions()))
