"""What stands around Gatewatch in the demo: ServiceNow- and Jira-shaped servers and a mail server, all on loopback."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from gatewatch.testing.processes import free_port

__all__ = ["Desk"]

_PASSWORD = "only-for-the-demo"


def _octets(content: bytes | str | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""


class _Mailbox:
    """Keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[Message] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(_octets(envelope.content), policy=default))
        return "250 OK"


class _Tickets(ThreadingHTTPServer):
    """Both ticket systems; a ticket is kept once per correlation."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.incidents: dict[str, dict[str, Any]] = {}
        self.issues: dict[str, dict[str, Any]] = {}


class _Handler(BaseHTTPRequestHandler):
    server: _Tickets

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.startswith("/api/now/table/incident"):
            number = f"INC{10_001 + len(self.server.incidents):07d}"
            record = {"sys_id": f"{len(self.server.incidents) + 1:032x}", "number": number, "state": "1", **body}
            self.server.incidents.setdefault(body["correlation_id"], record)
            self._answer(201, {"result": self.server.incidents[body["correlation_id"]]})
        elif self.path == "/rest/api/3/issue":
            key = f"SEC-{len(self.server.issues) + 1}"
            self.server.issues[key] = body["fields"]
            self._answer(201, {"id": str(len(self.server.issues)), "key": key, "self": "http://127.0.0.1/"})
        else:
            self._answer(404, {})

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if self.path.startswith("/api/now/table/incident"):
            wanted = query.get("sysparm_query", [""])[0].removeprefix("correlation_id=")
            found = [one for key, one in self.server.incidents.items() if key == wanted]
            self._answer(200, {"result": found})
        else:
            self._answer(200, {"issues": [], "isLast": True})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


class Desk:
    """Starts and ends them."""

    def __init__(self) -> None:
        self._tickets, self._box = _Tickets(), _Mailbox()
        self._thread = threading.Thread(target=self._tickets.serve_forever, daemon=True)
        self._smtp = Controller(self._box, hostname="127.0.0.1", port=free_port(), ready_timeout=60)

    def __enter__(self) -> Self:
        self._thread.start()
        self._smtp.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._smtp.stop()
        self._tickets.shutdown()
        self._tickets.server_close()

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """Records of the ServiceNow-shaped server."""
        return list(self._tickets.incidents.values())

    @property
    def issues(self) -> dict[str, dict[str, Any]]:
        """Issues of the Jira-shaped server by key."""
        return self._tickets.issues

    @property
    def mails(self) -> list[Message]:
        """What the mail server took."""
        return list(self._box.mails)

    def environment(self) -> dict[str, str]:
        """Secrets by reference: settings only name these."""
        return {"DEMO_PASSWORD": _PASSWORD}

    def settings(self) -> str:
        """Connections of Gatewatch's settings."""
        tickets = f"http://127.0.0.1:{self._tickets.server_address[1]}"
        here = 'private_hosts = ["127.0.0.1"]\n'
        return (
            f'[[connections]]\nname = "servicenow"\nconnector = "servicenow"\nurl = "{tickets}"\n{here}'
            '[connections.options]\nuser = "gatewatch"\n[connections.secrets]\npassword = "env:DEMO_PASSWORD"\n'
            f'[[connections]]\nname = "jira"\nconnector = "jira_cloud"\nurl = "{tickets}"\n{here}'
            '[connections.options]\nuser = "gatewatch@shop.example"\n'
            '[connections.secrets]\ntoken = "env:DEMO_PASSWORD"\n'
            f'[[connections]]\nname = "mail"\nconnector = "mail"\nurl = "smtp://127.0.0.1:{self._smtp.port}"\n{here}'
            '[connections.options]\nsender = "gatewatch@shop.example"\n'
        )
