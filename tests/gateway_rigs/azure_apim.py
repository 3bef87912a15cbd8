"""API Management's Resource Manager API (2022-08-01), and Entra's token endpoint."""

from __future__ import annotations

from typing import Any

from defusedxml.ElementTree import fromstring

from gatewatch.gateways.azure_apim import AzureApim, AzureApimSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, THROTTLED, before_next_write, one
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_BASE = "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.ApiManagement/service/shop"
THEIRS = """<policies>
  <inbound>
    <base />
    <set-header name="x" exists-action="override"><value>1</value></set-header>
  </inbound>
  <backend><forward-request /></backend><outbound /><on-error />
</policies>"""


class AzureApimRig(ServedRig):
    samples = (
        *ADDRESSES,
        DISABLED,
        NARROWED,
        THROTTLED,
        one(7, "partner", kind=ScopeKind.CONSUMER, effect=Effect.SUSPEND_KEY),
    )
    races = True

    def beginning(self) -> Any:
        partner = {"state": "active", "stateComment": None, "displayName": "Partner"}
        other = {"state": "suspended", "stateComment": "unpaid", "displayName": "Other"}
        return {"policy": None, "version": 1, "subscriptions": {"partner": partner, "other": other}, "edits": 0}

    def make(self, site: Site) -> Gateway:
        settings = AzureApimSettings(
            url=self.server.url,
            login_url=self.server.url,
            tenant="tenant",
            client_id="client",
            client_secret=SECRET,
            subscription="sub",
            resource_group="rg",
            service="shop",
        )
        made = AzureApim(settings, site)
        self.racing = before_next_write(made._http)
        return made

    def answer(self, request: Request) -> Reply:
        if request.path == "/tenant/oauth2/v2.0/token":
            assert "client_secret=s3cret" in request.body and "grant_type=client_credentials" in request.body
            return Reply(200, {"access_token": "t", "expires_in": 3599})
        assert request.headers["authorization"] == "Bearer t" and request.query["api-version"] == "2022-08-01"
        path = request.path.removeprefix(_BASE)
        if path == "/policies/policy":
            return self._policy(request)
        if path == "/subscriptions":
            return self._list(request)
        return self._subscription(request, path.removeprefix("/subscriptions/"))

    def _policy(self, request: Request) -> Reply:
        etag = f'"{self.kept["version"]}"'
        if request.method == "GET":
            if self.kept["policy"] is None:
                return Reply(404)
            return Reply(200, {"properties": {"format": "rawxml", "value": self.kept["policy"]}}, {"ETag": etag})
        assert request.method == "PUT"
        matches = request.headers.get("if-match") == etag
        creates = request.headers.get("if-none-match") == "*" and self.kept["policy"] is None
        if not matches and not creates:
            return Reply(412)
        value = request.body["properties"]["value"]
        assert request.body["properties"]["format"] == "rawxml"
        root = fromstring(value)
        assert [part.tag for part in root] == ["inbound", "backend", "outbound", "on-error"]
        for limit in root.iter("rate-limit-by-key"):
            assert int(limit.attrib["renewal-period"]) <= 300
        self.kept["policy"] = value
        self.kept["version"] += 1
        return Reply(200, {})

    def _list(self, request: Request) -> Reply:
        assert request.query["$filter"] == "state eq 'suspended'"
        every = [(name, one) for name, one in self.kept["subscriptions"].items() if one["state"] == "suspended"]
        skip = int(request.query.get("$skip", "0"))
        items = [{"name": name, "properties": one} for name, one in every[skip : skip + 1]]
        body: dict[str, Any] = {"value": items}
        if skip + 1 < len(every):
            query = "api-version=2022-08-01&$filter=state%20eq%20'suspended'"
            body["nextLink"] = f"{self.server.url}{_BASE}/subscriptions?{query}&$skip={skip + 1}"
        return Reply(200, body)

    def _subscription(self, request: Request, name: str) -> Reply:
        found = self.kept["subscriptions"].get(name)
        if found is None:
            return Reply(404)
        etag = f'"{found["state"]}-{found["stateComment"]}"'
        if request.method == "GET":
            return Reply(200, {"name": name, "properties": found}, {"ETag": etag})
        assert request.method == "PATCH"
        if request.headers["if-match"] != etag:
            return Reply(412)
        found.update(request.body["properties"])
        return Reply(200, {})

    def plant(self) -> None:
        self.kept["policy"] = THEIRS

    def planted(self) -> bool:
        rest = [line for line in THEIRS.splitlines() if "<base" not in line]
        others = self.kept["subscriptions"]["other"] == self.beginning()["subscriptions"]["other"]
        return others and all(line in self.kept["policy"] for line in rest)

    def race(self) -> None:
        self.racing(self._edit)

    def _edit(self) -> None:
        self.kept["edits"] += 1
        before = self.kept["policy"] or THEIRS
        self.kept["policy"] = before.replace("<outbound />", f"<outbound /><!-- edit {self.kept['edits']} -->")
        self.kept["version"] += 1

    def raced(self) -> bool:
        return f"<!-- edit {self.kept['edits']} -->" in self.kept["policy"]

    def tamper(self) -> None:
        self.kept["policy"] = self.kept["policy"].replace("203.0.113.7", "203.0.113.99")
        self.kept["version"] += 1
