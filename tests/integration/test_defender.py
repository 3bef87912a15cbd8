"""The compatibility routes by plain HTTP: tokens, the legacy API, what XSOAR, Elastic and Splunk send, errors, limits."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.integration.test_rest import Client, Rest

from gatewatch.model.alert import Alert, AlertStatus, Severity
from gatewatch.model.incident import IncidentStatus
from gatewatch.model.observation import Actor, ActorKind
from gatewatch.ports.control import Role
from gatewatch.services.incidents.patches import IncidentPatch
from gatewatch.testing.alerts import NOON, alert
from gatewatch.traffic.clickhouse import ClickHouseTraffic

GRAPH = "/v1.0/security"
V1, V2 = "/contoso/oauth2/token", "/organizations/oauth2/v2.0/token"


@pytest.fixture
def rest(tmp_path: Path, traffic: ClickHouseTraffic) -> Iterator[Rest]:
    made = Rest(tmp_path, traffic)
    yield made
    made.close()


def apart(number: int, **changes: Any) -> Alert:
    """An alert that is an incident of its own."""
    made: dict[str, Any] = {
        "actors": (Actor(ActorKind.SUBJECT, f"person{number}"),),
        "client_ips": (f"198.51.{number % 250}.{number // 250}",),
        "endpoints": (f"GET shop /p{number}",),
        "alert_type": f"T{number}",
    }
    return alert(number, **made | changes)


def fill(rest: Rest, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        rest.clock.time = NOON + 60 * number
        rest.control.upsert_alerts([apart(number)], at=rest.clock.time)
        rest.correlation.run()


def form(rest: Rest, role: Role = Role.ANALYST, **changes: str) -> dict[str, str]:
    _, client_id, secret = rest.tokens[role].split("_")
    return {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **changes}


def bearer(rest: Rest, role: Role = Role.ANALYST) -> Client:
    answer = rest.client(None).post(V1, data=form(rest, role, resource="https://api.security.microsoft.com"))
    assert answer.status_code == 200, answer.text
    return Client(rest.app, {"authorization": f"Bearer {answer.json()['access_token']}"})


def claims(text: str) -> dict[str, Any]:
    part = text.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


# Tokens


def test_both_token_endpoints_answer_as_microsofts_do(rest: Rest) -> None:
    client = rest.client(None)
    first = client.post(V1, data=form(rest, resource="https://api.security.microsoft.com")).json()
    assert set(first) == {
        "token_type",
        "expires_in",
        "ext_expires_in",
        "expires_on",
        "not_before",
        "resource",
        "access_token",
    }
    assert (first["token_type"], first["expires_in"]) == ("Bearer", "3600")
    scope = "offline_access https://security.microsoft.com/mtp/.default"
    second = client.post(V2, data=form(rest, scope=scope)).json()
    assert set(second) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert second["expires_in"] == 3600
    said = claims(second["access_token"])
    assert (said["aud"], said["tid"]) == ("https://security.microsoft.com/mtp", "organizations")
    assert "Incident.ReadWrite.All" in said["roles"]
    assert claims(client.post(V1, data=form(rest, Role.VIEWER)).json()["access_token"])["roles"] == [
        "Incident.Read.All",
        "SecurityIncident.Read.All",
        "SecurityAlert.Read.All",
    ]


WRONG_FORMS: dict[str, tuple[str, dict[str, str | None], int, str]] = {
    "another grant": (V2, {"grant_type": "password", "scope": "x"}, 400, "unsupported_grant_type"),
    "no grant": (V2, {"grant_type": None, "scope": "x"}, 400, "invalid_request"),
    "no secret": (V1, {"client_secret": None}, 400, "invalid_request"),
    "no scope": (V2, {}, 400, "invalid_request"),
    "another secret": (V1, {"client_secret": "0" * 64}, 401, "invalid_client"),
    "another client": (V1, {"client_id": "0" * 12}, 401, "invalid_client"),
    "a client that is none": (V1, {"client_id": "x"}, 401, "invalid_client"),
    "nothing at all": (V1, dict.fromkeys(("grant_type", "client_id", "client_secret")), 400, "invalid_request"),
}


@pytest.mark.parametrize("name", WRONG_FORMS)
def test_a_token_request_that_is_wrong_gets_oauths_error(rest: Rest, name: str) -> None:
    path, changes, status, code = WRONG_FORMS[name]
    sent = {key: value for key, value in {**form(rest), **changes}.items() if value is not None}
    answer = rest.client(None).post(path, data=sent)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert set(answer.json()) == {"error", "error_description", "timestamp", "trace_id", "correlation_id"}
    assert not sent.get("client_secret") or sent["client_secret"] not in answer.text


def test_a_body_that_is_no_form_is_refused(rest: Rest) -> None:
    for body in (b"\xff=1", b"&".join(b"a=%d" % n for n in range(99)), b"grant_type=a&grant_type=b"):
        assert rest.client(None).post(V1, content=body).json()["error"] == "invalid_request"


def test_wrong_secrets_are_slowed_down_for_their_client_alone(rest: Rest) -> None:
    client = rest.client(None)
    answers = [client.post(V1, data=form(rest, client_secret="0" * 64)) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert client.post(V1, data=form(rest)).status_code == 429
    assert client.post(V1, data=form(rest, Role.VIEWER)).status_code == 200
    rest.clock.time += 61
    assert client.post(V1, data=form(rest)).status_code == 200


def test_a_token_ends_with_its_time_and_with_what_it_stands_for(rest: Rest) -> None:
    client, writer = bearer(rest, Role.VIEWER), bearer(rest)
    assert client.get("/api/incidents").status_code == 200
    rest.access.revoke(rest.tokens[Role.VIEWER].split("_")[1])
    refused = client.get("/api/incidents")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    rest.clock.time += 3599
    assert writer.get("/api/incidents").status_code == 200
    rest.clock.time += 2
    assert writer.get("/api/incidents").status_code == 401


def test_no_other_token_is_taken(rest: Rest) -> None:
    good = rest.client(None).post(V1, data=form(rest)).json()["access_token"]
    head, body, signature = good.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    array = base64.urlsafe_b64encode(b"[]").decode().rstrip("=")
    for text in (
        "",
        "x",
        f"{head}.{body}.",
        f"{none}.{body}.",
        f"{none}.{body}.{signature}",
        f"{array}.{body}.{signature}",
        f"{head}.{array}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        good + "x" * 5000,
    ):
        answer = Client(rest.app, {"authorization": f"Bearer {text}"}).get("/api/incidents")
        assert answer.status_code == 401, text
        assert answer.json()["error"]["code"] == "InvalidAuthenticationToken"
    assert Client(rest.app, {"authorization": f"Bearer {good}"}).get("/v1/incidents").status_code == 401
    assert Client(rest.app, {"authorization": f"Bearer {rest.tokens[Role.VIEWER]}"}).get("/api/incidents").is_success


# The legacy API

INCIDENT_KEYS = (
    "incidentId redirectIncidentId incidentName createdTime lastUpdateTime assignedTo classification determination"
    " detectionSource status severity tags comments alerts"
)
ALERT_KEYS = (
    "alertId incidentId serviceSource creationTime lastUpdatedTime resolvedTime firstActivity lastActivity title"
    " description category status severity investigationId investigationState classification determination"
    " detectionSource assignedTo actorName threatFamilyName mitreTechniques devices entities"
)
ENTITY_KEYS = (
    "entityType sha1 sha256 fileName filePath processId processCommandLine processCreationTime parentProcessId"
    " parentProcessCreationTime ipAddress url accountName domainName userSid aadUserId userPrincipalName"
    " mailboxDisplayName mailboxAddress clusterBy sender recipient subject deliveryAction securityGroupId"
    " securityGroupName registryHive registryKey registryValueType registryValue deviceId"
)


def test_the_legacy_list_has_every_key_and_the_newest_first(rest: Rest) -> None:
    fill(rest, 3)
    body = bearer(rest, Role.VIEWER).get("/api/incidents").json()
    assert set(body) == {"@odata.context", "value"}
    assert body["@odata.context"] == "https://api.security.microsoft.com/api/$metadata#Incidents"
    assert [one["incidentId"] for one in body["value"]] == [3, 2, 1]
    for one in body["value"]:
        assert set(one) == set(INCIDENT_KEYS.split())
        for shown in one["alerts"]:
            assert set(shown) == set(ALERT_KEYS.split())
            assert all(set(entity) == set(ENTITY_KEYS.split()) for entity in shown["entities"])
    first = body["value"][-1]
    assert (first["status"], first["severity"], first["determination"]) == ("Active", "Medium", "NotAvailable")
    assert first["createdTime"] == "2026-01-01T12:00:00.000000Z"
    assert {entity["entityType"] for entity in first["alerts"][0]["entities"]} == {"Ip", "User", "Url"}


LEGACY_FILTERS: dict[str, tuple[str, list[int]]] = {
    "status": ("status eq 'Active'", [4, 3, 1]),
    "another status": ("status ne 'Active'", [2]),
    "XSOAR's": (
        "status eq 'Active' and assignedTo eq 'ann@shop.test' and createdTime gt 2026-01-01T11:00:00.0000000Z",
        [3],
    ),
    "Splunk's": ("lastUpdateTime gt 2026-01-01T12:01:30Z", [4, 3, 2]),
    "of nobody": ("assignedTo eq null", [4, 2, 1]),
    "either of two": ("assignedTo eq 'ann@shop.test' or createdTime lt 2026-01-01T12:01:00Z", [3, 1]),
    "a time in quotes": ("createdTime ge '2026-01-01T12:03:00Z'", [4]),
    "a time with an offset": ("createdTime ge 2026-01-01T13:03:00+01:00", [4]),
}


@pytest.mark.parametrize("name", LEGACY_FILTERS)
def test_legacy_filters(rest: Rest, name: str) -> None:
    text, expected = LEGACY_FILTERS[name]
    fill(rest, 4)
    parts = rest.app.state.services.casework
    parts.change_incident(3, IncidentPatch(assigned_to="ann@shop.test"), by="x")
    parts.change_incident(2, IncidentPatch(status=IncidentStatus.RESOLVED), by="x")
    answer = bearer(rest, Role.VIEWER).get("/api/incidents", params={"$filter": text})
    assert answer.status_code == 200, answer.text
    assert [one["incidentId"] for one in answer.json()["value"]] == expected


LEGACY_REFUSED = {
    "too many": {"$top": "101"},
    "none": {"$top": "0"},
    "no number": {"$top": "many"},
    "back": {"$skip": "-1"},
    "a filter by severity": {"$filter": "severity eq 'High'"},
    "an unknown status": {"$filter": "status eq 'Sleeping'"},
    "no filter": {"$filter": "status eq"},
    "a comparison that makes no sense": {"$filter": "status gt 'Active'"},
    "a time that is none": {"$filter": "createdTime gt 2026-02-31T00:00:00Z"},
}


@pytest.mark.parametrize("name", LEGACY_REFUSED)
def test_a_legacy_query_that_is_wrong_is_a_bad_request(rest: Rest, name: str) -> None:
    answer = bearer(rest, Role.VIEWER).get("/api/incidents", params=LEGACY_REFUSED[name])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert set(answer.json()["error"]) == {"code", "message", "target"}


def test_a_legacy_incident_that_is_not_there(rest: Rest) -> None:
    client = bearer(rest)
    for number in ("99", "abc", "-1", "9" * 30, "1.5"):
        for answer in (client.get(f"/api/incidents/{number}"), client.patch(f"/api/incidents/{number}", json={})):
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "ResourceNotFound"), number
            assert answer.headers["request-id"] == answer.json()["error"]["target"]


def test_a_legacy_patch_changes_and_comments(rest: Rest) -> None:
    fill(rest, 1)
    change = {
        "status": "Resolved",
        "assignedTo": "ann@shop.test",
        "classification": "FalsePositive",
        "determination": "NoEnoughDataToValidate",
        "tags": ["vip"],
        "comment": "Not enough to go on.",
    }
    body = bearer(rest).patch("/api/incidents/1", json=change).json()
    assert {name: body[name] for name in change if name != "comment"} == {
        name: value for name, value in change.items() if name != "comment"
    }
    assert [(one["comment"], one["createdBy"]) for one in body["comments"]] == [("Not enough to go on.", "analyst")]
    assert body["alerts"][0]["status"] == "Resolved"
    assert body["alerts"][0]["resolvedTime"] == "2026-01-01T12:00:00.000000Z"
    again = bearer(rest).patch("/api/incidents/1", json={"assignedTo": None, "status": "Active"}).json()
    assert (again["assignedTo"], again["status"]) == (None, "Active")


DETERMINATIONS = {
    "TruePositive": (
        "MultiStagedAttack",
        "MaliciousUserActivity",
        "CompromisedAccount",
        "Malware",
        "Phishing",
        "UnwantedSoftware",
        "Other",
    ),
    "InformationalExpectedActivity": (
        "SecurityTesting",
        "LineOfBusinessApplication",
        "ConfirmedActivity",
        "Other",
    ),
    "FalsePositive": ("Clean", "NoEnoughDataToValidate", "Other"),
}


@pytest.mark.parametrize("classification", DETERMINATIONS)
def test_every_determination_of_a_classification_is_kept(rest: Rest, classification: str) -> None:
    fill(rest, 1)
    client = bearer(rest)
    for determination in DETERMINATIONS[classification]:
        sent = {"classification": classification, "determination": determination}
        body = client.patch("/api/incidents/1", json=sent).json()
        assert {name: body[name] for name in sent} == sent


LEGACY_CHANGES_REFUSED: dict[str, dict[str, Any]] = {
    "an unknown status": {"status": "Sleeping"},
    "a status that only merging gives": {"status": "Redirected"},
    "an unknown classification": {"classification": "Maybe"},
    "a determination of another classification": {"classification": "FalsePositive", "determination": "Phishing"},
    "a determination that was withdrawn": {"classification": "TruePositive", "determination": "Apt"},
    "what can't be changed": {"severity": "High"},
    "tags that are none": {"tags": "vip"},
}


@pytest.mark.parametrize("name", LEGACY_CHANGES_REFUSED)
def test_a_legacy_change_that_can_not_be_changes_nothing(rest: Rest, name: str) -> None:
    fill(rest, 1)
    before = rest.control.cases.incident(1)
    answer = bearer(rest).patch("/api/incidents/1", json=LEGACY_CHANGES_REFUSED[name])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest"), answer.text
    assert rest.control.cases.incident(1) == before


LIMITS = {
    "list": ("GET", "/api/incidents", 50),
    "get": ("GET", "/api/incidents/1", 100),
    "patch": ("PATCH", "/api/incidents/1", 50),
}


@pytest.mark.parametrize("name", LIMITS)
def test_the_legacy_limits_count_per_client_and_say_when(rest: Rest, name: str) -> None:
    method, path, most = LIMITS[name]
    fill(rest, 1)
    client, other = bearer(rest), bearer(rest, Role.ADMIN)
    answers = [client.request(method, path, json={}) for _ in range(most + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {200}
    last = answers[-1]
    assert (last.status_code, last.json()["error"]["code"]) == (429, "TooManyRequests")
    wait = int(last.headers["retry-after"])
    assert 0 < wait <= 60
    assert f"{wait} seconds" in last.json()["error"]["message"]
    assert other.request(method, path, json={}).status_code == 200
    rest.clock.time += wait
    assert client.request(method, path, json={}).status_code == 200


# Graph


def test_elastics_calls_page_by_skip(rest: Rest) -> None:
    fill(rest, 7)
    client = bearer(rest)
    for path, more in (("incidents", {"$expand": "alerts"}), ("alerts_v2", {})):
        seen: list[str] = []
        while True:
            answer = client.get(
                f"{GRAPH}/{path}",
                params={
                    "$top": "3",
                    "$skip": str(len(seen)),
                    "$filter": "lastUpdateDateTime ge 2026-01-01T12:01:00.000Z",
                    "$orderby": "lastUpdateDateTime asc",
                    **more,
                },
                headers={"prefer": "include-unknown-enum-members"},
            )
            page = answer.json()["value"]
            seen += [one["id"] for one in page]
            if len(page) < 3:
                break
        assert len(seen) == len(set(seen)) == 6, path
        assert answer.headers["ratelimit-limit"] == "1200"


def test_pages_by_next_links_lose_and_repeat_nothing_while_alerts_come(rest: Rest) -> None:
    fill(rest, 6)
    client = rest.client(Role.VIEWER)
    url, seen = f"{GRAPH}/alerts_v2?$top=2&$select=id&$filter=severity eq 'medium'", list[str]()
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.text)
        body = answer.json()
        seen += [one["id"] for one in body["value"]]
        fill(rest, 1, start=100 + len(seen))
        url = body.get("@odata.nextLink", "")
        assert not url or url.startswith("http://gatewatch.test/v1.0/security/alerts_v2?")
    assert seen == [f"dca000{number}" for number in reversed(range(6))]


def test_the_link_goes_back_to_where_the_request_came_from(rest: Rest) -> None:
    fill(rest, 2)
    answer = bearer(rest).get(f"{GRAPH}/incidents?$top=1&$count=true", headers={"host": "siem.example:8443"})
    link = urlsplit(answer.json()["@odata.nextLink"])
    assert (link.netloc, link.path) == ("siem.example:8443", f"{GRAPH}/incidents")
    assert link.query.startswith("$top=1&$count=true&$skiptoken=")
    assert answer.json()["@odata.count"] == 2


def test_an_expanded_incident_links_to_the_alerts_that_were_left_out(rest: Rest) -> None:
    rest.control.upsert_alerts([apart(n, actors=apart(0).actors) for n in range(130)], at=NOON)
    rest.correlation.run()
    client = bearer(rest)
    (incident,) = client.get(f"{GRAPH}/incidents?$expand=alerts").json()["value"]
    rest_of_it = client.get(incident["alerts@odata.nextLink"]).json()
    ids = [one["id"] for one in incident["alerts"] + rest_of_it["value"]]
    assert (len(incident["alerts"]), len(ids), len(set(ids))) == (100, 130, 130)
    assert client.get(f"{GRAPH}/incidents/{incident['id']}/alerts/$count").text == "130"


GRAPH_REFUSED = {
    "an unknown option": {"$apply": "aggregate($count as n)"},
    "a search": {"$search": "x"},
    "an unknown property": {"$filter": "displayName eq 'x'"},
    "an unknown value": {"$filter": "status eq 'sleeping'"},
    "two orders": {"$orderby": "createdDateTime,severity"},
    "an unknown order": {"$orderby": "displayName"},
    "an unknown direction": {"$orderby": "createdDateTime up"},
    "too many": {"$top": "1001"},
    "too far": {"$skip": "100001"},
    "an unknown property to select": {"$select": "id,nothing"},
    "a token of another list": {"$skiptoken": "nonsense"},
}


@pytest.mark.parametrize("name", GRAPH_REFUSED)
def test_a_graph_query_that_is_wrong_gets_an_odata_error(rest: Rest, name: str) -> None:
    fill(rest, 1)
    answer = bearer(rest).get(f"{GRAPH}/alerts_v2", params=GRAPH_REFUSED[name], headers={"client-request-id": "mine-1"})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "BadRequest")
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert error["innerError"]["client-request-id"] == answer.headers["client-request-id"] == "mine-1"


def test_a_filter_error_says_where(rest: Rest) -> None:
    answer = bearer(rest).get(f"{GRAPH}/incidents", params={"$filter": "status eq 'active' and and"})
    assert "at character 24 of $filter" in answer.json()["error"]["message"]


def test_incident_comments_come_back_whole_and_are_shown(rest: Rest) -> None:
    fill(rest, 1)
    client = bearer(rest)
    for text in ("First.", "Second."):
        sent = {"@odata.type": "microsoft.graph.security.alertComment", "comment": text}
        answer = client.post(f"{GRAPH}/incidents/1/comments", json=sent)
        assert answer.status_code == 200
    assert [one["comment"] for one in answer.json()["value"]] == ["First.", "Second."]
    shown = client.get(f"{GRAPH}/incidents/1").json()["comments"]
    assert [one["comment"] for one in shown] == ["First.", "Second."]
    assert client.post(f"{GRAPH}/incidents/1/comments", json={"comment": ""}).status_code == 400


def test_a_comment_on_an_alert_reaches_who_polls_alerts(rest: Rest) -> None:
    fill(rest, 1)
    rest.clock.time += 100
    client = bearer(rest)
    client.post(f"{GRAPH}/alerts_v2/dca0000/comments", json={"comment": "Look."})
    asked = {"$filter": "lastUpdateDateTime gt 2026-01-01T12:01:00Z"}
    (found,) = client.get(f"{GRAPH}/alerts_v2", params=asked).json()["value"]
    assert [one["comment"] for one in found["comments"]] == ["Look."]


def test_what_was_shown_is_found_again_by_its_time(rest: Rest) -> None:
    rest.clock.time = NOON + 0.123_456_789
    rest.control.upsert_alerts([apart(1)], at=rest.clock.time)
    client = bearer(rest)
    (one,) = client.get(f"{GRAPH}/alerts_v2").json()["value"]
    for operator, count in (("eq", 1), ("ge", 1), ("le", 1), ("gt", 0), ("lt", 0), ("ne", 0)):
        asked = {"$filter": f"lastUpdateDateTime {operator} {one['lastUpdateDateTime']}"}
        assert len(client.get(f"{GRAPH}/alerts_v2", params=asked).json()["value"]) == count, operator


def test_waiting_incidents_are_called_so_only_to_who_knows_the_word(rest: Rest) -> None:
    fill(rest, 1)
    client = bearer(rest)
    changed = client.patch(f"{GRAPH}/incidents/1", json={"status": "awaitingAction"})
    assert changed.json()["status"] == "unknownFutureValue"
    known = client.get(f"{GRAPH}/incidents/1", headers={"prefer": "include-unknown-enum-members"}).json()
    assert known["status"] == "awaitingAction"
    assert client.get("/api/incidents/1").json()["status"] == "InProgress"


def test_a_dismissed_alert_is_a_resolved_one_to_them(rest: Rest) -> None:
    rest.control.upsert_alerts([apart(1, status=AlertStatus.DISMISSED), apart(2, severity=Severity.HIGH)], at=NOON)
    client = bearer(rest)
    found = client.get(f"{GRAPH}/alerts_v2", params={"$filter": "status eq 'resolved'"}).json()["value"]
    assert [(one["id"], one["evidence"][0]["verdict"]) for one in found] == [("dca0001", "noThreatsFound")]
    found = client.get(f"{GRAPH}/alerts_v2", params={"$filter": "serviceSource eq 'microsoftDefenderForCloud'"}).json()
    assert len(found["value"]) == 2


def test_merging_and_moving_what_can_not_be_is_refused(rest: Rest) -> None:
    fill(rest, 3)
    client = bearer(rest)
    client.patch(f"{GRAPH}/incidents/1", json={"assignedTo": "ann"})
    client.patch(f"{GRAPH}/incidents/2", json={"assignedTo": "bob"})
    merge, move = (
        f"{GRAPH}/incidents/microsoft.graph.security.mergeIncidents",
        f"{GRAPH}/alerts_v2/microsoft.graph.security.moveAlerts",
    )
    bodies: list[tuple[str, dict[str, Any], int]] = [
        (merge, {"incidentIds": ["1", "2"]}, 409),
        (merge, {"incidentIds": ["1"]}, 400),
        (merge, {"incidentIds": ["1", "99"]}, 404),
        (merge, {"incidentIds": ["1", "3"], "mergeReasons": "because"}, 400),
        (move, {"alertIds": ["dcnothing"], "incidentId": "1"}, 404),
        (move, {"alertIds": ["a0001"], "incidentId": "1"}, 404),
        (move, {"alertIds": []}, 400),
    ]
    for path, body, status in bodies:
        answer = client.post(path, json=body)
        assert answer.status_code == status, (path, body, answer.text)
    answer = client.post(move, json={"alertIds": ["dca0002"], "newCorrelationReasons": ["sameActor", "timeFrame"]})
    assert answer.json()["targetIncidentId"] == "4"
    assert client.get("/api/incidents/3").json()["redirectIncidentId"] == 4
    assert client.patch("/api/incidents/3", json={"status": "Resolved"}).status_code == 409


def test_what_they_wrote_is_in_the_audit_log_under_their_name(rest: Rest) -> None:
    fill(rest, 1)
    client = bearer(rest)
    client.patch("/api/incidents/1", json={"assignedTo": "ann", "comment": "Mine."})
    client.patch(f"{GRAPH}/alerts_v2/dca0000", json={"status": "inProgress"})
    entries = rest.control.cases.activities()[0]
    assert {entry.by for entry in entries if entry.action in ("changed", "comment")} == {"analyst"}
    assert rest.control.cases.verify_activities() == len(entries)


def test_a_viewer_reads_and_an_ingest_token_does_not(rest: Rest) -> None:
    fill(rest, 1)
    answers: list[httpx.Response] = [
        bearer(rest, Role.VIEWER).patch("/api/incidents/1", json={"status": "Resolved"}),
        bearer(rest, Role.INGEST).get("/api/incidents"),
        bearer(rest, Role.INGEST).get(f"{GRAPH}/alerts_v2"),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [(403, "Forbidden")] * 3
