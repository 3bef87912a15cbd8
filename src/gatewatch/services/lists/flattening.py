"""Overlapping address ranges made disjoint: the most specific one speaks for each address."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import pairwise

import msgspec

__all__ = ["AddressRange", "flatten", "network_range", "range_text"]

_V4_OFFSET = 0xFFFF_0000_0000


class AddressRange(msgspec.Struct, frozen=True, gc=False):
    """Addresses first..last (both included) as 128-bit numbers, IPv4 mapped into `::ffff:0:0/96`."""

    first: int
    last: int
    label: str
    detail: str = ""


def _number(address: IPv4Address | IPv6Address) -> int:
    return int(address) + (_V4_OFFSET if isinstance(address, IPv4Address) else 0)


def network_range(text: str, label: str, detail: str = "") -> AddressRange:
    """Read `a.b.c.d`, a prefix, or `first-last`. Raises ValueError on anything else."""
    text = text.strip()
    if "-" in text:
        first, last = (ip_address(part.strip()) for part in text.split("-", 1))
        if first.version != last.version or int(first) > int(last):
            raise ValueError("a range runs from a lower to a higher address of the same family")
        return AddressRange(_number(first), _number(last), label, detail)
    network: IPv4Network | IPv6Network = ip_network(text, strict=False)
    return AddressRange(_number(network.network_address), _number(network.broadcast_address), label, detail)


def range_text(number: int) -> str:
    """A 128-bit number as address text."""
    if number >> 32 == _V4_OFFSET >> 32:
        return str(IPv4Address(number & 0xFFFF_FFFF))
    return str(IPv6Address(number))


def flatten(ranges: Iterable[AddressRange]) -> Iterator[AddressRange]:
    """Disjoint ranges in address order; where several cover an address the smallest wins, then the later in input."""
    ordered = sorted(enumerate(ranges), key=lambda pair: pair[1].first)
    # Only where a range begins or ends can the winner change.
    bounds = sorted({r.first for _, r in ordered} | {r.last + 1 for _, r in ordered})
    active: list[tuple[int, int, AddressRange]] = []
    pending = iter(ordered)
    following = next(pending, None)
    open_run: AddressRange | None = None
    for start, end in pairwise(bounds):
        while following is not None and following[1].first <= start:
            index, item = following
            heapq.heappush(active, (item.last - item.first, -index, item))
            following = next(pending, None)
        while active and active[0][2].last < start:
            heapq.heappop(active)
        winner = active[0][2] if active else None
        if open_run is not None and (winner is None or not _continues(open_run, winner, start)):
            yield open_run
            open_run = None
        if winner is not None:
            first = open_run.first if open_run is not None else start
            open_run = AddressRange(first, end - 1, winner.label, winner.detail)
    if open_run is not None:
        yield open_run


def _continues(run: AddressRange, winner: AddressRange, start: int) -> bool:
    return run.last + 1 == start and run.label == winner.label and run.detail == winner.detail
