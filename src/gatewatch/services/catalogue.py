"""The inventory as it stands, kept in memory so that lists are quick, refreshed from the store."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from gatewatch.errors import NotFoundError
from gatewatch.inventory.collections import base_path, collect, collection_id
from gatewatch.inventory.judging import judge_endpoint
from gatewatch.model.finding import Finding
from gatewatch.model.inventory import Collection, Endpoint, FieldFact
from gatewatch.model.remediation import RemediationException
from gatewatch.ports.clock import Clock
from gatewatch.ports.control import ControlStore
from gatewatch.ports.cursors import read_cursor, write_cursor
from gatewatch.ports.leases import ALWAYS, Turn
from gatewatch.ports.traffic import TrafficStore
from gatewatch.posture.recommendation import all_recommendations, judge
from gatewatch.respond.remediating import exempted
from gatewatch.services.repeating import Repeating
from gatewatch.telemetry.logs import Log

__all__ = ["Catalogue", "EndpointFilter", "read_inventory"]

T = TypeVar("T")
_PAGE = 5000
_REFRESH_S = 5.0
_CAUSE_S = 300.0
"""How old the numbers in a finding's cause may be while its status stays: they move with every call."""


class EndpointFilter(msgspec.Struct, frozen=True, kw_only=True):
    """All given conditions must hold."""

    method: str = ""
    host: str = ""
    collection_id: str = ""
    activity: str = ""
    authentication: str = ""
    information_type: str = ""
    text: str = ""

    def admits(self, endpoint: Endpoint) -> bool:
        """Whether an endpoint fits."""
        return (
            (not self.method or endpoint.method == self.method.upper())
            and (not self.host or endpoint.host == self.host)
            and (not self.collection_id or endpoint.collection_id == self.collection_id)
            and (not self.activity or endpoint.activity.value == self.activity)
            and (not self.authentication or endpoint.authentication.value == self.authentication)
            and (not self.information_type or any(f.type == self.information_type for f in endpoint.information_types))
            and (
                not self.text or self.text.lower() in f"{endpoint.host}{endpoint.template} {endpoint.operation}".lower()
            )
        )


def read_inventory(store: TrafficStore, now: float) -> tuple[list[Endpoint], list[Collection]]:
    """Endpoints (by host, template, method) and collections at a moment."""
    endpoints: list[Endpoint] = []
    sources: dict[str, tuple[str, ...]] = {}
    after = 0
    while True:
        facts = store.endpoint_facts(after=after, limit=_PAGE)
        if not facts:
            break
        information = store.information_facts([fact.endpoint_id for fact in facts])
        for fact in facts:
            collection = collection_id(fact.host, base_path(fact.template))
            endpoint = judge_endpoint(fact, information.get(fact.endpoint_id, ()), collection_id=collection, now=now)
            endpoints.append(endpoint)
            sources[endpoint.id] = fact.sources
        after = facts[-1].endpoint_id
    endpoints.sort(key=_place)
    return endpoints, collect(endpoints, sources)


class Catalogue:
    """Reads are instant; a thread refreshes every few seconds and keeps the findings in step."""

    def __init__(
        self,
        *,
        traffic: TrafficStore,
        control: ControlStore,
        clock: Clock,
        log: Log,
        turn: Turn = ALWAYS,
        exceptions: Callable[[], Sequence[RemediationException]] = tuple,
        judged: Callable[[Mapping[str, str], bool], object] = lambda _place, _mine: None,
    ) -> None:
        """Empty until the first refresh; findings are written in this server's turn only.

        `exceptions` are those that may hold; the clock says which do.

        `judged` hears (endpoint id -> collection id, whether it was this server's turn) when findings may have moved.
        """
        self._traffic, self._control, self._clock = traffic, control, clock
        self._findings_turn, self._term, self._judged = turn, 0, judged
        self._endpoints: list[Endpoint] = []
        self._by_id: dict[str, Endpoint] = {}
        self._by_label: dict[str, Endpoint] = {}
        self._collections: list[Collection] = []
        self._written: dict[str, Finding] = {}
        self._unjudged, self._judged_at = False, 0.0
        self._exceptions, self._excepted = exceptions, list[RemediationException]()
        self._turn = threading.Lock()
        self._refreshes = Repeating("catalogue", self.refresh, _REFRESH_S, log)
        self.version = 0
        """Counts refreshes that changed something; the lists' ETag."""

    def start(self) -> None:
        """Begin refreshing."""
        self._refreshes.start()

    def stop(self) -> None:
        """End after the refresh under way."""
        self._refreshes.stop()

    @property
    def failing(self) -> str:
        """Why the last refresh failed; shown by readiness."""
        return self._refreshes.failing

    def refresh(self) -> None:
        """Read everything anew and judge the recommendations."""
        with self._turn:
            now = self._clock.now()
            endpoints, collections = read_inventory(self._traffic, now)
            if endpoints != self._endpoints or collections != self._collections:
                self._by_id = {endpoint.id: endpoint for endpoint in endpoints}
                self._by_label = {f"{one.method} {one.host} {one.template}": one for one in endpoints}
                self._endpoints, self._collections = endpoints, collections
                self.version += 1
                self._unjudged = True
            excepted = [one for one in self._exceptions() if one.in_force(now)]
            if excepted != self._excepted:
                self._excepted, self._unjudged = excepted, True
            self._judge(endpoints, now)

    def _collection_of(self, endpoint_id: str) -> str:
        return self._by_id[endpoint_id].collection_id

    def _judge(self, endpoints: Sequence[Endpoint], now: float) -> None:
        turn, late = self._findings_turn, now - self._judged_at >= _CAUSE_S
        mine = turn.mine()
        if mine and turn.term != self._term:
            # Another server wrote meanwhile: what this one remembers is not what is stored.
            self._term, self._written, self._unjudged = turn.term, {}, True
        if not (late or (mine and self._unjudged)):
            return
        found = exempted(judge(endpoints, all_recommendations(), now), self._excepted, self._collection_of, now)
        moved = mine and self._keep_findings(found)
        if moved or late:
            self._judged({endpoint.id: endpoint.collection_id for endpoint in endpoints}, mine)
        self._unjudged, self._judged_at = self._unjudged and not mine, now

    def _keep_findings(self, judged: Sequence[Finding]) -> bool:
        """Write only what moved: every call changes some cause, and 200,000 findings take the store seconds."""
        due = [finding for finding in judged if _is_due(self._written.get(finding.id), finding)]
        written = self._control.put_findings(due) if due else 0
        current = {finding.id: finding for finding in judged}
        if not self._written or self._written.keys() - current.keys():
            # Merged into a template, or out of retention; also what was left by an earlier run of the server.
            written += self._control.forget_findings({finding.endpoint_id for finding in judged})
        kept = {finding.id: self._written.get(finding.id, finding) for finding in judged}
        self._written = kept | {finding.id: finding for finding in due}
        return written > 0

    def endpoints(self, where: EndpointFilter, *, after: str = "", limit: int = 50) -> tuple[list[Endpoint], str]:
        """One page by host, template, method; (items, cursor). Raises InputError for a cursor of another list."""
        return _page(self._endpoints, _place, after, limit, where.admits)

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """One endpoint. Raises NotFoundError."""
        found = self._by_id.get(endpoint_id)
        if found is None:
            raise NotFoundError(f"no endpoint {endpoint_id}")
        return found

    def knows(self, endpoint_id: str) -> bool:
        """Whether the inventory has this endpoint."""
        return endpoint_id in self._by_id

    def labelled(self, labels: Iterable[str]) -> dict[str, Endpoint]:
        """Known endpoints among labels `METHOD host template`, as alerts name them."""
        return {label: self._by_label[label] for label in labels if label in self._by_label}

    def fields(self, endpoint_id: str) -> list[FieldFact]:
        """Fields of one endpoint. Raises NotFoundError."""
        return self._traffic.field_facts([int(self.endpoint(endpoint_id).id, 16)])

    def collections(self, *, after: str = "", limit: int = 50) -> tuple[list[Collection], str]:
        """One page by name."""
        return _page(self._collections, lambda collection: (collection.name,), after, limit)

    def collection(self, wanted: str) -> Collection:
        """One collection. Raises NotFoundError."""
        for collection in self._collections:
            if collection.id == wanted:
                return collection
        raise NotFoundError(f"no collection {wanted}")


def _place(endpoint: Endpoint) -> tuple[str, ...]:
    return endpoint.host, endpoint.template, endpoint.method, endpoint.operation


def _is_due(written: Finding | None, judged: Finding) -> bool:
    if written is None or (written.status, written.exception) != (judged.status, judged.exception):
        return True
    return written.cause != judged.cause and judged.evaluated_at - written.evaluated_at >= _CAUSE_S


def _page(
    items: Sequence[T],
    place: Callable[[T], tuple[str, ...]],
    cursor: str,
    limit: int,
    admits: Callable[[T], bool] = lambda _: True,
) -> tuple[list[T], str]:
    """Items after the cursor's place, which need not be there any more: templates merge while people read."""
    start = 0
    if items and cursor:
        after = read_cursor(cursor, (str,) * len(place(items[0])))
        start = bisect_right(items, after, key=place)
    shown: list[T] = []
    for index in range(start, len(items)):
        if admits(items[index]):
            if len(shown) == limit:
                return shown, write_cursor(*place(shown[-1]))
            shown.append(items[index])
    return shown, ""
