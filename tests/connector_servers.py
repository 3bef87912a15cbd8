"""Other people's systems for tests: they check requests as the vendors' references say, and count effects."""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

SECRET = "mark3r/s3cret+value="


class Request(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        return {
            name: values[0] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()
        }

    @property
    def json(self) -> Any:
        assert self.headers.get("content-type") == "application/json", "content type"
        return json.loads(self.body)

    def basic(self, user: str) -> None:
        given = self.headers.get("authorization", "").removeprefix("Basic ")
        assert base64.b64decode(given).decode() == f"{user}:{SECRET}", "authorization"

    def members(self, allowed: str, required: str = "") -> dict[str, Any]:
        """The JSON body, whose members are checked."""
        return members(self.json, allowed, required)


def members(value: Any, allowed: str, required: str = "") -> dict[str, Any]:
    assert isinstance(value, dict), "no object"
    assert not set(value) - set(allowed.split()) - set(required.split()), sorted(set(value) - set(allowed.split()))
    assert set(required.split()) <= set(value), "a required member is missing"
    assert None not in value.values(), "null"
    return value


class Answer(NamedTuple):
    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


Logic = Callable[[Request], Answer]
Fault = str | Answer
"""`cut` after the effect, `cut-before` it, `slow`, `drip`, or an answer instead of the logic's."""


class Vendor:
    """An HTTP server around a vendor's logic, which asserts what it is sent."""

    def __init__(self, logic: Logic) -> None:
        self.requests: list[Request] = []
        self.complaints: list[str] = []
        self.faults: deque[Fault] = deque()
        self.release = threading.Event()
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, BrokenPipeError):
                    self.close_connection = True

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                vendor.serve(self, Request(self.command, self.path, headers, body), logic)

            def do_GET(self) -> None:
                self._any()

            def do_POST(self) -> None:
                self._any()

            def do_PUT(self) -> None:
                self._any()

            def do_PATCH(self) -> None:
                self._any()

            def do_DELETE(self) -> None:
                self._any()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self, handler: Any, request: Request, logic: Logic) -> None:
        self.requests.append(request)
        fault = self.faults.popleft() if self.faults else ""
        if fault == "cut-before":
            handler.close_connection = True
            return
        answer = fault if isinstance(fault, Answer) else self.answer(request, logic)
        if fault == "cut":
            handler.close_connection = True
            return
        if fault == "slow":
            self.release.wait(120)
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        body = b"" if answer.body is None else body
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        if answer.status != 204:
            handler.send_header("content-length", str(len(body)))
        handler.end_headers()
        if fault == "drip":
            for sign in body:
                handler.wfile.write(bytes([sign]))
                if self.release.wait(0.05):
                    return
        elif answer.status != 204:
            handler.wfile.write(body)

    def answer(self, request: Request, logic: Logic) -> Answer:
        try:
            return logic(request)
        except (AssertionError, KeyError, ValueError) as error:
            self.complaints.append(f"{request.method} {request.target}: {error!r} {request.body[:500]!r}")
            # Servers do repeat what they were sent.
            return Answer(400, {"error": f"{error} {SECRET}", "message": f"{error} {SECRET}"})

    def close(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class ServiceNow:
    """Table API: xanadu-api-reference, c_TableAPI."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, str]] = {}
        self.notes: list[tuple[str, str]] = []

    def __call__(self, request: Request) -> Answer:
        request.basic("gatewatch")
        assert request.headers["accept"] == "application/json"
        if request.path == "/api/now/table/sys_journal_field":
            return self.journal(request)
        assert request.path.startswith("/api/now/table/incident")
        record = request.path.removeprefix("/api/now/table/incident").strip("/")
        if request.method == "POST":
            return self.created(request)
        if record and record not in self.records:
            return Answer(404, {"error": {"message": "No Record found", "detail": "x"}, "status": "failure"})
        if request.method == "PATCH":
            return self.changed(request, self.records[record])
        assert request.method == "GET"
        return Answer(200, {"result": self.records[record] if record else self.found(request)})

    def created(self, request: Request) -> Answer:
        columns = "description caller_id urgency impact assignment_group category correlation_id correlation_display"
        body = request.members(columns, "short_description")
        number = len(self.records) + 1
        record = {
            **body,
            "sys_id": f"{number:032x}",
            "number": f"INC{number:07}",
            "state": "1",
            "close_code": "",
            "sys_updated_on": "2026-01-01 12:00:00",
            "sys_updated_by": "gatewatch",
        }
        self.records[record["sys_id"]] = record
        return Answer(201, {"result": record}, {"location": f"/api/now/table/incident/{record['sys_id']}"})

    def changed(self, request: Request, record: dict[str, str]) -> Answer:
        body = request.members("state close_code close_notes urgency assigned_to work_notes")
        if "work_notes" in body:
            self.notes.append((record["sys_id"], body.pop("work_notes")))
        record.update(body)
        return Answer(200, {"result": record})

    def found(self, request: Request) -> list[dict[str, str]]:
        query = dict(part.split("=", 1) for part in request.query["sysparm_query"].split("^") if "=" in part)
        rows = [
            r for r in self.records.values() if r["correlation_id"] == query.get("correlation_id", r["correlation_id"])
        ]
        if "correlation_id" not in query:
            terms = request.query["sysparm_query"].split("^")
            assert terms[0].startswith("sys_updated_onRELATIVEGE@minute@ago@"), terms
            assert int(terms[0].rpartition("@")[2]) > 0
            assert terms[1:] == ["correlation_display=Gatewatch", "ORDERBYsys_updated_on"]
        start = int(request.query.get("sysparm_offset", "0"))
        return rows[start : start + int(request.query["sysparm_limit"])]

    def journal(self, request: Request) -> Answer:
        element, field, value = request.query["sysparm_query"].split("^")
        assert field == "element=work_notes"
        assert value.startswith("valueLIKE")
        text, record = value.removeprefix("valueLIKE"), element.removeprefix("element_id=")
        return Answer(200, {"result": [{"element_id": r} for r, note in self.notes if r == record and text in note]})


class Jira:
    """Cloud REST v3 and Data Center REST v2."""

    def __init__(self, *, cloud: bool) -> None:
        self.cloud, self.version = cloud, "3" if cloud else "2"
        self.issues: dict[str, dict[str, Any]] = {}
        self.comments: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        if self.cloud:
            request.basic("bot@example.org")
        else:
            assert request.headers["authorization"] == f"Bearer {SECRET}"
        path = request.path.removeprefix(f"/rest/api/{self.version}")
        assert path != request.path, request.path
        if path == ("/search/jql" if self.cloud else "/search"):
            return self.search(request)
        if path == "/issue":
            return self.created(request)
        key, _, rest = path.removeprefix("/issue/").partition("/")
        if key not in self.issues:
            return Answer(404, {"errorMessages": ["Issue does not exist"], "errors": {}})
        if rest == "comment":
            return self.comment(request)
        if rest == "transitions":
            return self.transition(request, self.issues[key])
        assert rest == "" and request.method == "GET"
        return Answer(200, self.issues[key])

    def text(self, value: Any) -> None:
        if not self.cloud:
            assert isinstance(value, str), "plain text"
            return
        members(value, "", "type version content")
        assert (value["type"], value["version"]) == ("doc", 1)
        for block in value["content"]:
            assert members(block, "content", "type")["type"] == "paragraph"
            for leaf in block["content"]:
                assert members(leaf, "", "type text")["type"] == "text" and leaf["text"], "empty text"

    def created(self, request: Request) -> Answer:
        assert request.method == "POST"
        fields = members(
            request.members("update", "fields")["fields"], "description priority labels", "project issuetype summary"
        )
        members(fields["project"], "", "key")
        members(fields["issuetype"], "", "name")
        assert all(isinstance(label, str) and " " not in label for label in fields["labels"])
        if "description" in fields:
            self.text(fields["description"])
        key = f"{fields['project']['key']}-{len(self.issues) + 1}"
        state = {"status": {"name": "To Do"}, "resolution": None, "updated": "2026-01-01T12:00:00.000+0000"}
        self.issues[key] = {"id": "1", "key": key, "fields": {**fields, **state}}
        return Answer(201, {"id": "1", "key": key, "self": "x"})

    def search(self, request: Request) -> Answer:
        assert request.method == "GET"
        jql = request.query["jql"]
        if jql.startswith('labels = "'):
            label = jql.removeprefix('labels = "').removesuffix('"')
            return Answer(200, {"issues": [i for i in self.issues.values() if label in i["fields"]["labels"]]})
        head, _, tail = jql.partition(' AND updated >= "-')
        assert head == "labels = gatewatch"
        minutes, _, order = tail.partition('m"')
        assert int(minutes) > 0
        assert order == " ORDER BY updated ASC"
        start = int((request.query.get("nextPageToken") if self.cloud else request.query["startAt"]) or 0)
        most, every = int(request.query["maxResults"]), list(self.issues.values())
        page: dict[str, Any] = {"issues": every[start : start + most]}
        if self.cloud and start + most < len(every):
            page["nextPageToken"] = str(start + most)
        if not self.cloud:
            page |= {"startAt": start, "maxResults": most, "total": len(every)}
        return Answer(200, page)

    def comment(self, request: Request) -> Answer:
        if request.method == "GET":
            assert request.query["expand"] == "properties"
            return Answer(200, {"comments": self.comments, "total": len(self.comments)})
        body = request.members("properties visibility", "body")
        self.text(body["body"])
        for one in body["properties"]:
            members(one, "", "key value")
        self.comments.append({"id": str(10000 + len(self.comments)), **body})
        return Answer(201, self.comments[-1])

    def transition(self, request: Request, issue: dict[str, Any]) -> Answer:
        ways = {"11": "To Do", "21": "In Progress", "31": "Done"}
        if request.method == "GET":
            return Answer(200, {"transitions": [{"id": i, "name": n, "to": {"name": n}} for i, n in ways.items()]})
        body = request.members("fields update", "transition")
        way = members(body["transition"], "", "id")["id"]
        if way not in ways:
            return Answer(400, {"errorMessages": [f"Transition id '{way}' is not valid"], "errors": {}})
        issue["fields"]["status"] = {"name": ways[way]}
        issue["fields"]["resolution"] = body.get("fields", {}).get("resolution")
        return Answer(204)


class Slack:
    """Web API: chat.postMessage, conversations.history; metadata."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        if request.path == "/api/conversations.history":
            assert request.method == "GET" and request.query["include_all_metadata"] == "true"
            return Answer(200, {"ok": True, "messages": list(reversed(self.messages)), "has_more": False})
        assert (request.method, request.path) == ("POST", "/api/chat.postMessage")
        body = request.members("text thread_ts unfurl_links blocks metadata", "channel")
        if body["channel"] == "nowhere":
            return Answer(200, {"ok": False, "error": "channel_not_found"})
        members(body["metadata"], "", "event_type event_payload")
        for block in body["blocks"]:
            self.block(block)
        message = {"ts": f"1767268800.{len(self.messages):06}", "text": body["text"], "metadata": body["metadata"]}
        self.messages.append(message)
        return Answer(200, {"ok": True, "channel": body["channel"], "ts": message["ts"], "message": message})

    def block(self, block: Any) -> None:
        kind = block["type"]
        if kind == "header":
            assert members(block["text"], "emoji", "type text")["type"] == "plain_text"
        elif kind == "section":
            assert members(block["text"], "verbatim", "type text")["type"] == "mrkdwn"
        else:
            assert kind == "actions" and 1 <= len(block["elements"]) <= 25
            for button in block["elements"]:
                assert members(button, "action_id style value", "type text url")["type"] == "button"
                members(button["text"], "emoji", "type text")


class Teams:
    """A workflow's webhook: message with adaptive cards."""

    def __init__(self) -> None:
        self.cards: list[Any] = []

    def __call__(self, request: Request) -> Answer:
        assert (request.method, request.path) == ("POST", "/workflows/abcdef0123456789/triggers/manual")
        assert request.query == {"api-version": "1", "sig": SECRET}
        body = request.members("", "type attachments")
        assert body["type"] == "message"
        (attachment,) = body["attachments"]
        assert (
            members(attachment, "contentUrl", "contentType content")["contentType"]
            == "application/vnd.microsoft.card.adaptive"
        )
        card = members(attachment["content"], "actions msteams", "$schema type version body")
        assert card["type"] == "AdaptiveCard"
        for part in card["body"]:
            assert part["type"] in ("TextBlock", "FactSet")
            if part["type"] == "FactSet":
                assert all(members(fact, "", "title value") for fact in part["facts"])
        for action in card.get("actions", []):
            assert members(action, "", "type title url")["type"] == "Action.OpenUrl"
        self.cards.append(card)
        return Answer(202)


class PagerDuty:
    """Events API v2."""

    def __init__(self) -> None:
        self.alerts: dict[str, str] = {}

    def __call__(self, request: Request) -> Answer:
        assert (request.method, request.path) == ("POST", "/v2/enqueue")
        body = request.members("dedup_key payload images links client client_url", "routing_key event_action")
        assert body["routing_key"] == SECRET, "routing key"
        action, key = body["event_action"], body["dedup_key"]
        if action == "trigger":
            payload = members(
                body["payload"], "timestamp component group class custom_details", "summary source severity"
            )
            assert payload["severity"] in ("critical", "error", "warning", "info")
            assert len(payload["summary"]) <= 1024
            for link in body.get("links", []):
                members(link, "text", "href")
        else:
            assert action in ("acknowledge", "resolve") and "payload" not in body
        self.alerts[key] = action
        return Answer(202, {"status": "success", "message": "Event processed", "dedup_key": key})


class Opsgenie:
    """Alert API v2."""

    def __init__(self) -> None:
        self.alerts: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Answer:
        assert request.headers["authorization"] == f"GenieKey {SECRET}"
        done = Answer(202, {"result": "Request will be processed", "took": 0.1, "requestId": "r"})
        if request.path == "/v2/alerts":
            assert request.method == "POST"
            body = request.members(
                "alias description responders visibleTo actions tags details entity source priority user note",
                "message",
            )
            assert len(body["message"]) <= 130
            known = self.alerts.setdefault(body["alias"], {**body, "id": "a-1", "status": "open", "count": 0})
            known["count"] += 1
            return done
        alias, _, verb = request.path.removeprefix("/v2/alerts/").partition("/")
        assert request.query["identifierType"] == "alias"
        if alias not in self.alerts:
            return Answer(404, {"message": "Alert not found", "took": 0.1, "requestId": "r"})
        if verb == "close":
            request.members("user source note")
            self.alerts[alias]["status"] = "closed"
            return done
        assert request.method == "GET" and verb == ""
        return Answer(200, {"data": self.alerts[alias], "took": 0.1, "requestId": "r"})


class GitHub:
    """REST 2022-11-28: issues."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        assert request.headers["authorization"] == f"Bearer {SECRET}"
        assert request.headers["accept"] == "application/vnd.github+json"
        assert request.headers["x-github-api-version"] == "2022-11-28"
        assert request.headers["user-agent"], "GitHub refuses requests without"
        assert request.path == "/repos/acme/api-security/issues"
        if request.method == "GET":
            assert request.query["state"] == "all" and int(request.query["per_page"]) <= 100
            return Answer(200, list(reversed(self.issues)))
        body = request.members("body assignees milestone labels", "title")
        number = len(self.issues) + 1
        self.issues.append(
            {"number": number, "html_url": f"https://github.com/acme/api-security/issues/{number}", **body}
        )
        return Answer(201, self.issues[-1])


class GitLab:
    """REST v4: issues."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        assert request.headers["private-token"] == SECRET
        assert urlsplit(request.target).path == "/api/v4/projects/acme%2Fapi-security/issues", "the id is encoded"
        if request.method == "GET":
            assert request.query["in"] == "description"
            return Answer(200, [i for i in self.issues if request.query["search"] in i["description"]][:1])
        body = request.members("description labels confidential", "title")
        assert isinstance(body.get("labels", ""), str), "labels are one text with commas"
        number = len(self.issues) + 1
        self.issues.append({"iid": number, "web_url": f"https://gitlab.example/acme/-/issues/{number}", **body})
        return Answer(201, self.issues[-1])


class CrowdSec:
    """Local API v1; /v1/alerts needs every required member."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.token = "t0ken-of-the-machine"
        self.sign_ins = 0

    def __call__(self, request: Request) -> Answer:
        if request.path == "/v1/watchers/login":
            body = request.members("scenarios", "machine_id password")
            if body["password"] != SECRET:
                return Answer(403, {"message": "incorrect Username or Password"})
            self.sign_ins += 1
            return Answer(200, {"code": 200, "expire": "2026-01-01T13:00:00Z", "token": self.token})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, {"message": "cookie token is empty"})
        if request.path == "/v1/decisions":
            assert request.method == "DELETE" and request.query["scope"] in ("Ip", "Range")
            gone = [a for a in self.alerts if a["source"]["value"] == request.query["value"]]
            self.alerts = [a for a in self.alerts if a not in gone]
            return Answer(200, {"nbDeleted": str(len(gone))})
        assert request.path == "/v1/alerts"
        if request.method == "GET":
            wanted = request.query
            rows = [a for a in self.alerts if wanted.get("scenario", a["scenario"]) == a["scenario"]]
            rows = [a for a in rows if wanted.get("ip", a["source"]["value"]) == a["source"]["value"]]
            return Answer(200, rows or None) if rows else Answer(200, b"null")
        required = (
            "scenario scenario_hash scenario_version message events_count start_at stop_at capacity leakspeed "
            "simulated events source"
        )
        for alert in request.json:
            members(alert, "decisions remediation labels meta uuid", required)
            members(alert["source"], "ip range as_name as_number cn", "scope value")
            for decision in alert["decisions"]:
                members(decision, "until uuid simulated", "origin type scope value duration scenario")
            self.alerts.append(
                {**alert, "id": len(self.alerts) + 1, "decisions": [{**d, "id": 7} for d in alert["decisions"]]}
            )
        return Answer(201, [str(len(self.alerts))])


class Sentinel:
    """Security Insights 2024-09-01, with the token endpoint of Entra beside it."""

    def __init__(self) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.version = 0

    def __call__(self, request: Request) -> Answer:
        if request.path == "/contoso.example/oauth2/v2.0/token":
            form = {name: values[0] for name, values in parse_qs(request.body.decode(), strict_parsing=True).items()}
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            assert form["client_secret"] == SECRET and form["grant_type"] == "client_credentials"
            assert form["scope"] == "https://management.azure.com/.default"
            return Answer(200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "aad-t0ken"})
        assert request.headers["authorization"] == "Bearer aad-t0ken"
        assert request.query == {"api-version": "2024-09-01"}
        head, _, name = request.path.rpartition("/")
        assert head == (
            "/subscriptions/s-1/resourceGroups/soc/providers/Microsoft.OperationalInsights/workspaces/main"
            "/providers/Microsoft.SecurityInsights/incidents"
        )
        known = self.incidents.get(name)
        if request.method == "GET":
            return Answer(200, known) if known else Answer(404, {"error": {"code": "NotFound", "message": "x"}})
        assert request.method == "PUT"
        body = request.members("etag", "properties")
        given = members(
            body["properties"],
            "description labels owner classification classificationComment classificationReason",
            "title severity status",
        )
        assert given["status"] != "Closed" or "classification" in given, "closing needs a classification"
        if "etag" in body and (known is None or known["etag"] != body["etag"]):
            return Answer(412, {"error": {"code": "PreconditionFailed", "message": "x"}})
        self.version += 1
        made = {"name": name, "etag": f'"{self.version}"', "properties": {**given, "incidentNumber": 3177}}
        self.incidents[name] = made
        return Answer(200 if known else 201, made)


class LogicApp:
    """A request trigger."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []

    def __call__(self, request: Request) -> Answer:
        assert (request.method, request.path) == ("POST", "/workflows/abcdef0123456789/triggers/manual")
        assert request.query == {"api-version": "1", "sig": SECRET}
        assert request.headers["x-ms-client-tracking-id"]
        self.bodies.append(request.json)
        return Answer(202, None, {"x-ms-workflow-run-id": "0858CU11", "x-ms-request-id": "r"})


class Misp:
    """Sightings."""

    def __init__(self) -> None:
        self.sightings: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer:
        assert request.headers["authorization"] == SECRET, "the key alone"
        assert request.headers["accept"] == "application/json"
        if request.path == "/sightings/restSearch":
            body = request.members("last type uuid", "returnFormat source")
            return Answer(200, {"response": [{"Sighting": s} for s in self.sightings if s["source"] == body["source"]]})
        assert (request.method, request.path) == ("POST", "/sightings/add")
        body = request.members("source type timestamp", "values")
        assert body["type"] in ("0", "1", "2") and all(isinstance(v, str) for v in body["values"])
        self.sightings.append(body)
        return Answer(200, {"saved": True, "success": True, "message": "1 sighting successfully added."})
