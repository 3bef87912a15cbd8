"""The REST application with its real stores, without a process around it."""

from __future__ import annotations

import asyncio
import gzip
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
import zstandard
from fastapi import FastAPI
from starlette.routing import Route

from gatewatch.api.app import ROUTERS, create_app
from gatewatch.api.hardening import MAX_DOCUMENT_BYTES, SECURITY_HEADERS
from gatewatch.api.services import ApiServices
from gatewatch.bootstrap.automation import automation
from gatewatch.bootstrap.casework import desk, rules
from gatewatch.bootstrap.connections import subscribing, telling
from gatewatch.bootstrap.containing import containing
from gatewatch.bootstrap.exporting import exporting
from gatewatch.bootstrap.remediating import remediating
from gatewatch.bootstrap.reviewing import review_desk
from gatewatch.bootstrap.signing import FileSigner
from gatewatch.bootstrap.workers import formats
from gatewatch.config.settings import (
    ApiSettings,
    ConnectionSettings,
    DetectSettings,
    ExportSettings,
    SubscriptionSettings,
)
from gatewatch.connectors.registry import kinds
from gatewatch.connectors.standing import Standing
from gatewatch.journal.dead_letters import FileDeadLetters
from gatewatch.journal.files import FileJournal
from gatewatch.journal.sealing import Seal
from gatewatch.model.alert import AlertStatus
from gatewatch.ports.control import Role
from gatewatch.ports.gateways import Site
from gatewatch.ports.runs import Durable
from gatewatch.respond.guarding import Guardrails
from gatewatch.services.access import Access
from gatewatch.services.catalogue import Catalogue
from gatewatch.services.client_credentials import ClientCredentials
from gatewatch.services.detecting import Detecting, DetectionRun
from gatewatch.services.feeding import DecisionFeed
from gatewatch.services.incidents import Suppressing
from gatewatch.services.ingesting import Ingest
from gatewatch.services.scoring import Scoring
from gatewatch.store.sql import SqlControlStore
from gatewatch.testing.alerts import alert
from gatewatch.testing.gateways import MemoryGateway, MemorySettings
from gatewatch.testing.playbooks import Recorder, RememberingConnectors, RestingRuns, desk_for_tests
from gatewatch.testing.traffic import Call, numbered, store_calls
from gatewatch.traffic.clickhouse import ClickHouseTraffic

NOON = 1_767_268_800.0
LINE = b'{"id":"1"}\n'


class Nothing:
    def current(self) -> tuple[()]:
        return ()

    def ended_since(self, moment: float) -> tuple[()]:
        return ()


class SetClock:
    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> float:
        return self.time


CONNECTIONS = (
    ConnectionSettings(
        name="tickets",
        connector="gitlab",
        url="https://127.0.0.1:1",
        secrets={"token": "env:GW_TEST_TICKETS"},
        options={"project": "1"},
        private_hosts=("127.0.0.1",),
    ),
    ConnectionSettings(name="flow", connector="logic_app", url="env:GW_TEST_FLOW", enabled=False),
)


class Client:
    """Asks the application in this process; every request ends before the next begins."""

    def __init__(self, app: FastAPI, headers: dict[str, str]) -> None:
        self._app, self._headers = app, headers

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return asyncio.run(self._request(method, path, **more))

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://gatewatch.test", headers=self._headers
        ) as client:
            return await client.request(method, path, **more)

    get = partialmethod(request, "GET")
    post = partialmethod(request, "POST")
    put = partialmethod(request, "PUT")
    patch = partialmethod(request, "PATCH")
    delete = partialmethod(request, "DELETE")


class Rest:
    """The application and what stands behind it."""

    def __init__(
        self,
        directory: Path,
        traffic: ClickHouseTraffic,
        durable: Durable | None = None,
        callbacks: tuple[str, ...] = (),
    ) -> None:
        log, clock = structlog.get_logger(), SetClock()
        self.clock = clock
        self.control = SqlControlStore(f"sqlite:///{directory}/control.sqlite")
        self.control.migrate()
        self.traffic = traffic
        self.journal = FileJournal(directory / "journal", bytes(32), max_bytes=1 << 22, segment_bytes=1 << 20)
        letters = FileDeadLetters(directory / "letters", bytes(32), max_bytes=1 << 20)
        self.access = Access(self.control, clock, secrets.token_bytes)
        self.scoring = Scoring(self.control.scores, clock)
        self.catalogue = Catalogue(
            traffic=self.traffic,
            control=self.control,
            clock=clock,
            log=log,
            exceptions=self.control.remediations.unended,
            judged=lambda place, mine: self.scoring.recount(place, keep=mine),
        )
        run = DetectionRun(self.traffic, self.control, log)
        self.gateway = MemoryGateway(MemorySettings(), Site(name="edge", directory=directory, clock=clock))
        self.containment = containing(
            control=self.control,
            traffic=traffic,
            gateways={"edge": self.gateway},
            guardrails=Guardrails(),
            clock=clock,
            log=log,
        )
        parts = desk(self.control.cases, self.traffic, self.catalogue.labelled, clock.now, self.containment.desk)
        self.correlation = parts.correlation
        self.remediation = remediating(
            control=self.control,
            catalogue=self.catalogue,
            traffic=traffic,
            summing=parts.summing,
            guardrails=Guardrails(),
            clock=clock,
            log=log,
        )
        self.playbooks = Recorder()
        self.automation = automation(self.control, parts.summing, self.playbooks, clock, log)
        allowed = SubscriptionSettings(callback_hosts=("*.logic.azure.com",), private_hosts=callbacks)
        self.subscribing = subscribing(allowed, self.control, Seal(bytes(32)), clock)
        self.telling = telling(self.subscribing, self.control, "https://gw.example", clock, log)
        suppressing = Suppressing(self.control, self.control.cases, clock.now)
        self.connectors = RememberingConnectors()
        self.desk = desk_for_tests(
            directory, self.control, self.connectors, clock, log, durable=durable or RestingRuns()
        )
        self.app: FastAPI = create_app(
            ApiServices(
                settings=ApiSettings(max_request_bytes=1 << 20),
                access=self.access,
                clients=ClientCredentials(
                    self.access, clock, bytes(32), tenant_id="tenant", new_id=lambda: secrets.token_hex(8)
                ),
                ingest=Ingest(self.journal, letters, formats(), clock),
                letters=letters,
                ledger=lambda: (),
                catalogue=self.catalogue,
                detecting=Detecting(
                    run=run,
                    traffic=self.traffic,
                    control=self.control,
                    clock=clock,
                    settings=DetectSettings(),
                    log=log,
                ),
                exporting=exporting(ExportSettings(), self.control, clock, log),
                feed=DecisionFeed(Nothing(), Nothing(), clock),
                connections=Standing(CONNECTIONS, kinds()),
                containment=self.containment.desk,
                reconciling=self.containment.reconciling,
                measuring=self.containment.measuring,
                remediation=self.remediation.desk,
                automation=self.automation.desk,
                scoring=self.scoring,
                subscribing=self.subscribing,
                control=self.control,
                cases=self.control.cases,
                casework=parts.casework,
                suppressing=suppressing,
                dossiers=parts.dossiers,
                playbooks=self.desk,
                review_desk=review_desk(
                    cases=self.control.cases,
                    control=self.control,
                    traffic=traffic,
                    dossiers=parts.dossiers,
                    suppressing=suppressing,
                    judge=run.judge,
                    signer=FileSigner(directory / "signing.key"),
                    containments=self.containment.desk,
                    now=clock.now,
                ),
                rules=rules,
                formats=formats(),
                clock=clock,
                log=log,
                metrics=lambda: b"",
                readiness=lambda: {"control_store": self.control.schema_current()},
            )
        )
        self.tokens = {role: self.access.create(role.value, role)[1] for role in Role}

    def client(self, role: Role | None = Role.ADMIN) -> Client:
        headers = {"authorization": f"Bearer {self.tokens[role]}"} if role else {}
        return Client(self.app, headers)

    def close(self) -> None:
        self.journal.close()
        self.control.close()


@pytest.fixture
def rest(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Rest]:
    made = Rest(tmp_path, traffic)
    yield made
    made.close()


def routes() -> list[tuple[str, str]]:
    return [
        (method, route.path.replace("{", "").replace("}", ""))
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    ]


TOKENS = {"/tenant/oauth2/token", "/tenant/oauth2/v2.0/token"}
LINKS = {"/v1/answers", "/v1/answers/seen"}
OPEN = {"/v1/health", "/tenant/v2.0/.well-known/openid-configuration", *TOKENS, *LINKS}
"""Token endpoints and answer links ask for a secret of their own."""
ASKED_BY_POST = {"/api/v1/alerts/"}
"""Lists, as their clients ask for them."""
REFUSED = {"unauthenticated", "InvalidAuthenticationToken"}


def test_no_route_but_health_tokens_and_links_is_open(rest: Rest) -> None:
    client = rest.client(None)
    answers = {(method, path): client.request(method, path) for method, path in routes()}
    assert len(answers) > 20
    assert {path for (_, path), answer in answers.items() if answer.status_code != 401} == OPEN
    for where, answer in answers.items():
        if where[1] not in OPEN:
            assert answer.headers["www-authenticate"] == "Bearer", where
            body = answer.json()
            assert body.get("code", body.get("error", {}).get("code")) in REFUSED, where


def test_an_ingest_token_can_do_nothing_but_send(rest: Rest) -> None:
    client = rest.client(Role.INGEST)
    allowed = {path for method, path in routes() if client.request(method, path, json={}).status_code not in (403, 422)}
    assert allowed | LINKS == {*OPEN, "/v1/ingest"}, "an empty document is refused by the links as well"


def test_a_viewer_changes_nothing(rest: Rest) -> None:
    bodies: dict[str, Any] = {
        "/v1/alerts/alert_id": {"status": "new"},
        "/v1/tokens": {"name": "x", "role": "admin"},
        "/v1/dead-letters/resubmit": {"ids": ["x"]},
        "/v1/dead-letters/drop": {"ids": ["x"]},
    }
    client = rest.client(Role.VIEWER)
    for method, path in routes():
        if method != "GET" and path not in TOKENS | LINKS | ASKED_BY_POST:
            assert client.request(method, path, json=bodies.get(path, {})).status_code == 403, (method, path)


def test_every_answer_carries_the_security_headers_also_faults(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fault() -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(rest.control, "tokens", fault)
    client = rest.client()
    answers = [client.get(path) for path in ("/v1/health", "/v1/nothing", "/v1/alerts?limit=x", "/v1/tokens")]
    assert [answer.status_code for answer in answers] == [200, 404, 422, 500]
    assert "secret words" not in answers[-1].text
    for answer in answers:
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    for answer in answers[1:]:
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_large_document_is_refused_before_it_is_read_also_without_a_token(rest: Rest) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(64):
            sent += 1 << 18
            yield b" " * (1 << 18)

    client = rest.client(None)
    declared = client.patch("/v1/alerts/x", content=b" " * (MAX_DOCUMENT_BYTES + 1))
    chunked = client.patch("/v1/alerts/x", content=endless())
    for answer in (declared, chunked):
        assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert sent <= 2 * MAX_DOCUMENT_BYTES


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", lambda body: body),
    "gzip": ("gzip", gzip.compress),
    "gzip in capitals": ("GZIP", gzip.compress),
    "gzip in two members": ("gzip", lambda body: gzip.compress(body[:1100]) + gzip.compress(body[1100:])),
    "zstd": ("zstd", zstandard.compress),
    "zstd in two frames": ("zstd", lambda body: zstandard.compress(body[:1100]) + zstandard.compress(body[1100:])),
}
LARGE = b'{"id":"' + b"1" * 2_000_000 + b'"}\n'
CUT = {
    "gzip cut off": ("gzip", gzip.compress(os.urandom(5000))[:-9], 422),
    "zstd cut off at its end": ("zstd", zstandard.compress(LINE * 50)[:-3], 422),
    "zstd cut off in the middle": ("zstd", zstandard.compress(os.urandom(400_000))[:200_000], 422),
    "zstd with something behind": ("zstd", zstandard.compress(LINE) + b"behind", 422),
    "zstd that is none": ("zstd", b"not zstd at all", 422),
    "gzip that unpacks to too much": ("gzip", gzip.compress(LARGE), 413),
    "zstd that unpacks to too much": ("zstd", zstandard.compress(LARGE), 413),
    "too much as it is": ("", LARGE, 413),
}


@pytest.mark.parametrize("name", CODINGS)
def test_everything_sent_is_taken(rest: Rest, name: str) -> None:
    coding, pack = CODINGS[name]
    client = rest.client(Role.INGEST)
    answer = client.post("/v1/ingest", content=pack(LINE * 200), headers={"content-encoding": coding})
    assert (answer.status_code, answer.json()) == (202, {"accepted": 200})


@pytest.mark.parametrize("name", CUT)
def test_of_a_body_that_is_not_whole_nothing_is_taken(rest: Rest, name: str) -> None:
    coding, body, status = CUT[name]
    before = rest.journal.used_bytes()
    client = rest.client(Role.INGEST)
    assert client.post("/v1/ingest", content=body, headers={"content-encoding": coding}).status_code == status
    assert rest.journal.used_bytes() == before


def test_lists_have_pages_etags_and_filters(rest: Rest) -> None:
    templates = [f"/api/{name}" for name in ("cards", "orders", "users")]
    store_calls(rest.traffic, numbered(Call(ts=NOON, template=template) for template in templates), token="one")
    rest.catalogue.refresh()
    rest.control.upsert_alerts([alert(n) for n in range(5)])
    client = rest.client(Role.VIEWER)
    for path, total in (("/v1/endpoints", 3), ("/v1/alerts", 5), ("/v1/findings", 6), ("/v1/collections", 1)):
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = client.get(path, params={"limit": 2, "cursor": cursor}).json()
            assert len(answer["items"]) <= 2
            seen += [item["id"] for item in answer["items"]]
            cursor = answer["next"]
        assert len(seen) == len(set(seen)) == total, path
        first = client.get(path)
        again = client.get(path, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), path
        assert client.get(path, params={"cursor": "nonsense"}).status_code == 422, path
        one = client.get(f"{path}/{seen[0]}").json()
        assert one["id"] == seen[0]
    assert [e["template"] for e in client.get("/v1/endpoints?q=user").json()["items"]] == ["/api/users"]
    assert client.get("/v1/endpoints?activity=sometimes").status_code == 422


def test_an_alert_has_exactly_the_members_that_are_promised(rest: Rest) -> None:
    rest.control.upsert_alerts([alert(1)])
    client = rest.client(Role.VIEWER)
    (item,) = client.get("/v1/alerts").json()["items"]
    promised = {"id", "detector", "alert_type", "title", "severity", "tactic", "owasp", "first_seen", "last_seen"}
    promised |= {"detected_at", "actors", "client_ips", "endpoints", "count", "explanation", "evidence"}
    promised |= {"status", "revision", "updated_at", "measures", "incident_id", "links", "classification"}
    assert set(item) == promised | {"determination", "assigned_to", "resolved_at", "suppressed_by"}
    assert item["first_seen"] == "2026-01-01T12:00:01.000Z"
    assert item["actors"] == [{"kind": "subject", "id": "u1"}]


NAMED = {
    "an actor's id": ("actor=u1", 1),
    "an actor as tables and incidents write it": ("actor=subject:u1", 1),
    "another actor": ("actor=subject:u9", 0),
    "an address": ("client_ip=203.0.113.1", 1),
    "another address": ("client_ip=203.0.113.9", 0),
}


@pytest.mark.parametrize("name", NAMED)
def test_alerts_are_found_by_whom_they_name(rest: Rest, name: str) -> None:
    query, found = NAMED[name]
    rest.control.upsert_alerts([alert(1, client_ips=("203.0.113.1",)), alert(2, client_ips=("203.0.113.2",))])
    assert len(rest.client(Role.VIEWER).get(f"/v1/alerts?{query}").json()["items"]) == found


@pytest.mark.parametrize("text", ["203.0.113.0/24", "office", "203.0.113"])
def test_what_is_no_address_is_not_an_address_without_alerts(rest: Rest, text: str) -> None:
    answer = rest.client(Role.VIEWER).get("/v1/alerts", params={"client_ip": text})
    assert (answer.status_code, answer.json()["detail"]) == (422, f"client_ip: `{text}` is no address")


def test_gateways_tell_their_times_as_everything_does(rest: Rest) -> None:
    rest.gateway.away = True
    rest.containment.reconciling.start()
    rest.containment.reconciling.stop()
    (found,) = rest.client(Role.VIEWER).get("/v1/gateways").json()["items"]
    assert found["agreed_at"] is None
    assert (found["last_error_at"], found["failures"]) == ("2026-01-01T12:00:00.000Z", 1)
    assert found["next_attempt_at"] == "2026-01-01T12:00:01.000Z"


IF_MATCH = {
    "the revision that was read": ('"1"', 200),
    "a weak form of it": ('W/"1"', 422),
    "any": ("*", 200),
    "another revision": ('"7"', 412),
    "no revision": ('"abc"', 422),
    "a digit of another script": ('"१"'.encode(), 422),
}


@pytest.mark.parametrize("name", IF_MATCH)
def test_a_change_names_what_it_was_decided_on(rest: Rest, name: str) -> None:
    tag, status = IF_MATCH[name]
    rest.control.upsert_alerts([alert(1)])
    client = rest.client(Role.ANALYST)
    answer = client.patch("/v1/alerts/a0001", json={"status": "resolved"}, headers={"if-match": tag})
    assert answer.status_code == status
    assert (rest.control.alert("a0001").status is AlertStatus.RESOLVED) == (status == 200)


def test_tokens_are_made_shown_once_and_end(rest: Rest) -> None:
    client = rest.client()
    made = client.post("/v1/tokens", json={"name": "n", "role": "viewer", "expires_at": "2026-01-01T12:00:01"})
    assert made.status_code == 201
    text = made.json()["token"]
    assert made.json()["expires_at"] == "2026-01-01T12:00:01.000Z"
    assert text.rpartition("_")[2] not in client.get("/v1/tokens").text
    for end in ("2026-01-01T12:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        refused = client.post("/v1/tokens", json={"name": "n", "role": "viewer", "expires_at": end})
        assert (refused.status_code, refused.json()["code"]) == (422, "input"), end
    admin = rest.tokens[Role.ADMIN].split("_")[1]
    last = client.delete(f"/v1/tokens/{admin}")
    assert (last.status_code, last.json()["code"]) == (409, "conflict")
    assert client.delete(f"/v1/tokens/{made.json()['id']}").status_code == 204
    assert client.get("/v1/tokens").status_code == 200


SETTINGS: dict[str, tuple[dict[str, Any], int]] = {
    "a number in its range": ({"endpoints": 40}, 200),
    "off": ({"enabled": False}, 200),
    "off, but as text": ({"enabled": "false"}, 422),
    "a setting that is not there": ({"nothing": 1}, 422),
    "a number as text": ({"endpoints": "many"}, 422),
    "a number out of range": ({"endpoints": -1}, 422),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_detectors_are_checked(rest: Rest, name: str) -> None:
    values, status = SETTINGS[name]
    client = rest.client()
    detector = client.get("/v1/detectors/volume.endpoint_spray").json()
    number = next(s["name"] for s in detector["settings"] if type(s["value"]) in (int, float))
    sent = {number if key == "endpoints" else key: value for key, value in values.items()}
    answer = client.put("/v1/detectors/volume.endpoint_spray/settings", json=sent)
    assert answer.status_code == status, answer.text
    assert rest.control.detector_settings() == ({"volume.endpoint_spray": sent} if status == 200 else {})


def test_problems_never_repeat_what_was_sent(rest: Rest) -> None:
    client = rest.client()
    for answer in (
        client.get("/v1/alerts?limit=canary-1234"),
        client.post("/v1/tokens", json={"name": "n", "role": "canary-1234"}),
        client.post("/v1/tokens", content=b'{"name": canary-1234'),
        client.get("/v1/alerts", headers={"authorization": "Bearer canary-1234"}),
    ):
        assert answer.status_code >= 400
        assert "canary" not in answer.text


UNKNOWN = {
    "a filter that the list has not": ("GET", "/v1/alerts?incidents=99999"),
    "a filter in the wrong letters": ("GET", "/v1/findings?statsu=open"),
    "a filter of one thing": ("GET", "/v1/detectors/volume.traffic_spike?severity=high"),
    "an order to change something": ("POST", "/v1/incidents/merge?dry_run=true"),
    "a source that is misspelt": ("POST", "/v1/ingest?sorce=mine"),
    "a list that is made whole": ("GET", "/v1/exports?state=failing"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_parameter_that_a_route_does_not_know_is_refused(rest: Rest, name: str) -> None:
    method, path = UNKNOWN[name]
    answer = rest.client(Role.ADMIN).request(method, path)
    problem = answer.json()
    (parameter,) = path.partition("?")[2].partition("=")[::2][:1]
    assert (answer.status_code, problem["code"]) == (422, "unknown-parameter")
    assert problem["errors"] == [{"at": f"query.{parameter}", "message": "is not known here"}]
    assert parameter not in problem["known"]


def test_a_refused_parameter_is_told_with_those_that_there_are(rest: Rest) -> None:
    problem = rest.client(Role.VIEWER).get("/v1/findings?statsu=open").json()
    assert problem["detail"] == "query.statsu is no parameter of this"
    assert problem["cure"].startswith("It has ")
    assert {"status", "severity", "cursor", "limit"} <= set(problem["known"])
    none = rest.client(Role.VIEWER).get("/v1/alerts/a1?full=1").json()
    assert (none["cure"], none["known"]) == ("It has none.", [])


@pytest.mark.parametrize("path", ["/v1/health?probe=1", "/v1/answers?utm_source=mail"])
def test_who_adds_parameters_of_their_own_may(rest: Rest, path: str) -> None:
    assert rest.client(None).get(path).status_code == 200


def test_every_list_of_ours_has_pages(rest: Rest) -> None:
    client = rest.client(Role.VIEWER)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = client.get("/v1/detectors", params={"limit": 4, "cursor": cursor}).json()
        seen += [item["id"] for item in answer["items"]]
        cursor = answer["next"]
    whole = client.get("/v1/detectors").json()
    assert (seen, whole["next"]) == ([item["id"] for item in whole["items"]], None)
    assert len(seen) > 8
    assert client.get("/v1/detectors?cursor=nonsense").status_code == 422
    assert client.get("/v1/detectors?limit=0").status_code == 422


def test_alerts_of_an_incident_are_listed(rest: Rest) -> None:
    rest.control.upsert_alerts([alert(1, incident=7), alert(2)])
    client = rest.client(Role.VIEWER)
    assert [one["incident_id"] for one in client.get("/v1/alerts?incident=7").json()["items"]] == [7]
    assert client.get("/v1/alerts?incident=99999").json()["items"] == []


def test_settings_of_a_detector_that_changed_meanwhile_are_not_replaced(rest: Rest) -> None:
    path, client = "/v1/detectors/volume.traffic_spike", rest.client(Role.ADMIN)
    read = client.get(path).headers["etag"]
    first = client.put(f"{path}/settings", json={"enabled": False}, headers={"if-match": read})
    late = client.put(f"{path}/settings", json={"severity": "high"}, headers={"if-match": read})
    assert (first.status_code, late.status_code, late.json()["code"]) == (200, 412, "precondition-failed")
    assert client.get(path).json()["changed"] == {"enabled": False}
    again = client.put(f"{path}/settings", json={"severity": "high"}, headers={"if-match": first.headers["etag"]})
    assert again.json()["changed"] == {"severity": "high"}
