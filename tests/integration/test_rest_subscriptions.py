"""Flows subscribe, are told of what is new, and close alerts: as their connectors do it, over REST and real callbacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.connector_servers import SECRET, Answer, LogicApp, Vendor
from tests.integration.test_rest import Client, Rest

from gatewatch.model.alert import AlertStatus, Severity
from gatewatch.model.finding import Finding, FindingStatus
from gatewatch.model.verdict import Classification
from gatewatch.ports.control import Role
from gatewatch.testing.alerts import NOON, alert
from gatewatch.traffic.clickhouse import ClickHouseTraffic

FLOW = "/workflows/abcdef0123456789/triggers/manual?api-version=1&sig=mark3r%2Fs3cret%2Bvalue%3D"
CLOUD_APPS = "/cas/api/v1/ms_flow/"
ALERTS = "/api/v1/alerts/"


class Flows:
    """The application, and a logic app that can subscribe."""

    def __init__(self, directory: Path, traffic: ClickHouseTraffic) -> None:
        self.logic = LogicApp()
        self.server = Vendor(self.logic)
        self.rest = Rest(directory, traffic, callbacks=(self.server.url.removeprefix("http://"),))
        self.client = Client(self.rest.app, {"authorization": f"Token {self.rest.tokens[Role.ANALYST]}"})

    def subscribe(self, path: str = CLOUD_APPS, **more: Any) -> Any:
        return self.client.post(path, json={"callback_url": self.server.url + FLOW, **more})

    def found(self, *numbers: int, **changes: Any) -> None:
        self.rest.control.upsert_alerts([alert(number, **changes) for number in numbers], at=self.rest.clock.now())
        self.rest.correlation.run()

    def told(self) -> list[Any]:
        """What the flow was told by one step."""
        before = len(self.logic.bodies)
        self.rest.telling.step()
        assert self.server.complaints == []
        return self.logic.bodies[before:]

    def close(self) -> None:
        self.rest.close()
        self.server.close()


@pytest.fixture
def flows(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Flows]:
    made = Flows(tmp_path, traffic)
    yield made
    made.close()


def test_a_flow_is_told_of_each_new_alert_once_from_its_subscription_on(flows: Flows) -> None:
    flows.found(1)
    made = flows.subscribe()
    assert (made.status_code, made.headers["location"]) == (201, f"{CLOUD_APPS}{made.json()['id']}")
    flows.found(2, 3)
    assert [body["ProviderAlertId"] for body in flows.told()] == ["a0002", "a0003"]
    flows.rest.clock.time += 60
    flows.found(2, last_seen=NOON + 60, count=99)
    assert flows.told() == [], "it goes on, but it is not new"
    (listed,) = flows.client.get("/v1/subscriptions", headers=bearer(flows)).json()["items"]
    assert (listed["told"], listed["failures"], listed["kind"]) == (2, 0, "alert")
    assert "url" not in str(listed)
    assert SECRET not in str(listed)
    assert flows.client.delete(made.headers["location"]).status_code == 204
    assert flows.client.delete(made.headers["location"]).status_code == 404
    flows.found(4)
    assert flows.told() == []
    actions = [one["action"] for one in admin(flows).get("/v1/activities?subject=subscription").json()["items"]]
    assert actions == ["unsubscribed", "subscribed"]


def bearer(flows: Flows) -> dict[str, str]:
    return {"authorization": f"Bearer {flows.rest.tokens[Role.VIEWER]}"}


def admin(flows: Flows) -> Client:
    return flows.rest.client(Role.ADMIN)


def test_a_flow_that_is_away_is_waited_for_in_order(flows: Flows) -> None:
    flows.subscribe()
    flows.found(1, 2)
    flows.server.faults.extend([Answer(500), Answer(429, None, {"retry-after": "30"})])
    assert flows.told() == []
    assert flows.told() == [], "not before its time"
    flows.rest.clock.time += 2
    assert flows.told() == []
    flows.rest.clock.time += 29
    assert flows.told() == [], "as long as it asked for"
    assert flows.rest.telling.counts().failing == 1
    flows.rest.clock.time += 2
    assert [body["ProviderAlertId"] for body in flows.told()] == ["a0001", "a0002"]
    counts = flows.rest.telling.counts()
    assert (counts.failing, counts.lag, counts.calls["succeeded"]) == (0, 0, 2)


def test_a_message_that_will_never_be_taken_holds_nothing_up(flows: Flows) -> None:
    flows.subscribe()
    flows.found(1, 2)
    flows.server.faults.append(Answer(400))
    assert [body["ProviderAlertId"] for body in flows.told()] == ["a0002"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_flow_that_is_gone_is_given_up(flows: Flows, status: int) -> None:
    flows.subscribe()
    flows.found(1)
    flows.server.faults.append(Answer(status))
    assert flows.told() == []
    assert flows.rest.subscribing.subscriptions() == []


def test_much_at_once_is_told_whole(flows: Flows) -> None:
    flows.subscribe()
    flows.found(*range(50))
    assert len({body["ProviderAlertId"] for body in flows.told()}) == 50


def test_defender_for_cloud_triggers_get_their_own_shapes(flows: Flows) -> None:
    assert flows.subscribe("/Microsoft.Security/Alert/subscribe").status_code == 201
    place = flows.subscribe("/Microsoft.Security/Assessment/subscribe").headers["location"]
    flows.found(1, severity=Severity.HIGH)
    (body,) = flows.told()
    assert (body["SystemAlertId"], body["Severity"], body["Status"]) == ("a0001", "High", "New")
    judged = {"healthy": FindingStatus.HEALTHY, "bad": FindingStatus.UNHEALTHY}
    flows.rest.control.put_findings([finding(name, status) for name, status in judged.items()])
    assert len(flows.told()) == 1, "what is in order is not told"
    flows.rest.control.put_findings([finding("healthy", FindingStatus.UNHEALTHY)])
    assert len(flows.told()) == 1, "it became unhealthy"
    assert flows.client.delete(place).status_code == 204
    assert flows.subscribe("/Microsoft.Security/Other/subscribe").status_code == 422


def finding(name: str, status: FindingStatus) -> Finding:
    return Finding(
        id=name,
        recommendation="authentication",
        title="API endpoints should be authenticated",
        severity=Severity.HIGH,
        status=status,
        cause="No call carried a credential.",
        remediation="Ask for one.",
        endpoint_id=name,
        endpoint=f"GET shop /{name}",
        evaluated_at=NOON,
    )


def test_incidents_in_our_own_words(flows: Flows) -> None:
    url = flows.server.url + FLOW
    made = admin(flows).post("/v1/subscriptions", json={"callback_url": url, "kind": "incident"})
    assert made.status_code == 201
    assert admin(flows).get("/v1/subscriptions?kind=alert").json()["items"] == []
    flows.found(1)
    (body,) = flows.told()
    assert body["Severity"] == "Medium"
    assert admin(flows).delete(f"/v1/subscriptions/{made.json()['id']}").status_code == 204


REFUSED = {
    "a host that nobody allowed": ({"callback_url": "https://evil.example/x?sig=mark3r"}, 422),
    "no address": ({}, 422),
    "a metadata service": ({"callback_url": "http://169.254.169.254/latest"}, 422),
}


@pytest.mark.parametrize("name", REFUSED)
def test_who_can_not_subscribe(flows: Flows, name: str) -> None:
    body, status = REFUSED[name]
    answer = flows.client.post(CLOUD_APPS, json=body)
    assert answer.status_code == status
    assert "mark3r" not in answer.text


def test_a_token_of_another_role_or_none(flows: Flows) -> None:
    for role in (Role.VIEWER, Role.INGEST):
        client = Client(flows.rest.app, {"authorization": f"Token {flows.rest.tokens[role]}"})
        assert client.post(CLOUD_APPS, json={"callback_url": "https://a.logic.azure.com/x"}).status_code == 403
    nobody = Client(flows.rest.app, {"authorization": "Token gw_nonsense"})
    assert nobody.post(CLOUD_APPS, json={}).status_code == 401


def ids(flows: Flows, **asked: Any) -> list[str]:
    answer = flows.client.post(ALERTS, json=asked)
    assert answer.status_code == 200, answer.text
    return [one["_id"] for one in answer.json()["data"]]


def test_alerts_are_closed_with_a_conclusion(flows: Flows) -> None:
    flows.found(1, 2, 3)
    for number, (what, said) in enumerate(CLOSED.items(), 1):
        chosen = {"id": {"eq": [f"a000{number}", "unknown"]}}
        body = {"filters": chosen, "comment": "looked at", "reasonId": 4, "sendFeedback": True}
        answer = flows.client.post(f"{ALERTS}close_{what}/", json=body)
        assert answer.json() == {f"closed_{what}": 1, "alertsNotFound": ["unknown"]}
        found = flows.rest.control.alert(f"a000{number}")
        assert (found.status, found.classification) == (AlertStatus.RESOLVED, said)
    shown = {one["_id"]: one["resolutionStatusValue"] for one in flows.client.get(ALERTS).json()["data"]}
    assert shown == {"a0001": 4, "a0002": 3, "a0003": 5}
    for number, value in ((1, 4), (2, 3), (3, 5)):
        assert ids(flows, filters={"resolutionStatus": {"eq": [value]}}) == [f"a000{number}"]
    comments = admin(flows).get("/v1/alerts/a0001/activities").json()["items"]
    assert [one["text"] for one in comments if one["action"] == "comment"] == ["looked at"]


CLOSED = {
    "benign": Classification.EXPECTED,
    "false_positive": Classification.FALSE_POSITIVE,
    "true_positive": Classification.TRUE_POSITIVE,
}


def test_alerts_are_listed_as_flows_ask(flows: Flows) -> None:
    for number, severity in enumerate((Severity.LOW, Severity.MEDIUM, Severity.HIGH), 1):
        flows.rest.clock.time = NOON + 60 * number
        flows.found(number, severity=severity)
    first = flows.client.post(ALERTS, json={"limit": 2}).json()
    assert ([one["_id"] for one in first["data"]], first["hasNext"], first["total"]) == (["a0003", "a0002"], True, 3)
    assert ids(flows, skip=2, limit=2) == ["a0001"]
    assert ids(flows, sortDirection="asc", limit=1) == ["a0001"]
    assert ids(flows, filters={"severity": {"eq": [2, 0]}}) == ["a0003", "a0001"]
    assert ids(flows, filters={"severity": {"neq": [2]}, "alertOpen": {"eq": True}}) == ["a0002", "a0001"]
    assert ids(flows, filters={"id": {"eq": ["a0002"]}}) == ["a0002"]
    cut = (NOON + 90) * 1000
    assert ids(flows, filters={"date": {"gte": cut}}) == ["a0003", "a0002"]
    assert ids(flows, filters={"date": {"range": [cut, cut + 60_000]}}) == ["a0002"]
    assert ids(flows, filters={"date": {"gte_ndays": 1}}) == []
    given = flows.client.get(ALERTS, params={"filters": '{"severity":{"eq":2}}'}, headers=bearer(flows)).json()
    assert [one["severityValue"] for one in given["data"]] == [2]
    one = flows.client.get(f"{ALERTS}a0001/").json()
    assert (one["_id"], one["statusValue"], one["resolutionStatusValue"]) == ("a0001", 0, 0)


WRONG = {
    "a filter without counterpart": {"entity.file": {"eq": ["x"]}},
    "an operator that is none": {"severity": {"gte": 1}},
    "a number that is none": {"severity": {"eq": [9]}},
    "no operator": {"severity": 1},
    "a date that is none": {"date": {"gte": "yesterday"}},
    "a date's operator that is none": {"date": {"eq": 1}},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_can_not_be_asked_says_so(flows: Flows, name: str) -> None:
    answer = flows.client.post(ALERTS, json={"filters": WRONG[name]})
    assert answer.status_code == 422
    assert answer.json()["code"] == "input"
