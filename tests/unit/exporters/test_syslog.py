"""Syslog over three transports: exact messages, framing, and what counts as taken."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.export_servers import Authority, StreamReceiver, unframed
from tests.unit.exporters.items import LINES, exporter, items

from gatewatch.errors import ConfigurationError
from gatewatch.exporters.syslog import Syslog, frame, parameter_value
from gatewatch.ports.export import DeliveryError

Make = Callable[..., StreamReceiver]
RFC5424 = re.compile(
    rb"<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) "
    rb'(\[\S+(?: \S+="(?:\\["\\\]]|[^"\\\]])*")*\]) (.*)',
    re.DOTALL,
)


def test_a_message_is_rfc_5424(stream: Make) -> None:
    server = stream()
    exporter(Syslog, LINES, host="127.0.0.1", port=server.port, protocol="tcp", hostname="gw").send(
        items(1, body="CEF:0|ä".encode())
    )
    (message,) = server.messages
    match = RFC5424.fullmatch(message)
    assert match is not None, message
    assert match.groups()[:6] == (b"131", b"2026-01-01T12:00:00.000Z", b"gw", b"gatewatch", b"-", b"alert")
    assert match[7] == b'[gatewatch@32473 eventId="alert:a0:1" kind="alert" version="0.1.0"]'
    assert match[8] == "CEF:0|ä".encode()


@given(text=st.text(max_size=40))
def test_structured_data_can_be_read_back(text: str) -> None:
    escaped = parameter_value(text)
    assert re.fullmatch(r'(?:\\["\\\]]|[^"\\\]])*', escaped, re.DOTALL)
    assert re.sub(r"\\(.)", r"\1", escaped, flags=re.DOTALL) == text


@given(messages=st.lists(st.binary(min_size=1, max_size=300), max_size=10))
def test_frames_are_counted_in_octets(messages: list[bytes]) -> None:
    assert unframed(b"".join(frame(one) for one in messages)) == messages


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_batches_arrive_whole_and_in_order(stream: Make, trust: Authority, protocol: str) -> None:
    server = stream(trust.server if protocol == "tls" else None)
    settings = {"host": "127.0.0.1", "port": server.port, "protocol": protocol, "ca_file": trust.ca_file}
    target = exporter(Syslog, LINES, **settings)
    for _ in range(3):
        target.send(items(200))
    bodies = [message.rpartition(b" ")[2] for message in server.messages]
    assert bodies == [b'{"n":%d}' % n for n in range(200)] * 3
    assert server.connections == 3


@pytest.mark.parametrize("protocol", ["tcp", "tls"])
def test_a_receiver_that_breaks_off_did_not_take_it(stream: Make, trust: Authority, protocol: str) -> None:
    broken = [True]
    server = stream(trust.server if protocol == "tls" else None, reset=lambda: broken[0])
    target = exporter(Syslog, LINES, host="127.0.0.1", port=server.port, protocol=protocol, ca_file=trust.ca_file)
    with pytest.raises(DeliveryError, match=r"syslog to 127\.0\.0\.1 failed"):
        target.send(items(2000))
    broken[0] = False
    target.send(items(2))
    assert len(server.messages) == 2


def test_an_unknown_certificate_is_refused(stream: Make, trust: Authority) -> None:
    server = stream(trust.server)
    with pytest.raises(DeliveryError, match="SSLCertVerificationError"):
        exporter(Syslog, LINES, host="127.0.0.1", port=server.port).send(items(1))
    assert server.messages == []


def test_a_standing_connection_notices_that_it_was_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = exporter(Syslog, LINES, host="127.0.0.1", port=server.getsockname()[1], protocol="tcp", confirm=False)
        target.send(items(1))
        first, _ = server.accept()
        assert first.recv(65536)
        target.send(items(1))
        assert first.recv(65536), "the connection stands"
        first.close()
        target.send(items(1))
        second, _ = server.accept()
        assert second.recv(65536)
        second.close()
        target.close()


def test_udp_sends_a_datagram_each_and_refuses_what_is_too_long() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        target = exporter(
            Syslog, LINES, host="127.0.0.1", port=server.getsockname()[1], protocol="udp", max_datagram=500
        )
        batch = [items(1)[0], *items(1, body=b"x" * 600), items(2)[1]]
        with pytest.raises(DeliveryError) as caught:
            target.send(batch)
        assert (caught.value.settled, list(caught.value.refused)) == (3, [1])
        got = [server.recv(65536) for _ in range(2)]
        assert [message.rpartition(b" ")[2] for message in got] == [b'{"n":0}', b'{"n":1}']


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_no_syslog_without_tls_to_other_machines_unless_allowed(protocol: str) -> None:
    with pytest.raises(ConfigurationError, match="without TLS"):
        exporter(Syslog, LINES, host="siem.example", protocol=protocol)
    exporter(Syslog, LINES, host="siem.example", protocol=protocol, insecure=True).close()
