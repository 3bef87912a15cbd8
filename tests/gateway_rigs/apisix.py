"""APISIX's Admin API (3.x) as its reference describes routes and consumers."""

from __future__ import annotations

import re
from typing import Any

from gatewatch.gateways.apisix import Apisix, ApisixSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, NARROWED, one
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_ROUTE = {"uri", "uris", "priority", "status", "labels", "plugins", "vars", "methods", "host", "hosts", "upstream"}
_PLUGINS = {"fault-injection", "limit-count", "key-auth", "ip-restriction"}


class ApisixRig(ServedRig):
    samples = (
        *ADDRESSES,
        DISABLED,
        NARROWED,
        one(6, "partner", kind=ScopeKind.CONSUMER, effect=Effect.THROTTLE, calls=3),
    )

    def beginning(self) -> Any:
        partner = {"username": "partner", "plugins": {"key-auth": {"key": "k"}}, "desc": "theirs", "create_time": 1}
        return {"routes": {}, "consumers": {"partner": partner}}

    def make(self, site: Site) -> Gateway:
        return Apisix(ApisixSettings(url=self.server.url, key=SECRET), site)

    def answer(self, request: Request) -> Reply:
        assert request.headers["x-api-key"] == "s3cret"
        _, _, kind, *rest = request.path.strip("/").split("/")
        entities: dict[str, Any] = self.kept[kind]
        if request.method == "GET" and not rest:
            items = [{"key": f"/apisix/{kind}/{name}", "value": value} for name, value in entities.items()]
            return Reply(200, {"total": len(items), "list": items or {}})
        if request.method == "GET":
            return Reply(200, {"value": entities[rest[0]]}) if rest[0] in entities else Reply(404)
        if request.method == "DELETE":
            return Reply(200, {"deleted": "1"}) if entities.pop(rest[0], None) else Reply(404)
        assert request.method == "PUT"
        body = request.body
        assert all(re.fullmatch(r"[^\s]{1,256}", value) for value in body.get("labels", {}).values())
        assert body["plugins"].keys() <= _PLUGINS
        if kind == "consumers":
            assert not rest and body.keys() <= {"username", "plugins", "labels", "desc", "group_id"}
            entities[body["username"]] = body | {"create_time": 1, "update_time": 2}
            return Reply(200, {})
        assert body.keys() <= _ROUTE and re.fullmatch(r"[a-zA-Z0-9_.-]{1,64}", rest[0])
        entities[rest[0]] = body | {"id": rest[0], "create_time": 1, "update_time": 2}
        return Reply(201, {})

    def plant(self) -> None:
        self.kept["routes"]["1"] = {"id": "1", "uri": "/*", "upstream": {"nodes": {"127.0.0.1:80": 1}}}
        self.kept["consumers"]["partner"]["labels"] = {"team": "shop"}

    def planted(self) -> bool:
        partner = self.kept["consumers"]["partner"]
        theirs = partner["plugins"].get("key-auth") == {"key": "k"} and partner["labels"].get("team") == "shop"
        return theirs and partner["desc"] == "theirs" and "upstream" in self.kept["routes"]["1"]

    def tamper(self) -> None:
        self.kept["routes"]["gatewatch-c1"]["status"] = 0
