"""What arrived is judged, however late it came; a detector that fails tries again and holds nobody up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
import structlog

from gatewatch.config.settings import DetectSettings
from gatewatch.model.alert import Alert
from gatewatch.model.observation import IndicatorHit, Location
from gatewatch.observe.columns import to_arrow
from gatewatch.ports.control import AlertFilter
from gatewatch.ports.traffic import Bound, Row
from gatewatch.services.detecting import Detecting, DetectionRun
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.traffic import Call, _path, observation
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
ATTACK = IndicatorHit("sql_injection", "sql_injection.union_select", Location.REQUEST_QUERY, "q", 0.95, "union select")


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


class Bench:
    """A ticking service whose time and traffic the test decides."""

    def __init__(self, traffic: ClickHouseTraffic, control: SqlControlStore) -> None:
        self.traffic, self.control, self.clock = traffic, control, SetClock()
        self.blocks = 0
        self.detecting = self.restarted()

    def restarted(self) -> Detecting:
        log = structlog.get_logger()
        run = DetectionRun(self.traffic, self.control, log)
        settings = DetectSettings(late_s=86_400.0)
        self.detecting = Detecting(
            run=run, traffic=self.traffic, control=self.control, clock=self.clock, settings=settings, log=log
        )
        return self.detecting

    def arrive(self, *calls: Call) -> None:
        self.blocks += 1
        seen = [observation(call, number=number) for number, call in enumerate(calls)]
        seen = [msgspec.structs.replace(one, id=f"b{self.blocks}-{n}") for n, one in enumerate(seen)]
        self.traffic.put_paths([_path(one) for one in seen])
        self.traffic.insert(to_arrow(seen, block=self.blocks * 1000), token=f"t{self.blocks}")

    def alerts(self) -> list[Alert]:
        return list(self.control.alerts(AlertFilter(), limit=50)[0])

    def addresses(self) -> set[str]:
        return {address for alert in self.alerts() for address in alert.client_ips}


@pytest.fixture
def bench(traffic: ClickHouseTraffic, tmp_path: Path) -> Iterator[Bench]:
    control = SqlControlStore(f"sqlite:///{tmp_path}/control.sqlite")
    control.migrate()
    yield Bench(traffic, control)
    control.close()


def attack(at: float, ip: str) -> Call:
    return Call(ts=at, ip=ip, template="/search", indicators=(ATTACK,), signals=("sql_error",), status=500)


def test_an_event_is_judged_when_it_arrives(bench: Bench) -> None:
    bench.arrive(attack(NOON - 3, "203.0.113.1"))
    assert bench.detecting.tick() == 1
    assert bench.addresses() == {"203.0.113.1"}


def test_an_event_that_comes_an_hour_late_is_judged_all_the_same(bench: Bench) -> None:
    bench.arrive(Call(ts=NOON - 2))
    bench.detecting.tick()
    bench.arrive(attack(NOON - 3600, "203.0.113.2"), Call(ts=NOON))
    bench.detecting.tick()
    assert bench.addresses() == {"203.0.113.2"}


def test_a_tick_without_new_traffic_asks_no_detector(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.arrive(attack(NOON - 3, "203.0.113.1"))
    bench.detecting.tick()
    asked: list[str] = []
    query = bench.traffic.query

    def noted(sql: str, parameters: Mapping[str, Bound] | None = None) -> list[Row]:
        asked.append(sql)
        return query(sql, parameters)

    monkeypatch.setattr(bench.traffic, "query", noted)
    assert bench.detecting.tick() == 0
    assert [sql for sql in asked if "FROM observ" in sql] == []


def test_a_restart_goes_on_where_the_last_run_ended(bench: Bench) -> None:
    bench.arrive(attack(NOON - 3, "203.0.113.1"))
    bench.detecting.tick()
    before = bench.alerts()
    bench.restarted()
    bench.arrive(attack(NOON - 600, "203.0.113.3"))
    bench.detecting.tick()
    assert bench.addresses() == {"203.0.113.1", "203.0.113.3"}
    assert before[0] in bench.alerts()


def test_what_comes_too_late_is_counted_and_not_judged(bench: Bench) -> None:
    bench.arrive(attack(NOON - 200_000, "203.0.113.4"), Call(ts=NOON))
    bench.detecting.tick()
    assert bench.addresses() == set()
    assert bench.detecting.too_late == 1


def test_a_detector_that_failed_judges_the_same_traffic_later(bench: Bench) -> None:
    bench.arrive(attack(NOON - 3, "203.0.113.5"))
    bench.traffic._command("RENAME TABLE object_access TO object_access_away, observed TO observed_away")
    try:
        bench.detecting.tick()
        assert "indicator.injection_attempt" in bench.detecting.faults
    finally:
        bench.traffic._command("RENAME TABLE object_access_away TO object_access, observed_away TO observed")
    bench.detecting.tick()
    assert bench.detecting.faults == {}
    assert bench.addresses() == {"203.0.113.5"}


def test_a_slow_detector_waits_its_share_and_the_others_go_on(bench: Bench) -> None:
    bench.arrive(Call(ts=NOON - 9))
    bench.detecting.tick()
    slow = bench.detecting._progress["indicator.injection_attempt"]
    slow.cost_s, slow.due = 0.5, NOON + 60  # what it took here is this machine's
    bench.arrive(attack(NOON - 3, "203.0.113.6"))
    bench.detecting.tick_due(slow=False)
    assert bench.addresses() == set()
    bench.clock.time = NOON + 61
    bench.detecting.tick_due(slow=False)
    assert bench.addresses() == {"203.0.113.6"}


def test_a_slow_detector_runs_in_a_lane_of_its_own(bench: Bench) -> None:
    bench.arrive(Call(ts=NOON - 9))
    bench.detecting.tick()
    bench.detecting._progress["indicator.injection_attempt"].cost_s = 20.0
    bench.arrive(attack(NOON - 3, "203.0.113.8"))
    bench.clock.time = NOON + 1000
    bench.detecting.tick_due(slow=False)
    assert bench.addresses() == set()
    bench.detecting.tick_due(slow=True)
    assert bench.addresses() == {"203.0.113.8"}


def test_a_detector_switched_on_again_begins_with_what_comes_now(bench: Bench) -> None:
    bench.control.put_detector_settings("indicator.injection_attempt", {"enabled": False}, at=NOON)
    bench.arrive(attack(NOON - 4000, "203.0.113.7"))
    bench.detecting.tick()
    bench.control.put_detector_settings("indicator.injection_attempt", {"enabled": True}, at=NOON)
    bench.arrive(Call(ts=NOON - 4))
    bench.detecting.tick()
    assert bench.addresses() == set()
