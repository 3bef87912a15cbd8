"""Incidents do not depend on how alerts happen to come in batches; every alert is in exactly one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.alert_streams import STORIES, stream
from benchmarks.correlation_quality import correlate, score
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FEW = {kind.replace(" ", "_"): max(1, count // 60) for kind, (_, count) in STORIES.items()}


def partition(placed: dict[str, int]) -> set[frozenset[str]]:
    groups: dict[int, set[str]] = {}
    for alert, incident in placed.items():
        groups.setdefault(incident, set()).add(alert)
    return {frozenset(group) for group in groups.values()}


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), size=st.integers(1, 40))
def test_batches_do_not_matter(seed: int, size: int) -> None:
    made = stream(seed, hours=1, **FEW)
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, batch in enumerate((len(made.found), size)):
            placed, _, control = correlate(made, Path(folder, f"{number}.sqlite"), batch=batch)
            assert set(placed) == {one.alert.id for one in made.found}
            assert control.cases.verify_activities() > 0
            control.close()
            found.append(partition(placed))
    assert found[0] == found[1]


def test_the_floor_of_quality() -> None:
    """What benchmarks/results/correlation_quality.md says, on one seed, with room for chance."""
    made = stream(7)
    with tempfile.TemporaryDirectory() as folder:
        placed, _, control = correlate(made, Path(folder, "control.sqlite"), batch=200)
        control.close()
    tally = score(made.found, placed)
    every = tally["all"]
    assert every["right"] >= 0.8 * every["together"]
    assert every["right"] >= 0.85 * every["wanted"]
    for kind in ("takeover", "botnet", "injector", "address hopper"):
        assert tally[kind]["right"] >= 0.95 * tally[kind]["wanted"], kind
