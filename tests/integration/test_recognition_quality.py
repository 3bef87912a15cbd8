"""The committed quality of recognition does not get worse unseen (the whole measurement: benchmarks/)."""

from __future__ import annotations

import pytest
from benchmarks.recognition_quality import BENIGN, measure
from benchmarks.recognition_traffic import transactions

FLOORS = {"tuning": (False, 0.985, 0.99, 0.985, 10), "held out": (True, 0.975, 0.98, 0.96, 80)}
"""Part: (held out, recall of types, precision of types, recall of indicators, false indicators in 10,000 look-alikes)."""


@pytest.mark.parametrize("part", FLOORS)
def test_recall_and_precision_stay_above_their_floors(part: str) -> None:
    held_out, types, precise, indicators, false = FLOORS[part]
    tally = measure(transactions(3_000, seed=7, held_out=held_out))
    assert tally.total("information").recall >= types, tally.misses.most_common(20)
    assert tally.total("information").precision >= precise, tally.misses.most_common(20)
    assert tally.total("indicators").recall >= indicators, tally.misses.most_common(20)
    assert tally.per_10_000(tally.alarmed, BENIGN) <= false, tally.misses.most_common(20)
    assert tally.per_10_000(tally.alarmed, ("plain",)) == 0
