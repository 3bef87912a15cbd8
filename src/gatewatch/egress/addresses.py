"""Which addresses a request may go to.

Sources: the IANA special-purpose registries through `ipaddress`; metadata services as their clouds document them (AWS,
Azure, Google, Oracle 169.254.169.254; AWS fd00:ec2::254; Azure wire server 168.63.129.16; Alibaba 100.100.100.200).
"""

from __future__ import annotations

import ipaddress
from ipaddress import IPv4Address, IPv6Address

__all__ = ["host_name", "is_loopback", "refusal"]

_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200")
)
_ASSIGNED = (ipaddress.ip_network("2000::/3"), ipaddress.ip_network("fc00::/7"))
"""Global unicast and unique local, RFC 4291 2.4: what `ipaddress` calls global elsewhere may lead inside (`::7f00:1`,
`::ffff:0:7f00:1`, `fec0::1`: IPv4-compatible, IPv4-translated, site-local).
"""
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def host_name(host: str) -> str:
    """A host in the form in which hosts are compared: lower case, no brackets, no full stop at the end."""
    plain = host.strip().strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(plain))
    except ValueError:
        pass
    try:
        return plain.encode("idna").decode("ascii")
    except UnicodeError:
        return plain


def refusal(address: str, *, private: bool) -> str:
    """Why nothing is sent to an address; '' when something may be.

    `private`: the settings name its host as one inside, so addresses of this machine and of private networks pass.
    Metadata services and link-local, multicast, unspecified and reserved addresses never do.
    """
    try:
        found = _inner(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return "no address"
    if found in _METADATA:
        return "the address of a metadata service"
    if found.is_loopback:
        return "" if private else "an address of this machine"
    if found.is_link_local or found.is_multicast or found.is_unspecified:
        return "a link-local, multicast or unspecified address"
    if isinstance(found, IPv6Address) and not any(found in network for network in _ASSIGNED):
        return "a reserved address"
    if found.is_global:
        return ""
    if isinstance(found, IPv4Address) and (found.is_reserved or found.packed[0] == 0):
        return "a reserved address"
    return "" if private else "an address of a private network"


def _inner(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one leads to: mapped, 6to4 or NAT64."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if any(address in network for network in _NAT64):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address
