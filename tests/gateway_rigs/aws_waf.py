"""IP sets of AWS WAF as the reference of WAFv2 describes them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from gatewatch.gateways.aws_waf import AwsWaf, AwsWafSettings
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.aws import KEY_ID, check_signature
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_V4, _V6, _THEIRS = "blocked-v4", "blocked-v6", "192.0.2.99/32"


class AwsWafRig(ServedRig):
    races = True
    racing = False

    def beginning(self) -> Any:
        return {name: {"Addresses": [], "LockToken": "t0", "number": 0} for name in (_V4, _V6)}

    def make(self, site: Site) -> Gateway:
        settings = AwsWafSettings(
            url=self.server.url,
            region="eu-west-1",
            access_key_id=KEY_ID,
            secret_access_key=SECRET,
            session_token=SECRET,
            ip_set_v4=f"{_V4}/id-{_V4}",
            ip_set_v6=f"{_V6}/id-{_V6}",
        )
        return AwsWaf(settings, site)

    def answer(self, request: Request) -> Reply:
        check_signature(request, region="eu-west-1", service="wafv2", signs={"content-type", "x-amz-target"})
        assert (request.method, request.path) == ("POST", "/")
        assert request.headers["content-type"] == "application/x-amz-json-1.1"
        action, body = request.headers["x-amz-target"].removeprefix("AWSWAF_20190729."), request.body
        assert body["Scope"] == "REGIONAL" and body["Id"] == f"id-{body['Name']}"
        kept = self.kept[body["Name"]]
        if action == "GetIPSet":
            assert body.keys() == {"Name", "Id", "Scope"}
            shown = {"Addresses": [_full(one) for one in kept["Addresses"]], "Name": body["Name"], "Id": body["Id"]}
            return Reply(200, {"IPSet": shown, "LockToken": kept["LockToken"]})
        assert action == "UpdateIPSet" and body.keys() == {"Name", "Id", "Scope", "Addresses", "LockToken"}
        if self.racing:
            self.racing = False
            self.plant()
        if body["LockToken"] != kept["LockToken"]:
            return Reply(400, {"__type": "com.amazonaws.wafv2#WAFOptimisticLockException", "message": "later"})
        networks = [ip_network(one) for one in body["Addresses"]]
        assert all(one.prefixlen and one.version == (6 if body["Name"] == _V6 else 4) for one in networks)
        assert len(set(networks)) == len(networks)
        self._change(body["Name"], body["Addresses"])
        return Reply(200, {"NextLockToken": kept["LockToken"]})

    def _change(self, name: str, addresses: list[str]) -> None:
        kept = self.kept[name]
        kept["number"] += 1
        kept["Addresses"], kept["LockToken"] = addresses, f"t{kept['number']}"

    def plant(self) -> None:
        self._change(_V4, sorted({*self.kept[_V4]["Addresses"], _THEIRS}))

    def planted(self) -> bool:
        return _THEIRS in self.kept[_V4]["Addresses"]

    def race(self) -> None:
        self.racing = True

    def raced(self) -> bool:
        return self.planted()

    def tamper(self) -> None:
        self._change(_V4, [one for one in self.kept[_V4]["Addresses"] if one != "203.0.113.7/32"])


def _full(network: str) -> str:
    """IPv6 written out, as AWS shows it."""
    found = ip_network(network)
    return f"{found.network_address.exploded}/{found.prefixlen}"
