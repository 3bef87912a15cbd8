"""Who is the client: the peer, or behind trusted proxies the address they vouch for. Never a bare X-Forwarded-For."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["ClientAddresses"]

_Address = IPv4Address | IPv6Address
_Network = IPv4Network | IPv6Network
_FORWARDED_FOR = re.compile(r'for\s*=\s*"?([^";,\s]+)"?', re.IGNORECASE)
_MAX_HOPS = 32
_REMEMBERED = 65_536
_UNKNOWN = "::"


class ClientAddresses:
    """Resolves and classifies client addresses; remembers a bounded number of answers."""

    def __init__(self, trusted_proxies: Sequence[str], internal_networks: Sequence[str]) -> None:
        """Networks as text. Raises ValueError on one that can't be read."""
        self._trusted = [ip_network(text, strict=False) for text in trusted_proxies]
        self._internal = [ip_network(text, strict=False) for text in internal_networks]
        self._answers: dict[tuple[str, str, str], tuple[str, bool]] = {}

    def resolve(self, peer: str, headers: Mapping[str, str]) -> tuple[str, bool]:
        """(client address as text, '::' when unknown; whether it is external).

        From right to left through X-Forwarded-For (else Forwarded, else X-Real-IP) as long as the hop that wrote it is
        trusted; the first address that is not a trusted proxy is the client. A hop that can't be read ends the walk.
        """
        chain = ""
        if self._trusted:
            chain = (
                headers.get("x-forwarded-for")
                or _forwarded(headers.get("forwarded", ""))
                or headers.get("x-real-ip", "")
            )
        key = (peer, chain, "")
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            answer = self._answers[key] = self._resolve(peer, chain)
        return answer

    def _resolve(self, peer: str, chain: str) -> tuple[str, bool]:
        client = _address(peer)
        if client is None:
            return _UNKNOWN, False
        for hop in reversed(chain.split(",")[-_MAX_HOPS:] if chain else []):
            if not _within(client, self._trusted):
                break
            previous = _address(hop)
            if previous is None:
                break
            client = previous
        return str(client), not _within(client, self._internal)


def _forwarded(value: str) -> str:
    return ",".join(_FORWARDED_FOR.findall(value)) if value else ""


def _address(text: str) -> _Address | None:
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found


def _within(address: _Address, networks: Sequence[_Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
