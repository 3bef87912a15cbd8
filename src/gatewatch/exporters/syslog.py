"""Syslog, RFC 5424, over UDP (RFC 5426), TCP (RFC 6587, octet counting) or TLS (RFC 5425)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from gatewatch import __version__
from gatewatch.egress.addresses import is_loopback
from gatewatch.egress.tls import tls_context
from gatewatch.errors import ConfigurationError
from gatewatch.formats.records import rfc3339
from gatewatch.model.alert import Severity
from gatewatch.ports.export import Content, Delivery, DeliveryError, Exporter, ExporterMeta

__all__ = ["Syslog", "SyslogSettings", "frame", "message", "parameter_value"]

_SEVERITY = {Severity.INFORMATIONAL: 6, Severity.LOW: 5, Severity.MEDIUM: 4, Severity.HIGH: 3}
"""RFC 5424, 6.2.1: informational, notice, warning, error."""
_DEFAULT_PORT = {"udp": 514, "tcp": 601, "tls": 6514}
"""RFC 5426, 3.3; RFC 3195; RFC 5425, 4.1."""
_EXAMPLE_ENTERPRISE = 32473
"""RFC 5612: for documentation and for those who have no number of their own."""
_MAX_HOST = 255
Name = Annotated[str, msgspec.Meta(pattern=r"^[\x21-\x7e]{1,48}$")]


class SyslogSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one receiver."""

    host: str
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """0: 514 for udp, 601 for tcp, 6514 for tls."""
    protocol: Literal["udp", "tcp", "tls"] = "tls"
    insecure: bool = False
    """Allow udp and tcp to other machines."""
    ca_file: str = ""
    client_certificate: str = ""
    """PEM file with certificate and key, for receivers that ask for one."""
    facility: Annotated[int, msgspec.Meta(ge=0, le=23)] = 16
    """16 is local0."""
    app_name: Name = "gatewatch"
    hostname: str = ""
    """'' for this machine's name."""
    enterprise: Annotated[int, msgspec.Meta(ge=1)] = _EXAMPLE_ENTERPRISE
    """IANA private enterprise number in the name of the structured data."""
    confirm: bool = True
    """tcp and tls: a connection per batch, taken when the receiver has closed its side too."""
    max_datagram: Annotated[int, msgspec.Meta(ge=480, le=65507)] = 8192
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = 30.0


class Syslog(Exporter):
    """One syslog message per item; the event id is structured data."""

    meta: ClassVar[ExporterMeta] = ExporterMeta(
        id="syslog",
        title="Syslog (RFC 5424)",
        description=(
            'Structured data `[gatewatch@32473 eventId="…" kind="…"]`, the kind also as MSGID. TCP and TLS count '
            "octets. Syslog has no acknowledgement: with `confirm`, every batch has a connection of its own and counts "
            "as taken when the receiver, having read to the end, closes its side. A UDP datagram may vanish unseen."
        ),
        confirmation="TCP, TLS: the receiver closed in order after our end of the connection. UDP: it was sent.",
        references=("RFC 5424", "RFC 5425", "RFC 5426", "RFC 6587"),
    )
    settings: ClassVar[type[msgspec.Struct]] = SyslogSettings

    def __init__(self, settings: Any, content: Content) -> None:
        """Opens nothing yet."""
        self._settings: SyslogSettings = settings
        del content
        if settings.protocol != "tls" and not settings.insecure and not is_loopback(settings.host):
            raise ConfigurationError(
                f"syslog over {settings.protocol} to {settings.host} is without TLS",
                cure="Use protocol = 'tls', or allow it with `insecure = true`.",
            )
        self._tls = _tls(settings) if settings.protocol == "tls" else None
        self._hostname = (settings.hostname or socket.gethostname())[:_MAX_HOST]
        self._socket: socket.socket | None = None

    def send(self, batch: Sequence[Delivery]) -> None:
        """All messages; over TCP and TLS in one stream."""
        messages = [message(item, self._settings, self._hostname) for item in batch]
        try:
            if self._settings.protocol == "udp":
                self._datagrams(messages)
            else:
                self._stream(b"".join(frame(one) for one in messages))
        except OSError as error:
            self.close()
            told = f"syslog to {self._settings.host} failed: {type(error).__name__}"
            raise DeliveryError(told) from error

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _datagrams(self, messages: Sequence[bytes]) -> None:
        address = (self._settings.host, self._port())
        family, kind, protocol, _, place = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
        most = self._settings.max_datagram
        refused = {
            index: f"{len(one)} octets, more than {most}" for index, one in enumerate(messages) if len(one) > most
        }
        with socket.socket(family, kind, protocol) as sender:
            for index, one in enumerate(messages):
                if index not in refused:
                    sender.sendto(one, place)
        if refused:
            raise DeliveryError("messages are too long for UDP", settled=len(messages), refused=refused)

    def _stream(self, data: bytes) -> None:
        connection = self._connected()
        connection.sendall(data)
        if self._settings.confirm:
            self._socket = None
            _end_in_order(connection)

    def _connected(self) -> socket.socket:
        if self._socket is not None and _closed_by_peer(self._socket):
            self.close()
        if self._socket is None:
            address = (self._settings.host, self._port())
            plain = socket.create_connection(address, timeout=self._settings.timeout_s)
            try:
                self._socket = self._tls.wrap_socket(plain, server_hostname=address[0]) if self._tls else plain
            except OSError:
                plain.close()
                raise
        return self._socket

    def _port(self) -> int:
        return self._settings.port or _DEFAULT_PORT[self._settings.protocol]


def message(item: Delivery, settings: SyslogSettings, hostname: str) -> bytes:
    """One RFC 5424 message. The text is MSG-ANY: UTF-8 without a byte order mark, which receivers of CEF trip over."""
    priority = settings.facility * 8 + _SEVERITY[item.severity]
    data = (
        f'[gatewatch@{settings.enterprise} eventId="{parameter_value(item.event_id)}"'
        f' kind="{item.kind.value}" version="{parameter_value(__version__)}"]'
    )
    head = f"<{priority}>1 {rfc3339(item.at)} {hostname} {settings.app_name} - {item.kind.value} {data} "
    return head.encode() + item.body


def parameter_value(text: str) -> str:
    """RFC 5424, 6.3.3: quote, backslash and closing bracket are escaped."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def frame(one: bytes) -> bytes:
    """RFC 6587, 3.4.1: the length in octets, a space, the message."""
    return str(len(one)).encode() + b" " + one


def _tls(settings: SyslogSettings) -> ssl.SSLContext:
    context = tls_context(settings.ca_file)
    if settings.client_certificate:
        try:
            context.load_cert_chain(settings.client_certificate)
        except OSError as error:
            told = f"can't use the client certificate {settings.client_certificate}: {type(error).__name__}"
            raise ConfigurationError(told) from error
    return context


def _end_in_order(connection: socket.socket) -> None:
    """End our side and wait for the other; a receiver that did not read everything answers with a reset instead."""
    with connection:
        if isinstance(connection, ssl.SSLSocket):
            try:
                plain = connection.unwrap()
            except ssl.SSLEOFError:
                return  # many receivers end without TLS's own goodbye
            plain.close()
            return
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def _closed_by_peer(connection: socket.socket) -> bool:
    """Whether there is an end, or anything else, to read: receivers of syslog never say anything."""
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        return connection.recv(1) is not None
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(timeout)
