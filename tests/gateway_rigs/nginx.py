"""A real nginx."""

from __future__ import annotations

from importlib.resources import files

from gatewatch.gateways.nginx import Nginx, NginxSettings
from gatewatch.ports.gateways import Gateway, Site
from gatewatch.testing.processes import ChildProcess, answers, free_port
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, Rig, program

CONFIG = """
user {user};
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  access_log off;
  set_real_ip_from 127.0.0.0/8;
  real_ip_header X-Forwarded-For;
  {http}
  server {{
    listen 127.0.0.1:{port};
    {server}
    {theirs}
    location / {{ proxy_pass http://127.0.0.1:{status}/; }}
  }}
  server {{
    listen 127.0.0.1:{status};
    {version}
    location / {{ default_type text/plain; return 200 ok; }}
  }}
}}
"""


class NginxRig(Rig):
    samples = (*ADDRESSES, DISABLED, NARROWED, THROTTLED)
    survives = True

    def start(self) -> None:
        self.port, self.status_port = free_port(), free_port()
        self.url, self.config = f"http://127.0.0.1:{self.port}", self.directory / "nginx.conf"
        found = program("nginx", "nginx-light")
        self.command = (found, "-p", str(self.directory), "-c", str(self.config), "-e", f"{self.directory}/error.log")
        self.gateway().prepare()
        self.write("")
        self.process = ChildProcess(self.command, log=self.directory / "out", ready=answers(f"{self.url}/"))
        self.stack.enter_context(self.process)

    def write(self, theirs: str) -> None:
        shipped = files("gatewatch.gateways").joinpath("snippets/nginx.conf").read_text()
        shipped = shipped.replace("/var/lib/gatewatch/nginx", f"{self.directory}/gatewatch")
        http, server, version = (line for line in shipped.splitlines() if line and not line.startswith("#"))
        text = CONFIG.format(
            directory=self.directory,
            user=self.directory.owner(),
            port=self.port,
            status=self.status_port,
            http=http,
            server=server,
            version=version,
            theirs=theirs,
        )
        self.config.write_text(text)

    def make(self, site: Site) -> Gateway:
        settings = NginxSettings(
            directory=f"{self.directory}/gatewatch",
            test=(*self.command, "-t", "-q"),
            pid_file=f"{self.directory}/nginx.pid",
            status_url=f"http://127.0.0.1:{self.status_port}/gatewatch-version",
        )
        return Nginx(settings, site)

    def plant(self) -> None:
        self.write("location = /theirs { return 204; }")

    def planted(self) -> bool:
        return "/theirs" in self.config.read_text()

    def restart(self) -> None:
        self.process.stop()
        self.process.start()

    def cut(self) -> None:
        self.process.stop()

    def mend(self) -> None:
        self.process.start()

    def tamper(self) -> None:
        path = self.directory / "gatewatch" / "http.conf"
        path.write_text(path.read_text().replace("203.0.113.7", "203.0.113.99"))

    def state(self) -> object:
        own = self.directory / "gatewatch"
        return [((path := own / name).read_text(), path.stat().st_mtime_ns) for name in ("http.conf", "server.conf")]
