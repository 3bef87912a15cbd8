"""The committed quality of recognition does not get worse unseen (the whole measurement: benchmarks/)."""

from __future__ import annotations

import pytest
from benchmarks.recognition_parts import PARTS
from benchmarks.recognition_quality import BENIGN, measure
from benchmarks.recognition_traffic import transactions

FLOORS = {"tuning": (0.985, 0.99, 0.99, 10), "held out": (0.985, 0.99, 0.98, 10), "blind": (0.99, 0.99, 0.985, 10)}
"""Part: (recall of types, precision of types, recall of indicators, false indicators in 10,000 look-alikes)."""


@pytest.mark.parametrize("part", FLOORS)
def test_recall_and_precision_stay_above_their_floors(part: str) -> None:
    types, precise, indicators, false = FLOORS[part]
    tally = measure(transactions(3_000, seed=7, part=PARTS[part]))
    assert tally.total("information").recall >= types, tally.misses.most_common(20)
    assert tally.total("information").precision >= precise, tally.misses.most_common(20)
    assert tally.total("indicators").recall >= indicators, tally.misses.most_common(20)
    assert tally.per_10_000(tally.alarmed, BENIGN) <= false, tally.misses.most_common(20)
    assert tally.per_10_000(tally.alarmed, ("plain",)) == 0
