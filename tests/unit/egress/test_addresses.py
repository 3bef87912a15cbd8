"""Which addresses a request may go to."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewatch.egress.addresses import host_name, refusal

PASSES = ("93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822", "::ffff:93.184.216.34")
INSIDE = {
    "this machine": "127.0.0.1",
    "the rest of its network": "127.8.8.8",
    "this machine in IPv6": "::1",
    "this machine, mapped": "::ffff:127.0.0.1",
    "this machine, 6to4": "2002:7f00:1::",
    "this machine, NAT64": "64:ff9b::7f00:1",
    "private": "10.1.2.3",
    "private 172": "172.16.0.1",
    "private 192": "192.168.1.1",
    "private, mapped": "::ffff:10.0.0.1",
    "private, 6to4": "2002:c0a8:101::1",
    "carrier-grade NAT": "100.64.0.1",
    "unique local": "fd12:3456::1",
}
NEVER = {
    "metadata": "169.254.169.254",
    "metadata, mapped": "::ffff:169.254.169.254",
    "metadata, NAT64": "64:ff9b::a9fe:a9fe",
    "metadata, 6to4": "2002:a9fe:a9fe::",
    "metadata of AWS in IPv6": "fd00:ec2::254",
    "Azure's wire server": "168.63.129.16",
    "Alibaba's metadata": "100.100.100.200",
    "link-local": "169.254.1.1",
    "link-local in IPv6": "fe80::1",
    "link-local with a zone": "fe80::1%eth0",
    "unspecified": "0.0.0.0",
    "unspecified in IPv6": "::",
    "IPv4-compatible": "::7f00:1",
    "IPv4-translated": "::ffff:0:7f00:1",
    "site-local": "fec0::1",
    "not assigned": "4000::1",
    "this network": "0.1.2.3",
    "multicast": "224.0.0.1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "no address": "localhost",
    "an octal one": "0177.0.0.1",
}


@pytest.mark.parametrize("address", PASSES)
def test_public_addresses_pass(address: str) -> None:
    assert refusal(address, private=False) == ""


@pytest.mark.parametrize("name", INSIDE)
def test_addresses_inside_pass_when_their_host_is_named(name: str) -> None:
    assert refusal(INSIDE[name], private=False)
    assert refusal(INSIDE[name], private=True) == ""


@pytest.mark.parametrize("name", NEVER)
def test_some_addresses_never_pass(name: str) -> None:
    assert refusal(NEVER[name], private=False)
    assert refusal(NEVER[name], private=True)


@given(st.ip_addresses(v=4))
def test_an_address_inside_another_form_is_judged_alike(address: ipaddress.IPv4Address) -> None:
    plain = refusal(str(address), private=False)
    assert refusal(f"::ffff:{address}", private=False) == plain
    assert refusal(str(ipaddress.IPv6Address((0x64FF9B << 96) | int(address))), private=False) == plain


def test_hosts_are_compared_in_one_form() -> None:
    assert host_name("Example.ORG.") == "example.org"
    assert host_name("[::1]") == host_name("0:0::1") == "::1"
    assert host_name("bücher.example") == "xn--bcher-kva.example"
