"""Leases in both engines, and two servers on one PostgreSQL: one works, the other waits and takes over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from sqlalchemy import update
from tests.export_servers import Answer, HttpReceiver, Request
from tests.server_process import ServerProcess

from gatewatch.bootstrap.exporting import exporting
from gatewatch.bootstrap.leasing import leasing
from gatewatch.config.settings import DetectSettings, ExportSettings
from gatewatch.model.observation import IndicatorHit, Location
from gatewatch.ports.control import AlertFilter, FindingFilter
from gatewatch.ports.export import TargetState
from gatewatch.ports.leases import ALWAYS
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.detecting import Detecting, DetectionRun
from gatewatch.services.incidents import Correlating, Correlation
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.leasing import LeasedTurn, Leasing
from gatewatch.services.scoring import Scoring
from gatewatch.store.sql import SqlControlStore
from gatewatch.store.tables import leases
from gatewatch.testing.alerts import NOON, alert
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

TTL = 3600.0
ATTACK = IndicatorHit("sql_injection", "sql_injection.union_select", Location.REQUEST_QUERY, "q", 0.95, "union select")


def expire(store: SqlControlStore) -> None:
    """As if the holder had been silent for as long as its leases last."""
    with store._engine.begin() as connection:
        connection.execute(update(leases).values(until=0.0))


def test_a_lease_is_one_holders_until_it_ends_or_is_given_up(store: SqlControlStore) -> None:
    table = store.leases
    assert table.take("job", "one", TTL)
    assert table.take("job", "one", TTL), "renewed"
    assert not table.take("job", "two", TTL)
    assert table.take("other", "two", TTL)
    found = {one.name: (one.holder, one.left_s) for one in table.leases()}
    assert [found[name][0] for name in ("job", "other")] == ["one", "two"]
    assert 0 < found["job"][1] <= TTL
    table.release("job", "two")
    assert not table.take("job", "two", TTL), "only its holder gives it up"
    table.release("job", "one")
    assert table.take("job", "two", TTL)


def test_a_lease_that_has_ended_is_anybodys(store: SqlControlStore) -> None:
    assert store.leases.take("job", "one", TTL)
    expire(store)
    assert store.leases.leases()[0].left_s < 0
    assert store.leases.take("job", "two", TTL)
    assert not store.leases.take("job", "one", TTL)


def test_only_a_database_of_many_asks_for_leases(store: SqlControlStore) -> None:
    made = leasing(store, structlog.get_logger()).turn("exporting")
    assert (made is ALWAYS) == store.embedded


class Clock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


class Server:
    """What of one server asks for turns; its monotonic time is the test's."""

    def __init__(self, url: str, name: str) -> None:
        self.control, self.clock, self.log = SqlControlStore(url), Clock(), structlog.get_logger()
        self.monotonic = 0.0
        self.leasing = Leasing(self.control.leases, name, lambda: self.monotonic, self.log, ttl_s=TTL)
        self.told: list[str] = []
        self.receiver = HttpReceiver(self._answer)
        target = {
            "name": "siem",
            "transport": "webhook",
            "format": "ecs",
            "settings": {"url": self.receiver.url},
            "kinds": ["alert"],
            "poll_s": 0.01,
        }
        settings = msgspec.convert({"targets": [target]}, ExportSettings)
        self.exporting = exporting(settings, self.control, self.clock, self.log, turn=self.turn("exporting"))
        summing = Summing(lambda _: {}, dict)
        self.correlation = Correlation(self.control.cases, summing, lambda _: {}, self.clock.now)
        self.correlating = Correlating(self.correlation, self.log, self.turn("correlating"))
        self.exports = False

    def turn(self, name: str) -> LeasedTurn:
        made = self.leasing.turn(name)
        assert isinstance(made, LeasedTurn)
        return made

    def _answer(self, request: Request) -> Answer:
        self.told += [one["gatewatch"]["id"] for one in json.loads(request.body)]
        return Answer()

    def start_exporting(self) -> None:
        self.exports = True
        self.exporting.start()

    def vanish(self) -> None:
        """Its threads end, its leases stay."""
        if self.exports:
            self.exporting.stop()
            self.exports = False

    def state(self) -> TargetState:
        return self.exporting.status("siem").state

    def close(self) -> None:
        self.vanish()
        self.receiver.close()
        self.control.close()


@pytest.fixture
def servers(empty_postgres: str) -> Iterator[tuple[Server, Server]]:
    first = SqlControlStore(empty_postgres)
    first.migrate()
    first.close()
    made = Server(empty_postgres, "one"), Server(empty_postgres, "two")
    yield made
    for server in made:
        server.close()


def soon(condition: Callable[[], bool]) -> None:
    for _ in range(12_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come to pass")


def test_one_exports_the_other_waits_and_takes_over(servers: tuple[Server, Server]) -> None:
    one, two = servers
    assert one.turn("exporting").mine()
    one.start_exporting()
    two.start_exporting()
    soon(lambda: two.state() is TargetState.STANDBY)
    one.control.upsert_alerts([alert(1), alert(2)], at=NOON)
    soon(lambda: one.told == ["a0001", "a0002"])
    one.vanish()
    two.control.upsert_alerts([alert(3)], at=NOON)
    two.monotonic += TTL
    soon(lambda: not two.turn("exporting").mine())
    assert two.state() is TargetState.STANDBY
    assert [(lease.name, lease.holder) for lease in two.leasing.leases()] == [("exporting", "one")]
    expire(two.control)
    two.monotonic += TTL
    soon(lambda: two.told == ["a0003"])
    soon(lambda: two.state() is TargetState.RUNNING)
    assert one.told == ["a0001", "a0002"]
    one.monotonic += TTL
    assert not one.turn("exporting").mine(), "it came back, and waits"


def test_one_correlates(servers: tuple[Server, Server]) -> None:
    one, two = servers
    one.control.upsert_alerts([alert(1)], at=NOON)
    assert one.turn("correlating").mine()
    two.correlating._runs.attempt()
    assert two.correlating.correlated == 0
    one.correlating._runs.attempt()
    assert one.correlating.correlated == 1
    one.control.upsert_alerts([alert(2)], at=NOON)
    one.leasing.stop()
    two.monotonic += TTL
    two.correlating._runs.attempt()
    assert two.correlating.correlated == 1
    one.correlating._runs.attempt()
    assert one.correlating.correlated == 1


def detecting(server: Server, traffic: ClickHouseTraffic) -> Detecting:
    return Detecting(
        run=DetectionRun(traffic, server.control, server.log),
        traffic=traffic,
        control=server.control,
        clock=server.clock,
        settings=DetectSettings(),
        log=server.log,
        turn=server.turn("detecting"),
    )


def attack(ip: str) -> Call:
    return Call(ts=NOON - 3, ip=ip, template="/search", indicators=(ATTACK,), signals=("sql_error",), status=500)


def test_one_detects_and_the_next_goes_on_behind_it(
    servers: tuple[Server, Server], traffic: ClickHouseTraffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = servers
    first, second = detecting(one, traffic), detecting(two, traffic)
    store_calls(traffic, numbered([attack("203.0.113.1")]), token="one")
    assert first.tick() == 1
    assert second.tick() == 0
    assert (first.ticks, second.ticks) == (2, 0)
    one.leasing.stop()
    two.monotonic += TTL
    judged: list[Any] = []
    monkeypatch.setattr(DetectionRun, "attempt", lambda _, detector, _spans: judged.append(detector))
    assert second.tick() == 0
    assert judged == [], "everything was judged by the other"
    assert len(two.control.alerts(AlertFilter())[0]) == 1
    two.leasing.stop()
    one.monotonic += TTL
    assert first.tick() == 0
    assert first._term == 2
    assert judged == []


def test_one_writes_findings_and_scores(servers: tuple[Server, Server], traffic: ClickHouseTraffic) -> None:
    one, two = servers
    store_calls(traffic, numbered([Call(ts=NOON, user="ann", template="/api/users")]), token="one")
    made = []
    for server in servers:
        scoring = Scoring(server.control.scores, server.clock)
        made.append((scoring, catalogue(server, traffic, scoring)))
    (first_score, first), (second_score, second) = made
    first.refresh()
    second.refresh()
    assert len(first.collections()[0]) == len(second.collections()[0]) == 1
    assert len(one.control.findings(FindingFilter())[0]) == 2
    assert second._written == {}
    assert first_score.standing().score.percentage == second_score.standing().score.percentage == 100.0
    assert second_score.standing().score.number == 1, "shown by both, kept by one"
    store_calls(traffic, numbered([Call(ts=NOON, template="/api/open")]), token="two")
    second.refresh()
    assert len(two.control.findings(FindingFilter())[0]) == 2
    one.leasing.stop()
    two.monotonic += TTL
    second.refresh()
    assert len(two.control.findings(FindingFilter())[0]) == 4
    assert second_score.standing().score.number == 2


def catalogue(server: Server, traffic: ClickHouseTraffic, scoring: Scoring) -> Catalogue:
    return Catalogue(
        traffic=traffic,
        control=server.control,
        clock=server.clock,
        log=server.log,
        turn=server.turn("findings"),
        judged=lambda place, mine: scoring.recount(place, keep=mine),
    )


JOBS = {"correlating", "detecting", "exporting", "findings"}


@pytest.mark.slow
def test_two_real_servers_share_the_jobs_and_one_hands_them_over_when_it_stops(
    empty_postgres: str, tmp_path: Path
) -> None:
    target = '[[export.targets]]\nname = "file"\ntransport = "file"\n[export.targets.settings]\npath = "{0}/out"\n'
    made: list[ServerProcess] = []
    for name in ("one", "two"):
        directory = tmp_path / name
        directory.mkdir()
        settings = f'[store]\nurl = "{empty_postgres}"\n' + target.format(directory)
        made.append(ServerProcess(directory, settings))

    def mine(server: ServerProcess) -> set[str]:
        with server.client() as client:
            leases = client.get("/v1/ready").raise_for_status().json()["leases"]
        return {lease["job"] for lease in leases if lease["this_server"]}

    one, two = made
    try:
        one.start()
        soon(lambda: mine(one) >= JOBS)
        two.start()
        two.token = one.token
        assert (mine(one) >= JOBS, mine(two)) == (True, set())
        with two.client() as client:
            soon(lambda: client.get("/v1/exports/file").json()["state"] == "standby")
            assert 'gatewatch_lease_held{job="exporting"} 0.0' in client.get("/v1/metrics").text
        assert one.stop() == 0
        soon(lambda: mine(two) >= JOBS)
        with two.client() as client:
            soon(lambda: client.get("/v1/exports/file").json()["state"] == "running")
    finally:
        for server in made:
            server.stop()
