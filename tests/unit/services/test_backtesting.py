"""Other settings lose and gain exactly the alerts that they should, and the search finds the number that separates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from gatewatch.bootstrap.reviewing import stored_since
from gatewatch.detect.planning import Span
from gatewatch.errors import DefinitionError, GatewatchError, InputError, NotFoundError
from gatewatch.model.alert import AlertStatus
from gatewatch.model.verdict import Classification
from gatewatch.ports.control import AlertFilter
from gatewatch.services.backtesting import Backtesting
from gatewatch.services.detecting import DetectionRun
from gatewatch.services.incidents import Casework, Correlation
from gatewatch.services.incidents.patches import AlertPatch
from gatewatch.services.incidents.summing import Summing
from gatewatch.services.tuning import better_setting
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
GUESSING = "authentication.password_guessing"
GUESSES = {"192.0.2.1": 9, "192.0.2.2": 14, "192.0.2.3": 20, "192.0.2.4": 40}


def guesses(address: str, count: int) -> list[Call]:
    return [
        Call(
            ts=NOON + 60 + k,
            ip=address,
            method="POST",
            template="/login",
            status=401,
            login=f"account of {address}",
            tried=f"pw{k}",
        )
        for k in range(count)
    ]


class Bench:
    def __init__(self, traffic: ClickHouseTraffic, control: SqlControlStore) -> None:
        self.control = control
        run = DetectionRun(traffic, control, structlog.get_logger())
        self.backtesting = Backtesting(run.judge, control, lambda: NOON + 5000, lambda: stored_since(traffic))
        calls = [call for address, count in GUESSES.items() for call in guesses(address, count)]
        store_calls(traffic, numbered(calls), token="t")
        for detector in run.detectors():
            if detector.meta.id == GUESSING:
                run.attempt(detector, [Span(start=NOON, end=NOON + 1200)])
        summing = Summing(lambda _: {}, dict)
        Correlation(control.cases, summing, lambda _: {}, lambda: NOON + 2000).run()
        self.casework = Casework(control.cases, summing, lambda: NOON + 3000)

    def said(self) -> dict[str, str]:
        return {alert.client_ips[0]: alert.id for alert in self.control.alerts(AlertFilter())[0]}

    def classify(self, user: str, classification: Classification) -> None:
        patch = AlertPatch(status=AlertStatus.RESOLVED, classification=classification)
        self.casework.change_alert(self.said()[user], patch, by="ann")


@pytest.fixture
def bench(traffic: ClickHouseTraffic, tmp_path: Path) -> Iterator[Bench]:
    control = SqlControlStore(f"sqlite:///{tmp_path}/control.sqlite")
    control.migrate()
    yield Bench(traffic, control)
    control.close()


CHANGES = {
    "nothing changed": ({}, set(), set()),
    "a higher threshold loses the short ones": ({"secrets": 30}, set(), {"address:192.0.2.2", "address:192.0.2.3"}),
    "a lower threshold gains the shortest": ({"secrets": 8}, {"address:192.0.2.1"}, set()),
    "a threshold that nobody reaches loses all": (
        {"secrets": 500},
        set(),
        {"address:192.0.2.2", "address:192.0.2.3", "address:192.0.2.4"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_settings_gain_and_lose_exactly_these(bench: Bench, name: str) -> None:
    settings, gained, lost = CHANGES[name]
    before = bench.control.alerts(AlertFilter())
    found = bench.backtesting.run(GUESSING, settings, since=NOON, until=NOON + 1200)
    assert set(bench.said()) == {"192.0.2.2", "192.0.2.3", "192.0.2.4"}
    assert {one.subjects[0] for one in found.gained_first} == gained
    assert {one.subjects[0] for one in found.lost_first} == lost
    assert (found.stored, found.reproduced) == (3, 3)
    assert (found.gained, found.lost, found.unchanged) == (len(gained), len(lost), 3 - len(lost))
    assert found.found == found.unchanged + found.gained
    assert found.alerts_per_day_before == 3, "less than a day counts as one"
    assert bench.control.alerts(AlertFilter()) == before, "a back-test changes nothing"


def test_it_says_how_much_later_an_alert_would_have_come(bench: Bench) -> None:
    found = bench.backtesting.run(GUESSING, {"secrets": 36}, since=NOON, until=NOON + 1200)
    assert found.to_detect_before_s is not None
    assert found.to_detect_after_s is not None
    assert found.to_detect_after_s - found.to_detect_before_s == pytest.approx(24)


def test_it_counts_by_what_people_concluded(bench: Bench) -> None:
    bench.classify("192.0.2.2", Classification.FALSE_POSITIVE)
    bench.classify("192.0.2.4", Classification.TRUE_POSITIVE)
    found = bench.backtesting.run(GUESSING, {"secrets": 16}, since=NOON, until=NOON + 1200)
    assert {one.classification: (one.before, one.after) for one in found.verdicts} == {
        Classification.FALSE_POSITIVE: (1, 0),
        Classification.TRUE_POSITIVE: (1, 1),
        Classification.UNKNOWN: (1, 1),
    }


def test_alerts_whose_traffic_is_gone_are_not_held_against_the_settings(bench: Bench) -> None:
    bench.control.put_detector_settings(GUESSING, {"secrets": 16}, at=NOON)
    found = bench.backtesting.run(GUESSING, {"secrets": 12}, since=NOON, until=NOON + 1200)
    assert (found.stored, found.reproduced, found.unchanged) == (3, 2, 3)
    assert found.current == {"secrets": 16}


REFUSED: dict[str, tuple[str, dict[str, int], float, float, type[GatewatchError]]] = {
    "an unknown detector": ("no.such", {}, NOON, NOON + 1, NotFoundError),
    "an unknown setting": (GUESSING, {"colour": 1}, NOON, NOON + 1, DefinitionError),
    "a value out of range": (GUESSING, {"secrets": 1}, NOON, NOON + 1, DefinitionError),
    "a stretch that ends before it begins": (GUESSING, {}, NOON, NOON - 1, InputError),
    "a year": (GUESSING, {}, NOON, NOON + 365 * 86_400, InputError),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_can_not_be_tested_is_refused(bench: Bench, name: str) -> None:
    detector, settings, since, until, error = REFUSED[name]
    with pytest.raises(error):
        bench.backtesting.run(detector, settings, since=since, until=until)


def test_the_search_finds_the_number_that_keeps_the_real_and_drops_the_false(bench: Bench) -> None:
    bench.classify("192.0.2.2", Classification.FALSE_POSITIVE)
    bench.classify("192.0.2.3", Classification.FALSE_POSITIVE)
    bench.classify("192.0.2.4", Classification.TRUE_POSITIVE)
    found = better_setting(bench.backtesting, GUESSING, since=NOON, until=NOON + 1200)
    assert found is not None
    assert (found.settings, found.false_dropped, found.real_kept) == ({"secrets": 24}, 2, 1)


def test_the_search_proposes_nothing_that_would_lose_a_real_alert(bench: Bench) -> None:
    bench.classify("192.0.2.4", Classification.FALSE_POSITIVE)
    bench.classify("192.0.2.2", Classification.TRUE_POSITIVE)
    assert better_setting(bench.backtesting, GUESSING, since=NOON, until=NOON + 1200) is None
    assert better_setting(bench.backtesting, "volume.endpoint_spray", since=NOON, until=NOON + 1200) is None


def test_what_lies_before_stored_traffic_counts_for_nothing(bench: Bench) -> None:
    found = bench.backtesting.run(GUESSING, {}, since=NOON - 7 * 86_400, until=NOON + 1200)
    assert (found.since, found.stored, found.reproduced) == (NOON + 60, 3, 3)
    assert found.alerts_per_day_before == 3
