"""What one gateway is to enforce, as values: entries with our own ids, and how far a gateway agrees with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

import msgspec

from gatewatch.model.containment import Effect, Scope, ScopeKind

__all__ = [
    "Agreement",
    "Enforcement",
    "EnforcementId",
    "Network",
    "Place",
    "actor_of",
    "mark",
    "network_in",
    "network_of",
    "place_of",
    "spellings",
]

Network = IPv4Network | IPv6Network
_MAPPED = IPv6Network("::ffff:0:0/96")
"""IPv4 as dual-stack sockets show it (RFC 4291, 2.5.5.2)."""
EnforcementId = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_MARK_OCTETS = 5


class Enforcement(msgspec.Struct, frozen=True, kw_only=True):
    """One entry that a gateway has to have. The whole set of them is a gateway's desired state."""

    id: EnforcementId
    """Ours; what the entry is found by again on the gateway."""
    scope: Scope
    effect: Effect
    calls: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """For THROTTLE: so many calls in `per_s`, all calls in scope together."""
    per_s: Annotated[int, msgspec.Meta(ge=1, le=3600)] = 60
    expires_at: float
    """Unix seconds; from then on it is not wanted any more."""


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """How far a gateway does what is wanted. Ids; all sorted."""

    in_force: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    """Ours, but not as it has to be: somebody changed it."""
    surplus: tuple[str, ...] = ()
    """Ours, and not wanted: expired, rolled back, or left from before."""

    @property
    def complete(self) -> bool:
        """Nothing is left to do."""
        return not (self.missing or self.altered or self.surplus)

    @staticmethod
    def between(wanted: Mapping[str, object], found: Mapping[str, object]) -> Agreement:
        """Compare entries by id."""
        return Agreement(
            in_force=tuple(sorted(one for one in wanted if one in found and found[one] == wanted[one])),
            missing=tuple(sorted(wanted.keys() - found.keys())),
            altered=tuple(sorted(one for one in wanted if one in found and found[one] != wanted[one])),
            surplus=tuple(sorted(found.keys() - wanted.keys())),
        )


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls go: an endpoint, or everything below a path of a host."""

    method: str = ""
    """'' for any."""
    host: str = ""
    """Lower case; '' for any."""
    template: str = "/"
    below: bool = False
    """Also everything below it."""

    @property
    def name(self) -> str:
        """The host without its port; an IPv6 address keeps its brackets. '' for any."""
        address, bracket, _ = self.host.partition("]")
        return address + bracket if bracket else self.host.partition(":")[0]

    def name_pattern(self) -> str:
        """Regular expression over the host without port, quoted as `pattern` is; '' for any."""
        return "".join(char if char.isalnum() or char == "_" else f"\\x{ord(char):02x}" for char in self.name)

    def overlaps(self, other: Place) -> bool:
        """Whether a call may fall under both."""
        hosts, methods = {self.name, other.name} - {""}, {self.method, other.method} - {""}
        if len(hosts) > 1 or len(methods) > 1:
            return False
        mine, theirs = _segments(self.template), _segments(other.template)
        if (len(mine) < len(theirs) and not self.below) or (len(theirs) < len(mine) and not other.below):
            return False
        return all(one == two or _is_open(one) or _is_open(two) for one, two in zip(mine, theirs, strict=False))

    def pattern(self, *, raw: bool = False) -> str:
        r"""Anchored regular expression over the path without query, in the syntax that RE2 and PCRE share.

        As the inventory sees paths: repeated slashes, a slash at the end and matrix parameters make no difference.
        `raw`: for gateways that see the path as it was sent; every literal matches percent-encoded too, so that
        `/%75sers` is `/users`. Only letters, digits and `\x..` stand for characters: nothing has to be quoted.
        """
        segments = _segments(self.template)
        ends = r"(?:/.*)?$" if self.below else r"/*$"
        if not segments:
            return "^/.*$" if self.below else "^/*$"
        return "^" + "".join(f"/+{_segment(one, raw=raw)}(?:;[^/]*)?" for one in segments) + ends


_PART = re.compile(r"(\{\w+\})")
_TYPES = {
    "{int}": "-?[0-9]+",
    "{number}": "-?[0-9.]+",
    "{uuid}": "[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}",
}
"""Those that tell `/users/7` from `/users/me`."""


def _segments(template: str) -> list[str]:
    return [segment for segment in template.split("/") if segment]


def _is_open(segment: str) -> bool:
    """Whether more than one text fits."""
    return segment in _ANYTHING or _PART.search(segment) is not None


_ANYTHING = frozenset({"*", "**"})


def _segment(text: str, *, raw: bool) -> str:
    if text in _ANYTHING:
        return "[^/]+"
    return "".join(
        _TYPES.get(part, "[^/]+") if _PART.fullmatch(part) else "".join(_character(c, raw=raw) for c in part)
        for part in _PART.split(text)
        if part
    )


def _character(char: str, *, raw: bool) -> str:
    octets = char.encode("utf-8", "replace")
    coded = "".join("%" + "".join(_hex(digit) for digit in f"{octet:02X}") for octet in octets)
    if len(octets) > 1:
        return coded if raw else f"[^/]{{1,{len(octets)}}}"
    plain = char if char.isalnum() or char in "_~" else f"\\x{octets[0]:02x}"
    return f"(?:{plain}|{coded})" if raw else plain


def _hex(digit: str) -> str:
    return f"[{digit}{digit.lower()}]" if digit.isalpha() else digit


def place_of(scope: Scope) -> Place | None:
    """Where a scope is about; None for everywhere. Raises ValueError for text that is no endpoint or collection."""
    if scope.kind is ScopeKind.COLLECTION:
        host, slash, base = scope.value.partition("/")
        return Place(host=host.lower(), template=slash + base or "/", below=True)
    text = scope.value if scope.kind is ScopeKind.ENDPOINT else scope.endpoint
    if not text:
        return None
    method, _, rest = text.partition(" ")
    host, _, template = rest.partition(" ")
    if not re.fullmatch(r"[A-Z]{1,24}", method) or not re.fullmatch(r"/\S*", template):
        raise ValueError("an endpoint is written `METHOD host template`")
    if host and not re.fullmatch(r"[A-Za-z0-9._:\[\]-]{1,255}", host):
        raise ValueError("the endpoint's host is none")
    return Place(method=method, host=host.lower(), template=template)


def network_of(scope: Scope) -> Network | None:
    """The addresses a scope is about; None when it is about something else. Raises ValueError."""
    text = scope.value
    if scope.kind is ScopeKind.ACTOR and text.startswith("address:"):
        text = text.removeprefix("address:")
    elif scope.kind not in {ScopeKind.ADDRESS, ScopeKind.RANGE}:
        return None
    found = network_in(text)
    if scope.kind is not ScopeKind.RANGE and found.num_addresses != 1:
        raise ValueError("an address scope is one address")
    return found


def network_in(text: str) -> Network:
    """An address or range; IPv4 written as IPv6 is IPv4, for gateways and guardrails alike. Raises ValueError."""
    found = ip_network(text, strict=False)
    if not isinstance(found, IPv6Network):
        return found
    if found.subnet_of(_MAPPED):
        return IPv4Network((int(found.network_address) & 0xFFFF_FFFF, found.prefixlen - _MAPPED.prefixlen))
    if found.num_addresses > 1 and _MAPPED.subnet_of(found) and found.prefixlen:
        raise ValueError("a range of IPv6 that holds all of IPv4; name the two apart")
    return found


def spellings(network: Network) -> tuple[Network, ...]:
    """As gateways may see its addresses: IPv4 comes as IPv6 from sockets of both, and from proxies with such."""
    if isinstance(network, IPv6Network):
        return (network,)
    first = int(_MAPPED.network_address) + int(network.network_address)
    return network, IPv6Network((first, network.prefixlen + _MAPPED.prefixlen))


def actor_of(scope: Scope) -> tuple[str, str]:
    """(kind, id) of an actor or consumer scope; ('', '') for every other."""
    if scope.kind is ScopeKind.CONSUMER:
        return "consumer", scope.value
    if scope.kind is not ScopeKind.ACTOR:
        return "", ""
    kind, colon, name = scope.value.partition(":")
    return (kind, name) if colon else ("", "")


def mark(wanted: Enforcement | Iterable[Enforcement]) -> str:
    """Ten hexadecimal digits that change with any change of what is wanted."""
    return blake2b(msgspec.json.encode(wanted, order="deterministic"), digest_size=_MARK_OCTETS).hexdigest()
