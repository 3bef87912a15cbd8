"""A real HAProxy."""

from __future__ import annotations

import socket
from importlib.resources import files

from gatewatch.gateways.haproxy import HAProxy, HAProxySettings
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, Rig, program

CONFIG = """
global
  stats socket {socket} mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
{backend}
frontend edge
  bind 127.0.0.1:{port}
  http-request set-src hdr_ip(x-forwarded-for)
{rules}
  http-request return status 200
"""


class HAProxyRig(Rig):
    samples = (*ADDRESSES, DISABLED, NARROWED, THROTTLED)

    def start(self) -> None:
        found, self.port = program("haproxy", "haproxy"), free_port()
        self.url, self.maps = f"http://127.0.0.1:{self.port}", self.directory / "maps"
        self.maps.mkdir()
        for name in ("blocked", "blocked-at", "disabled", "throttled"):
            (self.maps / f"{name}.map").touch()
        # An address of a Unix socket has at most 107 octets; directories of tests are longer.
        self.socket = f"127.0.0.1:{free_port()}"
        shipped = files("gatewatch.gateways").joinpath("snippets/haproxy.cfg").read_text()
        shipped = shipped.replace("/etc/haproxy/gatewatch", str(self.maps))
        backend, rules = (
            "\n".join(line for line in part.splitlines() if not line.startswith("#")) for part in shipped.split("\n\n")
        )
        config = self.directory / "haproxy.cfg"
        config.write_text(CONFIG.format(socket=self.socket, port=self.port, backend=backend, rules=rules))
        self.process = ChildProcess(
            (found, "-db", "-f", str(config)), log=self.directory / "out", ready=answers(f"{self.url}/")
        )
        self.stack.enter_context(self.process)

    def make(self, site: Site) -> Gateway:
        return HAProxy(HAProxySettings(socket=self.socket, maps=str(self.maps)), site)

    def tell(self, command: str) -> str:
        host, _, port = self.socket.rpartition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(command.encode() + b"\n")
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        return answer.decode()

    def plant(self) -> None:
        self.tell(f"add map {self.maps}/blocked.map 192.0.2.1 theirs")

    def planted(self) -> bool:
        return "192.0.2.1 theirs" in self.tell(f"show map {self.maps}/blocked.map")

    def restart(self) -> None:
        self.process.stop()
        self.process.start()

    def cut(self) -> None:
        self.process.stop()

    def mend(self) -> None:
        self.process.start()

    def tamper(self) -> None:
        self.tell(f"del map {self.maps}/blocked.map 203.0.113.7")

    def state(self) -> object:
        return [self.tell(f"show map {path}") for path in sorted(self.maps.iterdir())]
