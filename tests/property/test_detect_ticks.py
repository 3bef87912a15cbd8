"""Ticks and one pass over the same stored traffic give the same alerts, however time is cut."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.detect.detector import all_detectors
from gatewatch.detect.folding import fold, group_by_key
from gatewatch.model.alert import Alert, Detection
from gatewatch.model.observation import IndicatorHit, Location
from gatewatch.testing.traffic import Call, detect_all, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
SPAN_S = 5000.0


@pytest.fixture(scope="module")
def store(new_traffic: Callable[[], ClickHouseTraffic]) -> Iterator[ClickHouseTraffic]:
    traffic = new_traffic()
    traffic.migrate()
    store_calls(traffic, numbered(mixture(random.Random(7))), token="all")
    yield traffic
    traffic.close()


def mixture(dice: random.Random) -> list[Call]:
    calls = []
    for _ in range(1500):
        user = dice.randrange(40)
        calls.append(
            Call(
                ts=NOON + dice.random() * SPAN_S,
                user=f"u{user}",
                ip=f"203.0.113.{user}",
                objects={"p0": f"{user}-{dice.randrange(4)}"},
            )
        )
    for walker in range(3):
        start = NOON + dice.random() * SPAN_S / 2
        calls += [
            Call(
                ts=start + n * dice.uniform(5, 20),
                user=f"eve{walker}",
                ip=f"192.0.2.{walker}",
                status=dice.choice((200, 404)),
                objects={"p0": f"w{walker}-{n}"},
            )
            for n in range(90)
        ]
    calls += [
        Call(
            ts=NOON + dice.random() * SPAN_S,
            ip="192.0.2.50",
            method="POST",
            template="/login",
            status=dice.choice((401, 401, 200)),
            login=f"l{n}",
            agent="bot",
        )
        for n in range(150)
    ]
    calls += [
        Call(ts=NOON + dice.random() * SPAN_S, ip=f"192.0.2.{60 + dice.randrange(3)}", template="/search", status=dice.choice((200, 400, 500)),
             indicators=[IndicatorHit(dice.choice(("xss", "sql_injection", "suspicious_user_agent")), f"r{dice.randrange(3)}", Location.REQUEST_QUERY, "q", dice.choice((0.55, 0.9)))])
        for _ in range(60)
    ]  # fmt: skip
    calls += [Call(ts=NOON + 2000 + n * 0.5, ip="192.0.2.90", template="", status=404) for n in range(300)]
    return calls


def told(alerts: dict[str, Alert]) -> set[tuple[object, ...]]:
    return {(a.id, a.detector, a.count, a.first_seen, a.last_seen, a.severity) for a in alerts.values()}


def folded(runs: list[list[Detection]]) -> dict[str, Alert]:
    latest: dict[tuple[str, str], Alert] = {}
    alerts: dict[str, Alert] = {}
    for run in runs:
        for key, detections in group_by_key(run).items():
            for alert in fold(latest.get(key), detections):
                alerts[alert.id] = latest[key] = alert
    return alerts


@settings(deadline=None, max_examples=4)
@given(cuts=st.lists(st.floats(1, SPAN_S - 1), min_size=1, max_size=5), overlap=st.sampled_from([0.0, 30.0, 1500.0]))
def test_ticks_and_one_pass_agree(store: ClickHouseTraffic, cuts: list[float], overlap: float) -> None:
    detectors, end = all_detectors(), NOON + SPAN_S + 2000
    once = folded([detect_all(store, detectors, start=NOON, end=end)])
    edges = [NOON, *(NOON + cut for cut in sorted(cuts)), end]
    runs = [detect_all(store, detectors, start=max(NOON, a - overlap), end=b) for a, b in pairwise(edges)]
    assert len(once) > 5
    assert told(folded(runs)) == told(once)
