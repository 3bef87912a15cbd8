"""Flattened ranges are disjoint and give every address the label of its smallest range."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.services.lists.flattening import AddressRange, flatten, network_range, range_text

_RANGES = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20), st.sampled_from("abc")).map(
        lambda t: AddressRange(t[0], t[0] + t[1], t[2])
    ),
    max_size=12,
)


def _speaker(ranges: list[AddressRange], address: int) -> str | None:
    covering = [(r.last - r.first, -i, r.label) for i, r in enumerate(ranges) if r.first <= address <= r.last]
    return min(covering)[2] if covering else None


@given(_RANGES)
@settings(deadline=None, max_examples=300)
def test_every_address_keeps_the_label_of_its_smallest_range(ranges: list[AddressRange]) -> None:
    flat = list(flatten(ranges))
    for before, after in pairwise(flat):
        assert before.last < after.first
    for address in range(-1, 85):
        found = [r.label for r in flat if r.first <= address <= r.last]
        assert found == ([] if (label := _speaker(ranges, address)) is None else [label])


@given(st.ip_addresses())
@settings(deadline=None)
def test_address_text_survives_the_way_through_numbers(address: object) -> None:
    item = network_range(str(address), "x")
    assert network_range(range_text(item.first), "x") == item
