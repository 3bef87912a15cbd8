"""The inventory in memory follows the traffic store, and the findings follow the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewatch.errors import InputError, NotFoundError
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.inventory import Authentication
from gatewatch.model.observation import Observation
from gatewatch.model.path import PathRecord
from gatewatch.ports.control import FindingFilter
from gatewatch.services.catalogue import Catalogue, EndpointFilter, _page
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.traffic import Call, _path, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
TEMPLATES = [f"/api/{name}" for name in ("cards", "orders", "orders/{int}", "search", "users", "users/{int}")]


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


class CountingControl(SqlControlStore):
    """The real store; remembers how many findings each refresh wrote."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.written: list[int] = []

    def put_findings(self, new: Sequence[Finding]) -> int:
        self.written.append(len(new))
        return super().put_findings(new)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[CountingControl]:
    store = CountingControl(f"sqlite:///{tmp_path}/control.sqlite")
    store.migrate()
    yield store
    store.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def catalogue(traffic: ClickHouseTraffic, control: CountingControl, clock: SetClock) -> Catalogue:
    return Catalogue(traffic=traffic, control=control, clock=clock, log=structlog.get_logger())


def calls(user: str, *templates: str, at: float = NOON) -> list[Call]:
    return [Call(ts=at, user=user, template=template) for template in templates]


def merge(seen: Observation, into: Observation) -> PathRecord:
    target = _path(into)
    return msgspec.structs.replace(_path(seen), endpoint_id=target.endpoint_id, template=target.template, version=2)


def walk(catalogue: Catalogue, where: EndpointFilter, limit: int) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while True:
        items, cursor = catalogue.endpoints(where, after=cursor, limit=limit)
        seen += [endpoint.template for endpoint in items]
        if not cursor:
            return seen


def test_pages_give_every_endpoint_once(catalogue: Catalogue, traffic: ClickHouseTraffic) -> None:
    store_calls(traffic, numbered(calls("ann", *TEMPLATES)), token="one")
    catalogue.refresh()
    for limit in (1, 2, 6, 50):
        assert walk(catalogue, EndpointFilter(), limit) == TEMPLATES
    assert walk(catalogue, EndpointFilter(text="ORDERS"), 1) == ["/api/orders", "/api/orders/{int}"]
    assert walk(catalogue, EndpointFilter(method="post"), 1) == []
    (collection,), following = catalogue.collections()
    assert (collection.base_path, collection.endpoints, following) == ("/api", 6, "")
    assert catalogue.collection(collection.id) == collection
    for action in (catalogue.endpoint, catalogue.collection, catalogue.fields):
        with pytest.raises(NotFoundError):
            action("nothing")


def test_a_cursor_holds_its_place_when_its_endpoint_is_gone(catalogue: Catalogue, traffic: ClickHouseTraffic) -> None:
    observations = numbered(calls("ann", *TEMPLATES))
    store_calls(traffic, observations, token="one")
    catalogue.refresh()
    items, cursor = catalogue.endpoints(EndpointFilter(), limit=2)
    merged = merge(observations[1], observations[2])
    traffic.put_paths([merged])
    catalogue.refresh()
    rest, _ = catalogue.endpoints(EndpointFilter(), after=cursor)
    assert [e.template for e in [*items, *rest]][2:] == TEMPLATES[2:]
    with pytest.raises(InputError):
        catalogue.endpoints(EndpointFilter(), after="nonsense")


def test_findings_of_merged_endpoints_go(
    catalogue: Catalogue, traffic: ClickHouseTraffic, control: CountingControl
) -> None:
    observations = numbered(calls("", "/api/users/{slug}", "/api/users/alice"))
    store_calls(traffic, observations, token="one")
    catalogue.refresh()
    assert len(control.findings(FindingFilter(status=(FindingStatus.UNHEALTHY,)))[0]) == 2
    merged = merge(observations[1], observations[0])
    traffic.put_paths([merged])
    catalogue.refresh()
    (left,) = control.findings(FindingFilter(status=(FindingStatus.UNHEALTHY,)))[0]
    assert left.endpoint.endswith("/api/users/{slug}")


def test_findings_of_an_earlier_run_go(
    catalogue: Catalogue, traffic: ClickHouseTraffic, control: CountingControl
) -> None:
    from tests.contract.test_control_store import finding

    control.put_findings([finding(1)])
    store_calls(traffic, numbered(calls("ann", "/api/users")), token="one")
    catalogue.refresh()
    assert "f0001" not in {found.id for found in control.findings(FindingFilter())[0]}


def test_a_status_that_turns_is_written_at_once_and_moving_numbers_are_not(
    catalogue: Catalogue, traffic: ClickHouseTraffic, control: CountingControl, clock: SetClock
) -> None:
    store_calls(traffic, numbered(calls("ann", "/api/users")), token="one")
    catalogue.refresh()
    store_calls(traffic, numbered(calls("ann", "/api/users"), first=1), token="two")
    catalogue.refresh()
    assert control.written == [2]
    store_calls(traffic, numbered(calls("", "/api/users"), first=2), token="three")
    catalogue.refresh()
    assert control.written == [2, 1]
    (endpoint,), _ = catalogue.endpoints(EndpointFilter())
    assert endpoint.authentication is Authentication.UNAUTHENTICATED
    clock.time += 301
    store_calls(traffic, numbered(calls("", "/api/users"), first=3), token="four")
    catalogue.refresh()
    assert control.written == [2, 1, 1]


def test_an_endpoint_ages_without_any_traffic(
    catalogue: Catalogue, traffic: ClickHouseTraffic, control: CountingControl, clock: SetClock
) -> None:
    store_calls(traffic, numbered(calls("ann", "/api/users")), token="one")
    catalogue.refresh()
    clock.time += 31 * 86_400
    catalogue.refresh()
    unhealthy, _ = control.findings(FindingFilter(status=(FindingStatus.UNHEALTHY,)))
    assert [found.recommendation for found in unhealthy] == ["endpoint_unused"]


@given(st.sets(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=20), st.integers(1, 7), st.integers(2, 3))
@settings(deadline=None, max_examples=60)
def test_pages_of_anything_are_the_whole_list_cut(places: set[tuple[str, str]], limit: int, every: int) -> None:
    items = sorted(places)
    wanted = [item for index, item in enumerate(items) if index % every]
    seen: list[tuple[str, str]] = []
    cursor = ""
    while True:
        page, cursor = _page(items, lambda item: item, cursor, limit, lambda item: item in wanted)
        seen += page
        assert len(page) <= limit
        if not cursor:
            break
    assert seen == wanted
