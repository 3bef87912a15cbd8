"""Kong's Admin API (3.x) as its reference describes plugins, routes and consumers."""

from __future__ import annotations

import re
import uuid
from typing import Any

from gatewatch.gateways.kong import Kong, KongSettings
from gatewatch.model.containment import Effect, ScopeKind
from gatewatch.ports.gateways import Gateway, Site
from tests.gateway_rigs.rig import ADDRESSES, DISABLED, IMPOSSIBLE, before_next_write, one
from tests.gateway_rigs.served import SECRET, ServedRig
from tests.gateway_rigs.server import Reply, Request

_SCHEMAS = {
    "ip-restriction": {"allow", "deny", "status", "message"},
    "request-termination": {"status_code", "message", "body", "content_type", "echo", "trigger"},
    "rate-limiting": {"minute", "second", "hour", "policy", "limit_by"},
}
_PLUGIN = {"id", "name", "config", "tags", "enabled", "service", "route", "consumer", "protocols", "instance_name"}
_ROUTE = {"id", "name", "paths", "hosts", "methods", "protocols", "regex_priority", "tags", "service"}


class KongRig(ServedRig):
    samples = (
        *ADDRESSES,
        DISABLED,
        one(5, "partner", kind=ScopeKind.CONSUMER, effect=Effect.SUSPEND_KEY),
    )
    impossible = IMPOSSIBLE
    races = True

    def beginning(self) -> Any:
        return {"plugins": {}, "routes": {}, "consumers": {"partner": str(uuid.UUID(int=7))}, "edits": 0}

    def make(self, site: Site) -> Gateway:
        made = Kong(KongSettings(url=self.server.url, token=SECRET), site)
        self.racing = before_next_write(made._http)
        return made

    def answer(self, request: Request) -> Reply:
        assert request.headers["kong-admin-token"] == "s3cret"
        kind, _, name = request.path.strip("/").partition("/")
        if kind == "consumers":
            found = self.kept["consumers"].get(name)
            return Reply(200, {"id": found, "username": name}) if found else Reply(404)
        assert kind in ("plugins", "routes"), request.path
        entities: dict[str, Any] = self.kept[kind]
        if request.method == "GET":
            tag = request.query.get("tags")
            data = [item for item in entities.values() if not tag or tag in (item.get("tags") or [])]
            return _paged(data, request)
        if request.method == "DELETE":
            return Reply(204) if entities.pop(name, None) else Reply(404)
        if request.method == "PATCH":
            if name not in entities:
                return Reply(404)
            old = entities[name]
            config = old["config"] | request.body.get("config", {})
            return self._store(kind, name, old | request.body | {"config": config})
        assert request.method == "PUT" and str(uuid.UUID(name)) == name
        return self._store(kind, name, {"id": name, **request.body})

    def _store(self, kind: str, name: str, entity: dict[str, Any]) -> Reply:
        fields = _PLUGIN if kind == "plugins" else _ROUTE
        assert entity.keys() <= fields, entity
        assert all(re.fullmatch(r"[^,/]+", tag) for tag in entity.get("tags") or []), "a tag has no comma and no slash"
        if kind == "plugins":
            assert entity["config"].keys() <= _SCHEMAS[entity["name"]]
            if entity["name"] == "ip-restriction":
                assert entity["config"].get("deny") or entity["config"].get("allow"), "at least one of: allow, deny"
            same = [other for other in self.kept["plugins"].values() if _scope(other) == _scope(entity)]
            if any(other["id"] != name for other in same):
                return Reply(409, {"name": "unique constraint violation"})
        else:
            assert all(path.startswith("~/") for path in entity["paths"]), "a regular expression begins with ~/"
        self.kept[kind][name] = entity
        return Reply(200, entity)

    def _theirs(self) -> dict[str, Any]:
        return {"deny": ["192.0.2.1", "203.0.113.7/32"]}

    def plant(self) -> None:
        name = str(uuid.UUID(int=99))
        if not any(item["name"] == "ip-restriction" for item in self.kept["plugins"].values()):
            self.kept["plugins"][name] = {
                "id": name,
                "name": "ip-restriction",
                "config": self._theirs(),
                "tags": ["edge"],
                "enabled": True,
            }
        self.kept["routes"]["theirs"] = {"id": "theirs", "name": "shop", "paths": ["/"], "tags": None}

    def planted(self) -> bool:
        found = [item for item in self.kept["plugins"].values() if item["name"] == "ip-restriction"]
        denied = found[0]["config"]["deny"]
        return (
            set(self._theirs()["deny"]) <= set(denied)
            and "edge" in found[0]["tags"]
            and "theirs" in self.kept["routes"]
        )

    def race(self) -> None:
        self.racing(self._edit)

    def _edit(self) -> None:
        self.kept["edits"] += 1
        self.kept["consumers"][f"new-{self.kept['edits']}"] = str(uuid.UUID(int=100 + self.kept["edits"]))

    def raced(self) -> bool:
        return f"new-{self.kept['edits']}" in self.kept["consumers"]

    def tamper(self) -> None:
        for item in self.kept["plugins"].values():
            if item["name"] == "ip-restriction":
                item["config"]["deny"].remove("203.0.113.7/32")


def _scope(plugin: dict[str, Any]) -> tuple[object, ...]:
    targets = (plugin.get("route"), plugin.get("consumer"), plugin.get("service"))
    return (plugin["name"], *((target or {}).get("id") for target in targets))


def _paged(data: list[Any], request: Request) -> Reply:
    """Two a page, so that following pages is tested."""
    start = int(request.query.get("offset", "0"))
    following = None
    if start + 2 < len(data):
        tags = f"&tags={request.query['tags']}" if "tags" in request.query else ""
        following = f"{request.path}?offset={start + 2}{tags}"
    return Reply(200, {"data": data[start : start + 2], "next": following})
