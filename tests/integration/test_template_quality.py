"""The committed quality of path templates does not get worse unseen (the whole measurement: benchmarks/)."""

from __future__ import annotations

import pytest
from benchmarks.template_quality import SYSTEMS, Score, calls_of, judge
from benchmarks.template_routes import TABLES


@pytest.mark.parametrize("system", ["gatewatch", "gatewatch, no bodies"])
def test_no_routes_are_merged_and_few_are_split(system: str) -> None:
    total = Score()
    wrong: list[str] = []
    for table in TABLES:
        calls = calls_of(table, 1_500, seed=2)
        total += judge(calls, SYSTEMS[system](calls), wrong)
    assert total.over <= 0.01 * total.routes, wrong
    assert total.under <= 0.03 * total.routes, wrong
    assert total.endpoints <= 1.3 * total.routes
    assert total.noise <= 0.2 * total.routes
