"""Cloudflare's Rulesets API as its reference describes the entry point of a phase."""

from __future__ import annotations

from typing import Any

from gatewatch.gateways.cloudflare import Cloudflare, CloudflareSettings
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

ZONE = "0" * 32
_ENTRY = f"/zones/{ZONE}/rulesets/phases/http_request_firewall_custom/entrypoint"
_RULES = f"/zones/{ZONE}/rulesets/r1/rules"
_MOST = 40


class CloudflareRig(ServedRig):
    samples = (*ADDRESSES, DISABLED, NARROWED)

    def beginning(self) -> Any:
        return {"made": False, "rules": [], "number": 0}

    def make(self, site: Site) -> Gateway:
        return Cloudflare(CloudflareSettings(url=self.server.url, zone=ZONE, token=SECRET), site)

    def answer(self, request: Request) -> Reply:
        assert request.headers["authorization"] == "Bearer s3cret"
        rules: list[dict[str, Any]] = self.kept["rules"]
        if request.path == _ENTRY and request.method == "GET":
            return self._ruleset() if self.kept["made"] else Reply(404, {"success": False, "errors": [{"code": 10003}]})
        if request.path == _ENTRY:
            assert request.method == "PUT" and not self.kept["made"], "a whole ruleset would take others' rules away"
            self.kept["made"] = True
            return self._add(request.body["rules"][0])
        assert request.path.startswith(_RULES), request.path
        name = request.path.removeprefix(_RULES).strip("/")
        if request.method == "POST":
            return self._add(request.body)
        found = next((rule for rule in rules if rule["id"] == name), None)
        if found is None:
            return Reply(404, {"success": False, "errors": []})
        if request.method == "DELETE":
            rules.remove(found)
        else:
            assert request.method == "PATCH"
            found.update(request.body)
        return self._ruleset()

    def _add(self, rule: dict[str, Any]) -> Reply:
        assert rule.keys() == {"action", "description", "enabled", "expression"}
        assert rule["action"] in {"block", "managed_challenge"} and len(rule["expression"]) <= 4096
        assert rule["expression"].count('"') % 2 == 0 and rule["expression"].count("(") == rule["expression"].count(")")
        if len(self.kept["rules"]) >= _MOST:
            return Reply(400, {"success": False, "errors": [{"code": 20217}]})
        self.kept["number"] += 1
        self.kept["rules"].append({"id": f"n{self.kept['number']}", "version": "1", **rule})
        return self._ruleset()

    def _ruleset(self) -> Reply:
        return Reply(200, {"success": True, "errors": [], "result": {"id": "r1", "rules": self.kept["rules"]}})

    def plant(self) -> None:
        self.kept["made"] = True
        self.kept["rules"].append(
            {"id": "t1", "action": "skip", "description": "office", "expression": "ip.src eq 192.0.2.9"}
        )

    def planted(self) -> bool:
        return [rule["description"] for rule in self.kept["rules"] if rule["id"] == "t1"] == ["office"]

    def tamper(self) -> None:
        next(rule for rule in self.kept["rules"] if ":c1:" in rule["description"])["enabled"] = False
